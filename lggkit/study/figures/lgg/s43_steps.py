"""Tables and sentences of paper 1, section 4.3, second page: steps of label variation, and variants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.judging.statistics import Interval, paired_differences, t_interval
from lggkit.study.judging.texts import minus
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown

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
    """What became of the level of label variation, of the largest step in it, and of the first map."""
    step = shown.paired("regularizer", "vanilla", "largest_variation_step")
    level = {arm: levels(shown, arm) for arm in ("regularizer", "vanilla")}
    lowered = t_interval(paired_differences(level["regularizer"], level["vanilla"]))
    share, first = ({arm: rule(shown, arm) for arm in level} for rule in (_share, _first))
    return [
        f"With the regulariser the mean of label variation over the depths is {_apart(lowered)}: "
        f"{_mean(level['regularizer'])} instead of {_mean(level['vanilla'])}. The largest step, a part of "
        f"what is penalised, is {_apart(step)}. Divided by that mean it is {share['regularizer']} instead of "
        f"{share['vanilla']}. {seeds_text(step)}",
        f"At the first map label variation is {first['regularizer']} instead of {first['vanilla']}, from the "
        "same images. Equation 8 does not count the step from the input to this map, so a network can meet "
        f"the penalty there. {seeds_text(step)}",
    ]


def _apart(interval: Interval) -> str:
    """``smaller by 167,053 ± 82,771``, or that the seeds cannot tell."""
    word = "smaller" if interval.mean < 0 else "larger"
    undecided = tables.sign_text(interval, "", "")
    return f"{word} by {_large(interval).lstrip('−')}" + (f" ({undecided})" if undecided else "")


def _large(interval: Interval) -> str:
    return mean_text(interval, 0)


def _mean(by_seed: Mapping[int, float]) -> str:
    return _large(t_interval(list(by_seed.values())))


def _share(shown: Shown, arm: str) -> str:
    heights = levels(shown, arm)
    shares = [r.metrics["largest_variation_step"] / max(heights[r.seed], 1e-9) for r in shown.arm(arm)]
    return mean_text(t_interval(shares), 2)


def _first(shown: Shown, arm: str) -> str:
    return _large(t_interval([r.metrics["variation_by_depth"][0] for r in shown.arm(arm)]))


def expansion_said(shown: Shown) -> list[str]:
    """Whether close images of two classes are driven apart less, and whether that goes with smaller steps."""
    step, expansion = (
        shown.paired("regularizer", "vanilla", m) for m in ("largest_variation_step", "distance_expansion")
    )
    apart = apart_text(expansion, "without", ("more", "less"), 2)
    text = f"With the regulariser this growth is {apart}. {seeds_text(expansion)}"
    if step.below(0) and not expansion.below(0):
        text += " The steps became smaller; it is not shown that the growth did."
    return [text]


def variants_table(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """What each variant penalises, and with which weight."""
    rows = []
    for arm in VARIANTS[1:]:
        defense = shown.protocol(arm).defense
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
