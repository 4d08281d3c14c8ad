"""Death times against ripser's, whatever the points: ties, duplicates, single points, all scales."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ripser import ripser
from scipy.sparse.csgraph import connected_components

from lggkit.topology import beta_connected, component_deaths, spanning_tree
from lggkit.topology.deaths import _tree_of_arrays, _tree_of_tensors

COORDINATES = st.one_of(st.integers(-3, 3), st.floats(-100, 100, width=16))


@st.composite
def point_sets(draw, smallest=1):
    """From one point on, on a small grid (many ties and duplicates) or anywhere."""
    n, d = draw(st.integers(smallest, 12)), draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(COORDINATES, min_size=d, max_size=d), min_size=n, max_size=n))
    return torch.tensor(rows, dtype=torch.float64)


def by_ripser(x):
    """Finite deaths of degree zero, ascending, in float32; ripser leaves out those at 0."""
    distances = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    bars = ripser(distances, maxdim=0, distance_matrix=True)["dgms"][0]
    assert (bars[:, 0] == 0).all() and np.isinf(bars[:, 1]).sum() == 1
    return np.sort(np.append(np.zeros(len(x) - len(bars)), bars[np.isfinite(bars[:, 1]), 1]))


@settings(deadline=None, max_examples=60)
@given(point_sets())
def test_deaths_are_ripsers(x):
    ours, theirs = component_deaths(x).numpy(), by_ripser(x)
    assert ours.shape == theirs.shape == (len(x) - 1,)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_sets_at_once_are_each_ripsers(dtype):
    x = torch.randn(4, 30, 6, generator=torch.Generator().manual_seed(0)).to(dtype)
    for ours, one in zip(component_deaths(x), x, strict=True):
        np.testing.assert_allclose(ours.double(), by_ripser(one.double()), rtol=1e-5)


@settings(deadline=None, max_examples=40)
@given(point_sets(), st.data())
def test_neither_order_nor_shift_nor_sign_matters(x, data):
    order = torch.tensor(data.draw(st.permutations(range(len(x)))))
    scale = x.abs().max().clamp(min=1)
    moved = component_deaths(3 - x[order])
    torch.testing.assert_close(moved, component_deaths(x), rtol=1e-6, atol=1e-6 * scale.item())


@settings(deadline=None, max_examples=40)
@given(point_sets(), st.data())
def test_a_repeated_point_adds_a_death_at_zero(x, data):
    again = torch.cat([x, x[data.draw(st.integers(0, len(x) - 1))][None]])
    before, after = component_deaths(x), component_deaths(again)
    assert after[0] == 0
    torch.testing.assert_close(after[1:], before)


@settings(deadline=None, max_examples=40)
@given(point_sets())
def test_gradients_are_finite_at_ties_and_duplicates(x):
    x = torch.cat([x, x[:1]]).requires_grad_()
    component_deaths(x).sum().backward()
    assert x.grad.isfinite().all() and x.grad.sum(0).abs().max() < 1e-9


@settings(deadline=None, max_examples=40)
@given(point_sets(2), st.floats(0.5, 50))
def test_connected_means_one_component_of_the_neighbourhood_graph(x, beta):
    graph = (torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist") < beta).numpy()
    assert bool(beta_connected(x, beta)) == (connected_components(graph)[0] == 1)


@settings(deadline=None, max_examples=40)
@given(point_sets())
def test_trees_span_even_where_all_distances_are_equal(x):
    for distances in (torch.cdist(x, x), torch.ones(len(x), len(x), dtype=torch.float64)):
        heads, tails = spanning_tree(distances[None])
        edges = torch.zeros(len(x), len(x))
        edges[heads[0], tails[0]] = 1
        assert connected_components(edges.numpy())[0] == 1 and len(heads[0]) == len(x) - 1


@settings(deadline=None, max_examples=40)
@given(point_sets())
def test_trees_of_arrays_and_of_tensors_are_one(x):
    distances = torch.cdist(x, x)[None]
    for ours, theirs in zip(_tree_of_arrays(distances), _tree_of_tensors(distances), strict=True):
        assert torch.equal(ours, theirs)


def test_points_as_far_apart_as_the_type_allows_have_a_tree():
    x = torch.tensor([[0.0], [3e38], [-3e38], [1.0]])
    assert component_deaths(x)[0] == 1 and beta_connected(x[[0, 3]], 2.0)


def test_sets_of_one_point_die_never():
    x = torch.randn(3, 2, 1, 5, requires_grad=True)
    assert component_deaths(x).shape == (3, 2, 0)
    assert beta_connected(x, 1e-6).all()
    component_deaths(x).sum().backward()
    assert (x.grad == 0).all()
