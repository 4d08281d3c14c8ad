"""Intervals and tests behind every verdict: Student's t over seeds, paired by seed, and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with its two-sided t-interval over ``n`` seeds; infinite ends where n < 2."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the interval's length, in the unit of the values."""
        return (self.high - self.low) / 2

    def inside(self, low: float, high: float) -> bool:
        """Whether the whole interval lies in [low, high]."""
        return low <= self.low and self.high <= high

    def outside(self, low: float, high: float) -> bool:
        """Whether the interval and [low, high] have no point in common."""
        return self.high < low or self.low > high


def t_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Mean and Student's t-interval of independent values (one a seed).

    Raises:
        ValueError: there is no value, or one is not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(f"values are {list(values)}; an interval needs at least one, all finite")
    mean = float(sample.mean())
    if sample.size == 1:
        return Interval(mean, -math.inf, math.inf, 1)
    from scipy import stats

    quantile = stats.t.ppf(0.5 + confidence / 2, sample.size - 1)
    half = float(quantile * sample.std(ddof=1) / math.sqrt(sample.size))
    return Interval(mean, mean - half, mean + half, int(sample.size))


def paired_differences(left: Mapping[int, float], right: Mapping[int, float]) -> list[float]:
    """left − right for every seed that both have, in the order of seeds."""
    return [left[seed] - right[seed] for seed in sorted(left.keys() & right.keys())]


def slope(values: Sequence[float]) -> float:
    """Least-squares slope of values against their index 0, 1, …: the sign of a trend.

    Raises:
        ValueError: there are fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"a trend needs at least two values; got {len(values)}")
    return float(np.polyfit(np.arange(len(values)), np.asarray(values, dtype=np.float64), 1)[0])


def p_value_of_mean(values: Sequence[float], null: float = 0.0) -> float:
    """Two-sided p-value of Student's t-test that the mean is ``null``; 1 where n < 2.

    Identical values leave no spread to test against: 0 if they differ from ``null``, else 1.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size < 2:
        return 1.0
    if sample.std(ddof=1) == 0:
        return 0.0 if sample[0] != null else 1.0
    from scipy import stats

    return float(stats.ttest_1samp(sample, null).pvalue)


def p_value_of_equivalence(values: Sequence[float], margin: float) -> float:
    """p-value of the two one-sided t-tests that the mean lies within ±``margin``; 1 where n < 2."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.size < 2:
        return 1.0
    if sample.std(ddof=1) == 0:
        return 0.0 if abs(sample[0]) < margin else 1.0
    from scipy import stats

    above = stats.ttest_1samp(sample, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(sample, margin, alternative="less").pvalue
    return float(max(above, below))


def holm(p_values: Mapping[str, float], level: float = 1 - CONFIDENCE) -> set[str]:
    """Names of the hypotheses that Holm's step-down procedure rejects at family-wise ``level``."""
    survivors: set[str] = set()
    ranked = sorted(p_values.items(), key=lambda item: item[1])
    for rank, (name, p_value) in enumerate(ranked):
        if p_value > level / (len(ranked) - rank):
            break
        survivors.add(name)
    return survivors
