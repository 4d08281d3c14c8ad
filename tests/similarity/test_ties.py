"""Samples that are equally near or equal: chance is what they share, and no permutation beats the value."""

import math

import pytest
import torch

from lggkit.similarity import (
    Null,
    cka,
    cka_with_null,
    neighbor_overlap,
    neighbour_jaccard,
    overlap_of_depths,
    overlap_with_null,
)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_dead_layers_share_what_chance_gives():
    x, y = torch.zeros(50, 3), torch.zeros(50, 4)
    found = overlap_with_null(x, y, 10, draws=20)
    assert found.value == pytest.approx(10 / 49) and found.mean == pytest.approx(10 / 49)
    assert found.p_value == 1.0
    assert neighbor_overlap(x, y, 10, "euclidean").item() == pytest.approx(10 / 49)
    value, permuted = overlap_of_depths([x, drawn(50, 3)], [y], 10, draws=3)
    torch.testing.assert_close(value, torch.full((2, 1), 10 / 49).double(), rtol=1e-5, atol=0)
    torch.testing.assert_close(permuted, torch.full((3, 2, 1), 10 / 49).double(), rtol=1e-5, atol=0)
    each = 49 * (10 / 49) ** 2  # expected places in common, of a union of 20 less those
    assert neighbour_jaccard(x, y, 10).item() == pytest.approx(each / (20 - each))


def test_tied_neighbours_count_as_if_lots_were_drawn():
    """Of four samples beside the first, one is nearest and three are as near as each other."""
    x = torch.tensor([[0.0], [1.0], [2.0], [2.0], [2.0]])
    y = torch.tensor([[0.0], [9.0], [1.0], [3.0], [5.0]])
    # By x: 1 and a third of 2, 3 and 4 each; by y: 2 and 3. Shared: two thirds of two places.
    lots = []
    for third in (2, 3, 4):
        lots.append(len({1, third} & {2, 3}) / 2)
    first = sum(lots) / 3
    others = [
        # By x / by y of sample 1 (0 or one of 2, 3, 4 at 1 away: all four tie) and so on.
        sum(wx * wy for wx, wy in zip(a, b, strict=True)) / 2
        for a, b in [
            ([1 / 2, 0, 1 / 2, 1 / 2, 1 / 2], [0, 0, 0, 1, 1]),
            ([0, 0, 0, 1, 1], [1, 0, 0, 1, 0]),
            ([0, 0, 1, 0, 1], [0, 0, 1, 0, 1]),
            ([0, 0, 1, 1, 0], [0, 1 / 2, 1 / 2, 1, 0]),
        ]
    ]
    assert neighbor_overlap(x, y, 2, "euclidean").item() == pytest.approx((first + sum(others)) / 5)


def test_without_ties_they_are_counted_one_by_one():
    x, y = drawn(30, 5), drawn(30, 4, seed=1)
    near = [torch.cdist(z, z).fill_diagonal_(math.inf).argsort(1)[:, :6].tolist() for z in (x, y)]
    shared = sum(len({*a} & {*b}) for a, b in zip(*near, strict=True))
    assert neighbor_overlap(x, y, 6, "euclidean").item() == pytest.approx(shared / (6 * 30))


def test_permutations_that_swap_equal_samples_reach_the_value():
    """Two classes of four: 2 · 4! · 4! of 8! orders change nothing, whatever rounding says."""
    x = drawn(2, 3)[torch.tensor([0] * 4 + [1] * 4)]
    found = cka_with_null(x, x @ drawn(3, 5, seed=1), 2000, torch.Generator().manual_seed(1))
    exact = int((found.permuted > 0.99).sum())
    assert exact > 20 and found.p_value == (1 + exact) / 2001
    assert found.value <= 1.0 and found.permuted.max() <= 1.0


def test_a_value_that_is_none_has_no_p_value():
    assert math.isnan(Null(math.nan, torch.zeros(9)).p_value)
    assert math.isnan(Null(0.5, torch.tensor([0.1, math.nan])).p_value)
    assert Null(0.5, torch.tensor([0.1, 0.6, 0.5 - 1e-9])).p_value == 0.75


@pytest.mark.parametrize("seed", range(5))
def test_cka_is_never_above_one(seed):
    x = drawn(9, 4, seed=seed)
    assert cka(x, 3.3 * x + 1).item() <= 1.0 and cka(x, 0.7 * x, unbiased=False).item() <= 1.0
