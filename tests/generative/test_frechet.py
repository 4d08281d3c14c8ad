"""The Fréchet distance of clouds: closed forms, SciPy's root of a matrix, ranks, bias, gradient."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from lggkit.generative import frechet_distance


def draws(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def oracle(x, y):
    """The formula as it is printed."""
    x, y = x.numpy(), y.numpy()
    a, b = np.cov(x.T), np.cov(y.T)
    crossed = sqrtm(a @ b).real
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * np.trace(crossed)


@pytest.mark.parametrize(("n", "m"), [(40, 40), (9, 30), (60, 8)])
def test_it_is_the_formula_with_scipys_root(n, m):
    x, y = draws(n, 6) @ draws(6, 6, seed=1), 2 + draws(m, 6, seed=2)
    assert frechet_distance(x, y).item() == pytest.approx(oracle(x, y), rel=1e-9)


@pytest.mark.parametrize("shape", [(50, 5), (4, 9), (2, 1)])
def test_a_cloud_is_at_no_distance_from_itself_and_from_its_shuffle(shape):
    x = draws(*shape)
    assert 0 <= frechet_distance(x, x).item() < 1e-12
    assert 0 <= frechet_distance(x, x.flip(0)).item() < 1e-12


def test_a_shift_counts_by_its_square_and_a_stretch_by_the_difference_of_deviations():
    x, shift = draws(30, 4), torch.tensor([3.0, 0.0, -4.0, 0.0], dtype=torch.float64)
    assert frechet_distance(x, x + shift).item() == pytest.approx(25)
    assert frechet_distance(x, x.mean(0) + 3 * (x - x.mean(0))).item() == pytest.approx(4 * x.var(0).sum())


def test_places_may_be_changed_and_axes_turned():
    x, y, turn = draws(20, 5), 1 + draws(33, 5, seed=1), torch.linalg.qr(draws(5, 5, seed=2)).Q
    value = frechet_distance(x, y).item()
    assert frechet_distance(y, x).item() == pytest.approx(value)
    assert frechet_distance(x @ turn, y @ turn).item() == pytest.approx(value)
    assert frechet_distance(3 * x, 3 * y).item() == pytest.approx(9 * value)


def test_covariances_of_any_rank_are_exact():
    """Two clouds on lines: the product of their deviations counts by the cosine of the lines."""
    t = draws(25, 1)
    line, other = torch.tensor([[1.0, 0, 0]]).double(), torch.tensor([[0.6, 0.8, 0]]).double()
    expected = t.mean() ** 2 * (line - other).square().sum() + t.var() * (2 - 2 * 0.6)
    assert frechet_distance(t @ line, t @ other).item() == pytest.approx(expected.item(), rel=1e-12)
    point = draws(1, 3, seed=3).expand(2, 3)
    spread = ((t @ line).mean(0) - point[0]).square().sum() + t.var()
    assert frechet_distance(t @ line, point).item() == pytest.approx(spread.item())


def test_two_draws_of_one_distribution_are_apart_by_what_is_stated():
    n, m, d = 400, 200, 8
    found = [frechet_distance(draws(n, d, seed=i), draws(m, d, seed=99 - i)).item() for i in range(20)]
    assert np.mean(found) == pytest.approx((1 / n + 1 / m) * d * (d + 5) / 4, rel=0.1)


def test_the_gradient_is_that_of_differences():
    x, y = draws(9, 3).requires_grad_(), (1 + draws(7, 3, seed=1)).requires_grad_()
    assert torch.autograd.gradcheck(frechet_distance, (x, y))


def test_single_precision_keeps_its_type_and_is_computed_in_double():
    x, y = draws(300, 5, dtype=torch.float32), 1000 + draws(200, 5, seed=1, dtype=torch.float32)
    found = frechet_distance(x, y)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(oracle(x.double(), y.double()), rel=1e-6)


@pytest.mark.parametrize(
    ("samples", "others", "said"),
    [
        (torch.rand(5), torch.rand(5, 2), r"samples have shape \(5,\)"),
        (torch.rand(5, 2), torch.rand(1, 2), "two samples or more"),
        (torch.rand(5, 2), torch.rand(5, 3), "2 features and others 3"),
        (torch.rand(5, 0), torch.rand(5, 0), r"give features \(n, d\)"),
        (torch.rand(5, 2) / 0, torch.rand(5, 2), "NaN or infinite"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(samples, others, said):
    with pytest.raises(ValueError, match=said):
        frechet_distance(samples, others)
