import math

import numpy as np
import pytest
from scipy import stats

from lggkit.study.judging import statistics as st


def test_interval_is_scipys():
    values = [9.4, 9.9, 9.1, 10.2, 9.6]
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    interval = st.t_interval(values)
    assert (interval.low, interval.high, interval.n) == (pytest.approx(low), pytest.approx(high), 5)
    assert interval.half_width == pytest.approx((high - low) / 2)


def test_one_value_knows_nothing_of_its_spread():
    interval = st.t_interval([3.0])
    assert (interval.mean, interval.low, interval.high) == (3.0, -math.inf, math.inf)
    assert not interval.inside(-1e9, 1e9) and not interval.outside(5, 6)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")]])
def test_interval_refuses_nothing_and_nan(values):
    with pytest.raises(ValueError, match="at least one, all finite"):
        st.t_interval(values)


def test_interval_covers_the_mean_as_often_as_it_says():
    samples = np.random.default_rng(0).normal(1.0, 2.0, (2000, 5))
    covered = sum(i.low <= 1.0 <= i.high for i in map(st.t_interval, samples))
    assert 0.935 < covered / 2000 < 0.965


def test_pairs_are_by_seed_and_only_common_seeds_count():
    assert st.paired_differences({2: 5.0, 0: 1.0, 7: 9.0}, {0: 0.5, 2: 1.0, 3: 0.0}) == [0.5, 4.0]


def test_slope_is_the_least_squares_one():
    assert st.slope([5.0, 3.0, 1.0]) == pytest.approx(-2.0)
    with pytest.raises(ValueError, match="at least two"):
        st.slope([1.0])


def test_p_values_are_scipys():
    values = [0.3, 0.5, -0.1, 0.4]
    assert st.p_value_of_mean(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, "inside"), (2.0, "outside"), (-2.0, "outside"), (0.75, "")]
)
def test_p_value_of_equivalence_is_that_of_the_interval(shift, verdict):
    """It is at most one less the confidence exactly where an interval of this confidence decides."""
    values, margin = [0.3 + shift, 0.5 + shift, -0.1 + shift, 0.4 + shift], 0.9
    p_value = st.p_value_of_equivalence(values, margin)
    for confidence in (0.5, 0.8, 0.95, 0.99, 1 - 1.001 * p_value, 1 - 0.999 * p_value):
        interval = st.t_interval(values, confidence)
        decided = {"inside": interval.inside(-margin, margin), "outside": interval.outside(-margin, margin)}
        assert any(decided.values()) == (p_value <= 1 - confidence)
        assert not any(decided[name] for name in decided if name != verdict) or not verdict
    ends = (stats.ttest_1samp(values, end).pvalue for end in (-margin, margin))
    if verdict == "inside":
        assert p_value == pytest.approx(max(ends))


def test_holm_steps_down():
    # Thresholds 0.0125, 0.0167, 0.025, 0.05: the third fails, so the fourth does not count any more.
    assert st.holm({"a": 0.010, "b": 0.016, "c": 0.030, "d": 0.040}) == {"a", "b"}
    assert st.holm({"a": 0.013, "b": 0.013}) == {"a", "b"}
    assert st.holm({"a": 0.026, "b": 0.001}) == {"a", "b"} and st.holm({"a": 0.051}) == set()
    assert st.holm({}) == set()
