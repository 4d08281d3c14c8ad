"""Fiedler cuts: known graphs, the minimiser itself, and what negative edges do to the published rule."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from lggkit.graph import cut_accuracy, fiedler_cut, fiedler_vector


def path(n):
    a = torch.zeros(n, n, dtype=torch.float64)
    a[range(n - 1), range(1, n)] = 1
    return a + a.T


def signed(seed, n=7, low=-1.0):
    a = torch.empty(n, n, dtype=torch.float64).uniform_(low, 1, generator=torch.Generator().manual_seed(seed))
    return (a + a.T) / 2


def blocks(within, between, size=5):
    side = torch.arange(2 * size) < size
    return torch.where(side[:, None] == side[None], within, between).double(), side


@pytest.mark.parametrize("n", [2, 5, 9])
@pytest.mark.parametrize("rule", ["corrected", "as_published"])
def test_paths_and_complete_graphs_have_known_values(n, rule):
    value, vector = fiedler_vector(path(n), rule)
    assert value.item() == pytest.approx(2 - 2 * math.cos(math.pi / n), abs=1e-12)
    assert (vector.diff().sign() == vector.diff().sign()[0]).all()
    assert fiedler_vector(torch.ones(n, n).double(), rule)[0].item() == pytest.approx(n)


def test_a_barbell_is_cut_at_its_bridge():
    a = torch.block_diag(torch.ones(4, 4), torch.ones(6, 6)).double()
    a[3, 4] = a[4, 3] = 1
    for rule in ("corrected", "as_published"):
        assert cut_accuracy(fiedler_cut(a, rule), torch.arange(10) < 4) == 1


@pytest.mark.parametrize(("within", "between"), [(0.8, 0.3), (0.8, 0.0), (0.2, -0.3), (0.0, -0.1)])
def test_two_blocks_are_cut_whatever_the_sign_between_them(within, between):
    a, side = blocks(within, between)
    value, vector = fiedler_vector(a)
    assert value.item() == pytest.approx(2 * 5 * between)
    assert cut_accuracy(vector >= 0, side) == 1
    torch.testing.assert_close(vector.abs(), torch.full_like(vector, 10**-0.5))


def test_the_published_rule_misses_blocks_that_are_anticorrelated():
    """It returns the constant vector: categories are held farthest apart, and the cut is none."""
    a, side = blocks(0.8, -0.3)
    _, vector = fiedler_vector(a, "as_published")
    torch.testing.assert_close(vector, torch.full_like(vector, 10**-0.5))
    assert cut_accuracy(vector >= 0, side) == 0.5


@given(st.integers(0, 10_000), st.integers(3, 9))
def test_the_correction_is_the_shift_that_makes_all_weights_positive(seed, n):
    a = signed(seed, n)
    value, vector = fiedler_vector(a)
    shifted, other = fiedler_vector((1 + a) / 2, "as_published")
    assert shifted.item() == pytest.approx((n + value.item()) / 2, abs=1e-9)
    values = torch.linalg.eigvalsh(torch.diag(a.sum(1)) - a)
    if values.diff().min() > 1e-3:
        torch.testing.assert_close(vector.abs(), other.abs(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_no_unit_vector_orthogonal_to_the_constant_has_a_lower_variation(seed):
    a = signed(seed, 6).fill_diagonal_(0)
    laplacian = (torch.diag(a.sum(1)) - a).numpy()

    def variation(v):
        v = v - v.mean()
        return v @ laplacian @ v / (v @ v)

    starts = np.random.default_rng(seed).normal(size=(5, 6))
    lowest = min(minimize(variation, start).fun for start in starts)
    assert fiedler_vector(a)[0].item() == pytest.approx(lowest, abs=1e-6)


def test_rules_agree_where_no_weight_is_negative_and_the_diagonal_is_nothing():
    a = signed(4, low=0.0)
    for got, other in zip(fiedler_vector(a), fiedler_vector(a, "as_published"), strict=True):
        torch.testing.assert_close(got, other)
    assert fiedler_vector(a.clone().fill_diagonal_(9))[0] == fiedler_vector(a)[0]


def test_graphs_in_front_are_apart_and_vertices_may_be_reordered():
    a, order = torch.stack([signed(1), signed(2)]), torch.randperm(7)
    value, vector = fiedler_vector(a)
    torch.testing.assert_close(vector[1], fiedler_vector(a[1])[1])
    moved = fiedler_vector(a[:, order][:, :, order])
    torch.testing.assert_close(moved[0], value)
    torch.testing.assert_close(moved[1], vector[:, order])


@pytest.mark.parametrize("unit", [1e-30, 1e-7, 1e30])
def test_a_cut_has_no_unit(unit):
    a, side = blocks(0.8, 0.1)
    value, vector = fiedler_vector(unit * a.float())
    assert value.item() == pytest.approx(unit, rel=1e-4) and cut_accuracy(vector >= 0, side) == 1
    assert abs(vector.sum()) < 1e-4 and abs(fiedler_vector(torch.zeros(4, 4))[1].sum()) < 1e-5


def test_gradients_are_right():
    assert torch.autograd.gradcheck(lambda a: fiedler_vector((a + a.T) / 2)[1], signed(3, 5).requires_grad_())


def test_accuracy_is_that_of_the_better_assignment():
    cut, labels = torch.tensor([True, True, True, False]), torch.tensor([False, False, False, True])
    assert cut_accuracy(cut, labels) == 1 == cut_accuracy(~cut, labels)
    cut = torch.tensor([True, True, False, False])
    assert cut_accuracy(cut, labels).item() == pytest.approx(5 / 6)
    assert cut_accuracy(cut, labels, balanced=False).item() == pytest.approx(3 / 4)
    assert cut_accuracy(cut, torch.zeros(4, dtype=torch.bool)) == 0.5
    every = torch.tensor(list(itertools.product([False, True], repeat=4)))
    assert (cut_accuracy(every, labels) >= 0.5).all() and cut_accuracy(every, labels).shape == (16,)


BAD = {
    "one vertex": (lambda: fiedler_vector(torch.ones(1, 1)), ValueError, "one vertex has no cut"),
    "no square": (lambda: fiedler_vector(torch.ones(2, 3)), ValueError, r"shape \(\.\.\., n, n\)"),
    "nan": (lambda: fiedler_vector(torch.full((3, 3), torch.nan)), ValueError, "not finite"),
    "one way": (lambda: fiedler_vector(torch.ones(3, 3).triu()), ValueError, "not symmetric: symm"),
    "rule": (lambda: fiedler_vector(torch.ones(3, 3), "third"), ValueError, "must be one of corrected"),
    "labels": (lambda: cut_accuracy(torch.ones(3) > 0, torch.ones(3)), TypeError, "labels is torch.float32"),
    "shapes": (
        lambda: cut_accuracy(torch.ones(3) > 0, torch.ones(4) > 0),
        ValueError,
        r"give \(\.\.\., n\)",
    ),
    "array": (lambda: fiedler_vector(np.ones((3, 3))), TypeError, "must be a tensor"),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()
