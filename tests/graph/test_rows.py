"""Blocks of rows against the dense graph: at every scale, with every width and norm."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.graph import knn_graph, latent_geometry_graph


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 20),
    k=st.integers(1, 6),
    scale=st.floats(-30, 30).map(lambda e: 10.0**e),
    relative=st.sampled_from([0.3, 1.0, 3.0, 1e20]),
    kind=st.sampled_from(["cosine", "rbf"]),
    mode=st.sampled_from(["or", "and", "mean"]),
    normalized=st.booleans(),
    place=st.sampled_from(["plain", "outlier", "clusters", "equal"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    block=st.integers(1, 21),
)
def test_blocks_and_the_dense_graph_agree_at_every_scale(
    seed, n, k, scale, relative, kind, mode, normalized, place, dtype, block
):
    x = torch.randn(n, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    if place == "outlier":
        x[0] *= 1e6
    if place == "clusters":
        x = 1e-4 * x + (torch.arange(n) % 2).unsqueeze(-1)
    x = (torch.zeros(n, 40) if place == "equal" else scale * x).to(dtype)
    width = min(relative * scale, 1e37) if kind == "rbf" else None
    expected = latent_geometry_graph(x, k, kind, width, mode, normalized)
    by_blocks = knn_graph(x, k, kind, width, mode, normalized, block).to_dense()
    assert expected.isfinite().all()
    if k >= n - 1:  # else a neighbour may be chosen among equals to rounding
        torch.testing.assert_close(by_blocks, expected, rtol=2e-3, atol=1e-4)
    elif place == "plain" and relative <= 3:  # elsewhere many are equal to rounding
        torch.testing.assert_close(by_blocks.sum(), expected.sum(), rtol=0.05, atol=0.05)


def test_zero_points_are_alike_however_narrow_the_kernel():
    for width in (1e-24, 1e-34, 1e-300, 1e30):
        graph = knn_graph(torch.zeros(3, 1), 2, "rbf", width, normalized=False).to_dense()
        assert torch.equal(graph, 1 - torch.eye(3))
        assert torch.equal(latent_geometry_graph(torch.zeros(3, 1), 2, "rbf", width, normalized=False), graph)


@pytest.mark.parametrize("size", [1e19, 1e25, 1e37])
def test_cosines_of_long_vectors_are_those_of_short_ones(size):
    x = torch.rand(12, 7, generator=torch.Generator().manual_seed(0), requires_grad=True)
    expected = latent_geometry_graph(x, 3)
    (usual,) = torch.autograd.grad((expected * torch.arange(12.0)).sum(), x)
    long = (size * x.detach()).requires_grad_()
    adjacency = latent_geometry_graph(long, 3)
    (own,) = torch.autograd.grad((adjacency * torch.arange(12.0)).sum(), long)
    torch.testing.assert_close(adjacency, expected)
    torch.testing.assert_close(own.double() * size, usual.double(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(knn_graph(long.detach(), 3, block=5).to_dense(), expected.detach())


def test_points_closer_than_rounding_keep_their_distance():
    x = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [1.0001, 0.0]])
    graph = knn_graph(x, 1, "rbf", 1e-4, normalized=False)
    expected = latent_geometry_graph(x, 1, "rbf", 1e-4, normalized=False)
    torch.testing.assert_close(graph.to_dense(), expected, rtol=1e-6, atol=0)
    assert graph.to_dense()[1, 2].item() == pytest.approx(math.exp(-0.5), rel=1e-3)
