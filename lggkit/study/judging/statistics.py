"""Intervals and tests behind every verdict: Student's t over seeds, paired by seed, and Holm's correction.

Values that agree to rounding tell nothing of their spread: it is unknown, not zero. No interval decides
anything then (`Interval.resolved`), and p-values are 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lggkit.study.records.finite import finite, finite_sample

CONFIDENCE = 0.95
ROUNDING = 32 * float(np.finfo(np.float64).eps)
"""What a difference, slope or mean of float64 numbers may be off by, relative to the largest of them."""
UNRESOLVED = "seeds differ in nothing that was measured"


@dataclass(frozen=True)
class Interval:
    """A mean with its two-sided t-interval over ``n`` seeds; infinite ends where n < 2.

    ``resolved`` is false where the values agree to rounding. Such an interval is known to lie neither inside
    nor outside, neither above nor below anything.

    Raises:
        ValueError: the mean is not finite or not between the ends, or an end is no number.
    """

    mean: float
    low: float
    high: float
    n: int
    resolved: bool = True

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean) or not self.low <= self.mean <= self.high:
            raise ValueError(
                f"mean {self.mean:g} with ends {self.low:g} and {self.high:g} is no interval; look for values"
                " that are not finite"
            )

    @property
    def half_width(self) -> float:
        """Half the interval's length, in the unit of the values."""
        return (self.high - self.low) / 2

    def inside(self, low: float, high: float) -> bool:
        """Whether the whole interval is known to lie in [low, high]."""
        return self.resolved and low <= self.low and self.high <= high

    def outside(self, low: float, high: float) -> bool:
        """Whether the interval and [low, high] are known to have no point in common."""
        return self.below(low) or self.above(high)

    def above(self, bound: float) -> bool:
        """Whether the whole interval is known to lie above a bound."""
        return self.resolved and self.low > bound

    def below(self, bound: float) -> bool:
        """Whether the whole interval is known to lie below a bound."""
        return self.resolved and self.high < bound


def t_interval(values: Iterable[float], confidence: float = CONFIDENCE, magnitude: float = 0.0) -> Interval:
    """Mean and Student's t-interval of independent values (one a seed).

    Args:
        values: finite numbers, at least one.
        confidence: of the interval, between 0 and 1.
        magnitude: of the largest number that values were computed from by subtraction, which sets what their
            rounding is; by default they are taken as they are.

    Raises:
        ValueError: there is no value, one is no finite number, or they are too large to be squared.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; choose a number between 0 and 1, as in 0.95")
    sample = finite_sample(values)
    if not sample.size:
        raise ValueError("values are []; an interval needs at least one, all finite")
    mean = float(sample.mean())
    if sample.size == 1:
        return Interval(mean, -math.inf, math.inf, 1)
    from scipy import stats

    quantile = stats.t.ppf(0.5 + confidence / 2, sample.size - 1)
    half = float(quantile * sample.std(ddof=1) / math.sqrt(sample.size))
    return Interval(mean, mean - half, mean + half, int(sample.size), resolved(sample, magnitude))


def resolved(values: Iterable[float], magnitude: float = 0.0) -> bool:
    """Whether values differ by more than the rounding of numbers of a magnitude, so that a spread is known.

    Args:
        values: finite numbers; fewer than two have no spread.
        magnitude: as for `t_interval`.

    Raises:
        ValueError: a value, or the magnitude, is no finite number.
    """
    sample, scale = finite_sample(values), finite(magnitude)
    if sample.size < 2:
        return False
    return bool(np.ptp(sample) > ROUNDING * max(abs(scale), float(np.abs(sample).max())))


def paired_differences(left: Mapping[int, float], right: Mapping[int, float]) -> list[float]:
    """left − right for every seed that both have, in the order of seeds.

    Raises:
        ValueError: a value is no finite number.
    """
    return [finite(left[seed]) - finite(right[seed]) for seed in sorted(left.keys() & right.keys())]


def slope(values: Iterable[float]) -> float:
    """Least-squares slope of values against their index 0, 1, …: the sign of a trend.

    Raises:
        ValueError: there are fewer than two values, or one is no finite number.
    """
    sample = finite_sample(values)
    if sample.size < 2:
        raise ValueError(f"a trend needs at least two values; got {sample.size}")
    if not np.ptp(sample):
        return 0.0
    return float(np.polyfit(np.arange(sample.size), sample, 1)[0])


def p_value_of_mean(values: Iterable[float], null: float = 0.0, magnitude: float = 0.0) -> float:
    """Two-sided p-value of Student's t-test that the mean is ``null``; 1 where the spread is not `resolved`.

    Raises:
        ValueError: a value or ``null`` is no finite number.
    """
    sample, expected = finite_sample(values), finite(null)
    if not resolved(sample, magnitude):
        return 1.0
    from scipy import stats

    return float(stats.ttest_1samp(sample, expected).pvalue)


def p_value_of_equivalence(values: Iterable[float], margin: float, magnitude: float = 0.0) -> float:
    """p-value of a mean that lies within ``margin`` of 0, or beyond it, whichever the values speak for.

    Twice the smaller of two: that of the two one-sided t-tests for *within*, and that of the t-test for
    *beyond*. So it is at most 0.05 exactly where the 95 % interval lies inside the margin or outside. It is 1
    where the spread is not `resolved`.

    Raises:
        ValueError: a value is no finite number, or ``margin`` no finite number from 0 on.
    """
    sample, bound = finite_sample(values), finite(margin)
    if bound < 0:
        raise ValueError(f"margin is {margin}; give a number from 0 on")
    if not resolved(sample, magnitude):
        return 1.0
    from scipy import stats

    def tested(null: float, side: str) -> float:
        return float(stats.ttest_1samp(sample, null, alternative=side).pvalue)

    within = max(tested(-bound, "greater"), tested(bound, "less"))
    beyond = min(tested(-bound, "less"), tested(bound, "greater"))
    return min(1.0, 2 * min(within, beyond))


def holm(p_values: Mapping[str, float], level: float = 1 - CONFIDENCE) -> set[str]:
    """Names of the hypotheses that Holm's step-down procedure rejects at family-wise ``level``.

    A p-value that is NaN belongs to a hypothesis that could not be tested: it counts in the family as 1.

    Raises:
        ValueError: a p-value or the level lies outside 0 to 1.
    """
    known = {name: 1.0 if math.isnan(p_value) else float(p_value) for name, p_value in p_values.items()}
    for name, p_value in {**known, "level": level}.items():
        if not 0 <= p_value <= 1:
            raise ValueError(f"{name} is {p_value}; p-values and their level lie between 0 and 1")
    survivors: set[str] = set()
    ranked = sorted(known.items(), key=lambda item: item[1])
    for rank, (name, p_value) in enumerate(ranked):
        if p_value > level / (len(ranked) - rank):
            break
        survivors.add(name)
    return survivors
