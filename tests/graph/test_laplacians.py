"""Degrees, normalisation and Laplacians against loops and scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from lggkit.graph import degree, laplacian, laplacian_power_product, normalize_adjacency, rbf_similarity
from lggkit.graph.laplacians import normalized_weights


def random_graph(seed=0, n=6, batch=(), density=0.6):
    generator = torch.Generator().manual_seed(seed)
    a = torch.rand(*batch, n, n, generator=generator, dtype=torch.float64)
    a = (a * (a < density)).triu(1)
    return a + a.mT


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("density", [0.1, 0.6, 1.0])
def test_the_laplacian_is_scipys_with_isolated_vertices_too(normalized, density):
    a = random_graph(1, 9, density=density)
    expected = csgraph.laplacian(a.numpy(), normed=normalized)
    np.testing.assert_allclose(laplacian(a, normalized).numpy(), expected, atol=1e-12)


def test_the_normalised_adjacency_by_loops():
    a, d = random_graph(), degree(random_graph())
    expected = [[(a[i, j] / (d[i] * d[j]).sqrt()).item() for j in range(6)] for i in range(6)]
    torch.testing.assert_close(normalize_adjacency(a), torch.tensor(expected, dtype=torch.float64))


def test_normalisation_forgets_the_scale():
    a = random_graph()
    torch.testing.assert_close(normalize_adjacency(1e-3 * a), normalize_adjacency(a))


def test_an_isolated_vertex_has_a_zero_row_and_finite_gradients():
    a = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    for result in (normalize_adjacency(a), laplacian(a, True), laplacian(a)):
        assert (result[2] == 0).all() and (result[:, 2] == 0).all()
        (result * torch.arange(9.0).reshape(3, 3)).sum().backward()
        assert a.grad.isfinite().all()


@pytest.mark.parametrize("far", [5.0, 20.0, 21.0, 22.0, 25.0, 27.0, 29.0, 40.0])
def test_the_gradient_is_finite_however_far_an_outlier_is(far):
    """On its way to 0 the degree passes through numbers whose power -3/2 float32 does not hold."""
    x = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
    x[0] = torch.tensor([far, 0.0])
    extremes = []
    for points in (x.requires_grad_(), x.detach().double().requires_grad_()):
        a = normalize_adjacency(rbf_similarity(points, 2.0) * (1 - torch.eye(16)))
        a.square().sum().backward()
        extremes.append((a[0].abs().max(), points.grad.float()))
    (weight, gradient), (_, exact) = extremes
    assert gradient.isfinite().all()
    assert weight > 0 or far > 21
    assert weight == 0 or far < 27
    if weight > 0:
        torch.testing.assert_close(gradient, exact, rtol=1e-3, atol=1e-5)


def test_a_negative_degree_counts_as_isolated_where_negatives_are_kept():
    a = torch.tensor([[0.0, -1.0, 0.5], [-1.0, 0.0, 2.0], [0.5, 2.0, 0.0]])
    result = normalized_weights(a)
    assert result.isfinite().all() and (result[0] == 0).all() and result[1, 2] > 0


def test_nan_reaches_whom_it_is_joined_to():
    a = torch.ones(4, 4) - torch.eye(4)
    a[0, 1] = a[1, 0] = torch.nan
    result = normalize_adjacency(a)
    assert result[:2].isnan().all() and result[2:, :2].isnan().all() and result[2, 3].isfinite()


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("power", [0, 1, 2, 3, 5])
def test_powers_are_applied_as_if_the_matrix_were_formed(normalized, power):
    a, signal = random_graph(batch=(2,)), torch.rand(2, 6, 3, dtype=torch.float64)
    expected = torch.linalg.matrix_power(laplacian(a, normalized), power) @ signal
    torch.testing.assert_close(laplacian_power_product(a, signal, power, normalized), expected)


def test_leading_dimensions_broadcast():
    a, signal = random_graph(batch=(2, 1)), torch.rand(3, 6, 2, dtype=torch.float64)
    result = laplacian_power_product(a, signal, 2)
    torch.testing.assert_close(result[1, 2], laplacian_power_product(a[1, 0], signal[2], 2))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7), st.floats(0.05, 1), st.booleans())
def test_the_laplacian_is_positive_semidefinite(seed, n, density, normalized):
    eigenvalues = torch.linalg.eigvalsh(laplacian(random_graph(seed, n, density=density), normalized))
    assert eigenvalues.min() > -1e-12
    assert not normalized or eigenvalues.max() < 2 + 1e-12


@pytest.mark.parametrize("normalized", [False, True])
def test_gradients_of_a_power(normalized):
    a = random_graph(2, 4).requires_grad_()
    signal = torch.rand(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, s: laplacian_power_product(a, s, 2, normalized), (a, signal))


def test_half_precision_and_masks_become_float32():
    assert degree(torch.ones(3, 3, dtype=torch.bool)).tolist() == [3, 3, 3]
    a = torch.full((2000, 2000), 1.0, dtype=torch.float16)
    assert degree(a).dtype == torch.float32 and degree(a)[0] == 2000
    with torch.autocast("cpu", torch.bfloat16):
        b = random_graph().float()
        result = laplacian_power_product(b, torch.rand(6, 2), 2)
    assert result.dtype == torch.float32


@pytest.mark.parametrize(
    ("signal", "power", "message"),
    [
        (torch.rand(5), 1, r"shape \(\.\.\., 6, s\), got \(5,\)"),
        (torch.rand(5, 1), 1, "6 vertices"),
        (torch.rand(6, 1), -1, "at least 0, got -1"),
    ],
)
def test_wrong_arguments_are_named(signal, power, message):
    with pytest.raises(ValueError, match=message):
        laplacian_power_product(random_graph(), signal, power)


def test_an_edge_too_weak_for_the_type_isolates_everywhere_alike():
    from lggkit.graph import label_variation, laplacian_eigenmaps

    a = torch.zeros(4, 4)
    a[0, 1] = a[1, 0] = 1e-30
    a[2, 3] = a[3, 2] = 1.0
    assert not laplacian(a, normalized=True)[:2].any()
    assert label_variation(a, torch.tensor([0, 1, 0, 0]), normalized_laplacian=True) == 0
    assert not laplacian_eigenmaps(a, 1)[:2].any() and laplacian_eigenmaps(a, 1)[2:].any()
    product = laplacian_power_product(a, torch.ones(4, 1), 1, normalized=True)
    assert not product[:2].any()
