"""Costs of pairs against SciPy's, near pairs and coinciding ones, and neurons of layers."""

import pytest
import torch
from scipy.spatial.distance import cdist

from lggkit.transport import cost_matrix, neurons

METRICS = ("euclidean", "sqeuclidean", "cosine")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_pair_costs_what_scipy_says(metric, dtype):
    x, y = torch.randn(7, 4, dtype=dtype), torch.randn(5, 4, dtype=dtype)
    found = cost_matrix(x, y, metric)
    expected = torch.from_numpy(cdist(x.double(), y.double(), metric))
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("metric", METRICS)
def test_leading_dimensions_are_independent(metric):
    x, y = torch.randn(3, 6, 4), torch.randn(3, 5, 4)
    expected = torch.stack([cost_matrix(a, b, metric) for a, b in zip(x, y, strict=True)])
    torch.testing.assert_close(cost_matrix(x, y, metric), expected)
    torch.testing.assert_close(torch.vmap(lambda a, b: cost_matrix(a, b, metric))(x, y), expected)


@pytest.mark.parametrize("metric", METRICS)
def test_gradients(metric):
    x, y = torch.randn(2, 4, 3, dtype=torch.float64).unbind()
    given = (x.clone().requires_grad_(), y.clone().requires_grad_())
    assert torch.autograd.gradcheck(lambda a, b: cost_matrix(a, b, metric), given)


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_near_pairs_keep_their_distance_in_single_precision(shift):
    x = torch.randn(6, 64) + shift
    y = x + 1e-3 * torch.randn(6, 64)
    expected = torch.from_numpy(cdist(x.double(), y.double()))
    torch.testing.assert_close(cost_matrix(x, y).double(), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "x", [torch.rand(5, 8), torch.zeros(5, 8), torch.ones(5, 8)], ids=["apart", "zero", "one"]
)
def test_coinciding_points_have_finite_gradients(metric, x):
    x = x.clone().requires_grad_()
    found = cost_matrix(x, x.detach().clone(), metric)
    (slope,) = torch.autograd.grad(found.diagonal().sum(), x)
    assert slope.isfinite().all() and slope.abs().max() < 1e-3
    if metric != "cosine":
        assert found.diagonal().max() == 0


def test_a_zero_vector_has_cosine_cost_one():
    assert (cost_matrix(torch.zeros(1, 3), torch.rand(4, 3), "cosine") == 1).all()


def test_half_precision_and_autocast():
    x, y = torch.rand(2, 6, 8).bfloat16().unbind()
    with torch.autocast("cpu", torch.bfloat16):
        found = cost_matrix(x, y)
    assert found.dtype == torch.float32 and torch.equal(found, cost_matrix(x.float(), y.float()))


def test_neurons_are_columns_of_activations_and_channels_of_maps():
    x = torch.rand(6, 3)
    for pool in ("mean", "positions"):
        assert torch.equal(neurons(x, pool), x.T)
    maps = torch.rand(6, 3, 2, 5)
    torch.testing.assert_close(neurons(maps), maps.mean((2, 3)).T)
    places = neurons(maps, "positions")
    assert places.shape == (3, 60)
    for channel in range(3):
        assert torch.equal(places[channel], maps[:, channel].flatten())
