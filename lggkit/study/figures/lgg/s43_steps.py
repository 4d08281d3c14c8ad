"""Tables and sentences of paper 1, section 4.3, second page: steps of label variation, and variants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from lggkit import experiments
from lggkit.study import tables
from lggkit.study.statistics import Interval, paired_differences, t_interval
from lggkit.study.texts import minus

if TYPE_CHECKING:
    from lggkit.study.view import Shown

POWERS = ("vanilla", "regularizer", "regularizer_m1", "regularizer_m3")
VARIANTS = (*POWERS, "regularizer_sum", "regularizer_k10", "regularizer_normalized")


def pulls(variations: list[float]) -> str:
    """The sum of steps of label variations, and its derivative by each of them, for an example by hand."""
    sigma = torch.tensor(variations, requires_grad=True)
    total = sigma.diff().abs().sum()
    total.backward()
    return f"{total.item():.0f}, derivative {sigma.grad.int().tolist()}"


def steps_table(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """How far label variation travels over the depths, and how close images of two classes come apart."""
    return pd.DataFrame([_steps_row(shown, arm, title) for arm, title in titles.items() if shown.arm(arm)])


def _steps_row(shown: Shown, arm: str, title: str) -> dict[str, str]:
    travelled, apart = _travelled(shown, arm)
    return {
        "": title,
        "all steps, untrained": scientific(t_interval(_travelled(shown, arm, "_untrained")[0])),
        "all steps": scientific(t_interval(travelled)),
        "last minus first": scientific(t_interval(apart)),
        "quotient": tables.interval_text(t_interval(travelled / np.maximum(apart, 1e-9))),
        "largest step": scientific(shown.interval(arm, "largest_variation_step")),
        "expansion": tables.metric_text(shown, arm, "distance_expansion"),
    }


def _travelled(shown: Shown, arm: str, suffix: str = "") -> tuple[np.ndarray, np.ndarray]:
    """The sum of all steps, and the distance of the ends, one value a seed."""
    rows = np.array(shown.values(arm, f"variation_by_depth{suffix}"))
    return np.abs(np.diff(rows)).sum(1), np.abs(rows[:, -1] - rows[:, 0])


def scientific(interval: Interval) -> str:
    """Mean ± half the 95 % interval, in powers of ten."""
    half = f" ± {interval.half_width:.1e}" if np.isfinite(interval.half_width) else ""
    return minus(f"{interval.mean:.2e}{half} ({interval.n})")


def levels(shown: Shown, arm: str) -> dict[int, float]:
    """Label variation of an arm's seeds, the mean over depths."""
    return {record.seed: float(np.mean(record.metrics["variation_by_depth"])) for record in shown.arm(arm)}


def steps_said(shown: Shown) -> list[str]:
    """What became of the largest step, of the level that it is a part of, and of the first map."""
    step = shown.paired("vanilla", "regularizer", "largest_variation_step")
    level = {arm: levels(shown, arm) for arm in ("vanilla", "regularizer")}
    lowered = t_interval(paired_differences(level["vanilla"], level["regularizer"]))
    share, first = ({arm: rule(shown, arm) for arm in level} for rule in (_share, _first))
    return [
        f"The largest step, baseline minus regulariser, is {scientific(step)}: {_smaller(step)}. It is part "
        "of what "
        f"is penalised. The level, the mean over depths, is {_mean(level['vanilla'])} for the baseline and "
        f"{_mean(level['regularizer'])} for the regulariser: {_smaller(lowered)}. Divided by it, the "
        "largest step "
        f"is {share['vanilla']} and {share['regularizer']}.",
        f"At the first map label variation is {first['vanilla']} for the baseline and "
        f"{first['regularizer']} for "
        "the regulariser, from the same images. Equation 8 does not count the step from the input to this "
        "map, so "
        "a network can meet the penalty there.",
    ]


def _smaller(interval: Interval) -> str:
    return tables.sign_text(interval, "smaller with the regulariser", "larger with the regulariser")


def _mean(by_seed: Mapping[int, float]) -> str:
    return scientific(t_interval(list(by_seed.values())))


def _share(shown: Shown, arm: str) -> str:
    heights = levels(shown, arm)
    shares = [r.metrics["largest_variation_step"] / max(heights[r.seed], 1e-9) for r in shown.arm(arm)]
    return tables.interval_text(t_interval(shares))


def _first(shown: Shown, arm: str) -> str:
    return scientific(t_interval([r.metrics["variation_by_depth"][0] for r in shown.arm(arm)]))


def expansion_said(shown: Shown) -> list[str]:
    """Whether close images of two classes are driven apart less, and whether that goes with smaller steps."""
    step, expansion = (
        shown.paired("vanilla", "regularizer", m) for m in ("largest_variation_step", "distance_expansion")
    )
    text = f"Baseline minus regulariser: {tables.interval_text(expansion)}, {_smaller(expansion)}."
    if step.above(0) and not expansion.above(0):
        text += " The steps became smaller and the expansion did not: the purpose is not shown."
    return [text]


def variants_table(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """What each variant penalises, and with which weight."""
    rows = []
    for arm in VARIANTS[1:]:
        defense = experiments.get(shown.experiment).spec(arm, shown.scale).protocol.defense
        laplacian = "normalised" if defense.normalized_laplacian else "D - A"
        rows.append(
            {
                "": titles[arm],
                "weight": f"{defense.regularizer:.0e}",
                "power m": defense.power,
                "neighbours": defense.k or "all",
                "Laplacian": laplacian,
                "over depths": defense.reduction,
            }
        )
    return pd.DataFrame(rows)
