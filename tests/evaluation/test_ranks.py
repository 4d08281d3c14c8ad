import math

import numpy as np
import pytest

from lggkit.evaluation.clusters import rank_correlation


def test_orders_are_compared():
    assert rank_correlation([1.0, 2.0, 4.0], np.array([3, 2, 0])) == pytest.approx(-1)
    assert rank_correlation([1.0, 1.0, 2.0], [1.0, 2.0, 3.0]) == pytest.approx(3**0.5 / 2)


def test_what_is_constant_has_no_order():
    assert rank_correlation([1.0, 1.0], [1.0, 2.0]) is None
    assert rank_correlation([1.0, 2.0], [0.0, 0.0]) is None


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, math.nan], [1.0, 2.0])], ids=str
)
def test_both_sides_are_as_long_and_finite(x, y):
    with pytest.raises(ValueError, match="give as many, 2 up, all finite"):
        rank_correlation(x, y)
