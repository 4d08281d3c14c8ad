"""What stands behind the means of the corruption benchmark: one corruption's part, what there was to lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from lggkit.evaluation import relative_corruption_error
from lggkit.experiments.corruption_runs import LEAST_HARM
from lggkit.study.statistics import Interval, t_interval

if TYPE_CHECKING:
    from lggkit.record import Record
    from lggkit.study.view import Shown


@dataclass(frozen=True)
class Leverage:
    """The corruption that adds most to a relative MCE, seeds averaged.

    ``part`` is what it adds, ``whole`` the relative MCE, ``without`` the same over the other corruptions and
    ``pooled`` the ratio of the two networks' harm summed over all of them; all in percent.
    """

    corruption: str
    part: float
    whole: float
    without: float
    pooled: float


def leverage(shown: Shown, arm: str, reference: str = "cross_entropy") -> Leverage | None:
    """Which corruption moves an arm's relative MCE most, over seeds that the reference has too.

    None where no corruption harms the reference by `LEAST_HARM` in every seed.
    """
    theirs = {r.seed: r for r in shown.arm(reference)}
    pairs = [(own, theirs[own.seed]) for own in shown.arm(arm) if own.seed in theirs]
    names = (
        [n for n in _errors(pairs[0][0]) if all(_harm(t, n) >= LEAST_HARM for _, t in pairs)] if pairs else []
    )
    if not names:
        return None
    by_seed = [_ratios(own, other, names) for own, other in pairs]
    ratios = {name: mean(found[name] for found in by_seed) for name in names}
    top = max(ratios, key=lambda name: ratios[name])
    others = [ratio for name, ratio in ratios.items() if name != top]
    ours, reference_harm = (
        sum(_harm(r, n) for r in side for n in names) for side in zip(*pairs, strict=True)
    )
    return Leverage(
        top,
        ratios[top] / len(names),
        mean(ratios.values()),
        mean(others) if others else ratios[top],
        100 * ours / reference_harm,
    )


def accuracy_lost(shown: Shown, arm: str, classes: int = 10) -> Interval:
    """The share of an arm's accuracy above guessing that corruption takes, in percent, over its seeds.

    Unlike the points of error that corruption adds, it does not shrink with the clean accuracy alone.
    """
    guess = 100 - 100 / classes
    lost = [
        100
        * (r.metrics["mean_corrupted_error"] - r.metrics["clean_error"])
        / (guess - r.metrics["clean_error"])
        for r in shown.arm(arm)
    ]
    return t_interval(lost)


def fewer_errors(shown: Shown, left: str, right: str) -> tuple[int, int]:
    """Under how many pairs of corruption and severity the left arm errs less, seeds averaged, of how many."""
    sides = [[_errors(r) for r in shown.arm(arm)] for arm in (left, right)]
    ours, theirs = (
        {(n, s): mean(r[n][s] for r in side) for n in side[0] for s in range(len(side[0][n]))}
        for side in sides
    )
    return sum(ours[place] < theirs[place] for place in ours), len(ours)


def _errors(record: Record) -> Mapping[str, Sequence[float]]:
    """Errors by corruption, one for each severity."""
    return {n.removeprefix("errors_"): v for n, v in record.metrics.items() if n.startswith("errors_")}


def _harm(record: Record, name: str) -> float:
    return mean(_errors(record)[name]) - record.metrics["clean_error"]


def _ratios(own: Record, other: Record, names: Sequence[str]) -> dict[str, float]:
    ours, theirs = ({n: _errors(record)[n] for n in names} for record in (own, other))
    return relative_corruption_error(ours, own.metrics["clean_error"], theirs, other.metrics["clean_error"])
