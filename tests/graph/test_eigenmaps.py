"""Laplacian eigenmaps against scikit-learn and the equation itself."""

import numpy as np
import pytest
import torch
from sklearn.manifold import SpectralEmbedding

from lggkit.graph import degree, laplacian, laplacian_eigenmaps, latent_geometry_graph


def dense_graph(n=9, seed=0, batch=()):
    x = torch.rand(*batch, n, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return latent_geometry_graph(x, k=4, normalized=False)


@pytest.mark.parametrize("seed", range(3))
def test_coordinates_are_scikit_learns_up_to_sign(seed):
    a = dense_graph(12, seed)
    expected = SpectralEmbedding(3, affinity="precomputed", random_state=0).fit_transform(a.numpy())
    ours = laplacian_eigenmaps(a, 3).numpy()
    signs = np.sign((ours * expected).sum(0))
    np.testing.assert_allclose(ours * signs, expected, atol=1e-6)


def test_coordinates_solve_the_generalised_eigenproblem():
    a = dense_graph(batch=(2,))
    y, d = laplacian_eigenmaps(a, 2), degree(a)
    gram = y.mT @ (d.unsqueeze(-1) * y)
    torch.testing.assert_close(gram, torch.eye(2, dtype=y.dtype).expand(2, 2, 2))
    quotient = (y * (laplacian(a) @ y)).sum(-2, keepdim=True)
    torch.testing.assert_close(laplacian(a) @ y, quotient * d.unsqueeze(-1) * y)
    assert (d.unsqueeze(-1) * y).sum(-2).abs().max() < 1e-12
    torch.testing.assert_close(y[1], laplacian_eigenmaps(a[1], 2))


def test_the_largest_entry_of_a_column_is_positive():
    y = laplacian_eigenmaps(dense_graph(), 4)
    largest = y.gather(0, y.abs().argmax(0, keepdim=True))
    assert (largest > 0).all()


def test_components_come_apart_and_an_isolated_vertex_stays_at_the_origin():
    a = torch.zeros(8, 8, dtype=torch.float64)
    a[:3, :3], a[3:7, 3:7] = dense_graph(3), dense_graph(4)
    y = laplacian_eigenmaps(a, 2)
    first, second = y[:3, 0], y[3:7, 0]
    assert first.std() < 1e-9 and second.std() < 1e-9 and (first[0] - second[0]).abs() > 0.1
    assert (y[7] == 0).all() and y.isfinite().all()


def test_a_graph_without_edges_is_one_point():
    assert (laplacian_eigenmaps(torch.zeros(4, 4), 3) == 0).all()


def test_dimensions_beyond_the_eigenvectors_are_zero():
    a = torch.zeros(4, 4)
    a[0, 1] = a[1, 0] = 1
    y = laplacian_eigenmaps(a, 3)
    assert y[:2, 0].abs().min() > 0.5 and y[:, 1:].abs().max() < 1e-6


def test_gradients_exist_where_eigenvalues_are_simple():
    a = dense_graph(6).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: laplacian_eigenmaps((a + a.T) / 2, 2).abs(), a)


@pytest.mark.parametrize("dim", [0, 4, 5])
def test_the_dimension_must_fit(dim):
    with pytest.raises(ValueError, match=f"dim must be .*got {dim}"):
        laplacian_eigenmaps(torch.ones(4, 4) - torch.eye(4), dim)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="not finite: look for NaN"):
        laplacian_eigenmaps(torch.full((4, 4), torch.nan))


def test_weights_of_one_way_are_refused():
    with pytest.raises(ValueError, match="not symmetric: symmetrize it"):
        laplacian_eigenmaps(torch.ones(4, 4).triu(1))
