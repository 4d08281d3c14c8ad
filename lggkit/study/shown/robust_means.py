"""What stands behind the means of the corruption benchmark: one corruption's part, what there was to lose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from lggkit.evaluation import LEAST_HARM, relative_corruption_error
from lggkit.study.judging.derived import Metrics, errors_of, harmful
from lggkit.study.judging.statistics import Interval, t_interval

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown


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

    None where no corruption does the reference the least harm that counts in every seed.
    """
    theirs = {r.seed: r.metrics for r in shown.arm(reference)}
    pairs = [(r.metrics, theirs[r.seed]) for r in shown.arm(arm) if r.seed in theirs]
    shared = [set(harmful(other)) for _, other in pairs]
    if not shared or not set.intersection(*shared):
        return None
    names = [name for name in errors_of(pairs[0][0]) if all(name in harmed for harmed in shared)]
    by_seed = [_ratios(own, other, names) for own, other in pairs]
    ratios = {name: mean(of_seed[name] for of_seed in by_seed) for name in names}
    top = max(ratios, key=lambda name: ratios[name])
    others = [ratio for name, ratio in ratios.items() if name != top]
    ours, reference_harm = (sum(_harm(r, names) for r in side) for side in zip(*pairs, strict=True))
    return Leverage(
        top,
        ratios[top] / len(names),
        mean(ratios.values()),
        mean(others) if others else ratios[top],
        100 * ours / reference_harm,
    )


def accuracy_lost(shown: Shown, arm: str, classes: int = 10) -> Interval | None:
    """The share of an arm's accuracy above guessing that corruption takes, in percent, over its seeds.

    Unlike the points of error that corruption adds, it does not shrink with the clean accuracy alone. None
    where a seed is less than `LEAST_HARM` points better than guessing: it has nothing to lose a share of.

    Raises:
        ValueError: the arm has no complete run, or there are fewer than two classes.
    """
    if classes < 2:
        raise ValueError(f"classes is {classes}; guessing needs at least 2")
    clean = shown.values(arm, "clean_error")
    above_guessing = [100 - 100 / classes - error for error in clean]
    if any(points < LEAST_HARM for points in above_guessing):
        return None
    corrupted = shown.values(arm, "mean_corrupted_error")
    lost = (100 * (c - e) / points for c, e, points in zip(corrupted, clean, above_guessing, strict=True))
    return t_interval(list(lost))


def fewer_errors(shown: Shown, left: str, right: str) -> tuple[int, int]:
    """Under how many pairs of corruption and severity the left arm errs less, seeds averaged, of how many."""
    sides = [[errors_of(r.metrics) for r in shown.arm(arm)] for arm in (left, right)]
    ours, theirs = (
        {(n, s): mean(r[n][s] for r in side) for n in side[0] for s in range(len(side[0][n]))}
        for side in sides
    )
    return sum(ours[place] < theirs[place] for place in ours), len(ours)


def _harm(metrics: Metrics, names: Sequence[str]) -> float:
    errors = errors_of(metrics)
    return sum(mean(errors[name]) - metrics["clean_error"] for name in names)


def _ratios(own: Metrics, other: Metrics, names: Sequence[str]) -> dict[str, float]:
    ours, theirs = ({name: errors_of(side)[name] for name in names} for side in (own, other))
    return relative_corruption_error(ours, own["clean_error"], theirs, other["clean_error"])
