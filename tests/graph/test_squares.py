"""Distances of near pairs beside outliers, far clusters and far origins, against differences in float64."""

import pytest
import torch
from scipy.spatial.distance import cdist

from lggkit.graph import (
    knn_graph,
    latent_geometry_graph,
    median_bandwidth,
    pairwise_distance,
    rbf_similarity,
)

SIZES = [(30, 5), (64, 700)]  # few enough for differences, and too many


def outlier(size):
    def place(x):
        return torch.cat((x[:1] + size, x[1:]))

    return place


def two_clusters(x):
    return 1e-3 * x + 1e3 * (torch.arange(len(x)) % 2).unsqueeze(-1)


def one_pair(x):
    return torch.cat((x[:-1], x[:1] + 1e-5 * x[-1:]))


PLACES = {
    "ordinary": lambda x: x,
    **{f"outlier at {size:.0e}": outlier(size) for size in (1e4, 1e5, 1e6, 1e8, 1e25)},
    "two clusters": two_clusters,
    "one near pair": one_pair,
    "far from the origin": lambda x: x + 1e6,
    "tiny": lambda x: 1e-30 * x,
    "huge": lambda x: 1e30 * x,
    "coinciding": lambda x: x[torch.arange(len(x)) // 2],
}
every = pytest.mark.parametrize("place", PLACES)
sizes = pytest.mark.parametrize("size", SIZES)


def points(place, size, dtype=torch.float32):
    x = torch.randn(size, generator=torch.Generator().manual_seed(0))
    return PLACES[place](x).to(dtype)


def distances(x):
    return torch.from_numpy(cdist(x.double().numpy(), x.double().numpy()))


def slope(x, weight):
    """The derivative of the weighted sum of distances, by differences in float64."""
    x = x.double()
    apart = x.unsqueeze(1) - x
    length = apart.norm(dim=-1, keepdim=True)
    unit = torch.where(length > 0, apart / length.clamp(min=1e-300), 0.0)
    return ((weight + weight.T).unsqueeze(-1) * unit).sum(1)


@every
@sizes
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_every_distance_is_right(place, size, dtype):
    x = points(place, size, dtype)
    tolerance = {"rtol": 1e-9 if dtype == torch.float64 else 2e-5, "atol": 0}
    torch.testing.assert_close(pairwise_distance(x).double(), distances(x), **tolerance)
    if place != "huge" and "25" not in place:
        squares = pairwise_distance(x, squared=True).double()
        torch.testing.assert_close(squares, distances(x) ** 2, rtol=1e-4, atol=1e-45)


@every
@sizes
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_gradient_is_right(place, size, dtype):
    x = points(place, size, dtype).requires_grad_()
    weight = torch.rand(len(x), len(x), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (pairwise_distance(x) * weight).sum().backward()
    exact = slope(x.detach(), weight)
    torch.testing.assert_close(x.grad.double(), exact, rtol=1e-4, atol=1e-4 * exact.abs().max().item())


@every
def test_several_graphs_at_once_are_each_alone(place):
    x = torch.stack([points(place, SIZES[0]), torch.rand(SIZES[0])])
    together, expected = pairwise_distance(x).double(), torch.stack([distances(y) for y in x])
    torch.testing.assert_close(together, expected, rtol=2e-5, atol=0)


@pytest.mark.parametrize("place", ["outlier at 1e+04", "outlier at 1e+08", "far from the origin", "tiny"])
@sizes
def test_nothing_has_to_be_looked_at(place, size):
    """Under vmap and compiled, the same to the digits of float32."""
    x = points(place, size)
    mapped = torch.vmap(pairwise_distance)(x.unsqueeze(0))[0]
    compiled = torch.compile(pairwise_distance, backend="eager", fullgraph=True)(x)
    for each in (mapped, compiled):
        torch.testing.assert_close(each.double(), distances(x), rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_second_derivatives_also_of_near_pairs(dtype):
    x = torch.randn(40, 700, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[1] = x[0] + 1e-4 * x[2]
    weight = torch.rand(40, 40, dtype=torch.float64)

    def twice(x, distance):
        x = x.clone().requires_grad_()
        (first,) = torch.autograd.grad((distance(x) * weight).sum(), x, create_graph=True)
        return torch.autograd.grad(first.square().sum(), x)[0].double()

    def by_differences(x):
        return (x.unsqueeze(1) - x).square().sum(-1)

    slopes = twice(x.to(dtype), lambda x: pairwise_distance(x, squared=True))
    torch.testing.assert_close(slopes, twice(x, by_differences), rtol=1e-3, atol=1e-2)


@every
@sizes
def test_widths_kernels_and_neighbours_are_right(place, size):
    x = points(place, size)
    exact, off = distances(x), ~torch.eye(len(x), dtype=torch.bool)
    width = torch.quantile(exact[exact > 0], 0.5)
    assert median_bandwidth(x).item() == pytest.approx(width.item(), rel=1e-5)
    weights = torch.exp(-exact.square() / (2 * width**2)).float()
    torch.testing.assert_close(rbf_similarity(x), weights, rtol=1e-3, atol=1e-6)
    narrow = exact[off & (exact > 0)].reshape(-1).quantile(0.1).item()
    expected = torch.exp(-(exact.square() / (2 * narrow**2))).float()
    torch.testing.assert_close(rbf_similarity(x, narrow), expected, rtol=1e-3, atol=1e-6)


@every
@sizes
def test_neighbours_are_the_nearest(place, size):
    x = points(place, size)
    exact = distances(x).fill_diagonal_(torch.inf)
    nearest = exact.topk(3, largest=False).values.sum(1)
    width = nearest.median().item()
    dense = latent_geometry_graph(x, 3, "rbf", width, symmetrization=None, normalized=False)
    blocks = knn_graph(x, 3, "rbf", width, symmetrization="and", normalized=False, block=7).to_dense()
    # By their distances, for equals to rounding are as good; an outlier's similarities are 0, no edges.
    chosen, joined = dense > 0, (dense > 0) & (dense > 0).T
    whole = chosen.sum(1) == 3
    assert whole.sum() >= len(x) - 2
    sums = torch.where(chosen, exact, 0.0).sum(1)
    torch.testing.assert_close(sums[whole], nearest[whole], rtol=1e-4, atol=0)
    assert ((blocks > 0) != joined).sum() <= 0.05 * joined.sum()


def test_one_outlier_leaves_the_neighbours_and_the_width_of_all_others():
    x = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
    plain = knn_graph(x[1:], 5, "rbf", 5.0, symmetrization="or", normalized=False).to_dense()
    width = median_bandwidth(x[1:]).item()
    for far in (1e4, 1e5, 1e8, 1e20):
        moved = outlier(far)(x)
        for graph in (
            latent_geometry_graph(moved, 5, "rbf", 5.0, normalized=False),
            knn_graph(moved, 5, "rbf", 5.0, normalized=False, block=7).to_dense(),
        ):
            torch.testing.assert_close(graph[1:, 1:], plain, rtol=1e-5, atol=1e-7)
        assert median_bandwidth(moved).item() == pytest.approx(width, rel=0.05)
