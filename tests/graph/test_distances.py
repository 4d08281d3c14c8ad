"""Distances against scipy, coinciding points, the median heuristic."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, pdist

from lggkit.graph import median_bandwidth, pairwise_distance


@pytest.mark.parametrize("squared", [False, True])
def test_distances_are_scipys_also_far_from_the_origin(squared):
    x = torch.rand(6, 4)
    expected = torch.from_numpy(cdist(x, x, "sqeuclidean" if squared else "euclidean")).float()
    torch.testing.assert_close(pairwise_distance(x, squared), expected, atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(pairwise_distance(x + 100, squared), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("squared", [False, True])
def test_distance_gradients(squared):
    x = torch.rand(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: pairwise_distance(x, squared), x)


@pytest.mark.parametrize("d", [3, 700])
def test_coinciding_points_have_distance_zero_and_no_gradient_between_them(d):
    x = torch.rand(9, d)[torch.tensor([0, 1, 2, 0, 1, 2, 2])].requires_grad_()
    distance = pairwise_distance(x)
    pairs = ((0, 3), (1, 4), (2, 5), (2, 6), (5, 6))
    assert all(distance[i, j] == 0 for i, j in pairs)
    assert (distance[0, 1:3] > 0.1).all()
    sum(distance[i, j] for i, j in pairs).backward()
    assert (x.grad == 0).all()
    x.grad = None
    pairwise_distance(x).sum().backward()
    assert x.grad.isfinite().all()


def test_points_closer_than_rounding_tells_apart_have_their_distance():
    x = torch.rand(40, 50)
    x = torch.cat((x, x + 1e-6 * torch.rand(40, 50)))
    expected = torch.from_numpy(cdist(x.double().numpy(), x.double().numpy())).float()
    torch.testing.assert_close(pairwise_distance(x), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("n", [5, 6])  # 10 and 15 pairs: a mean of two middle distances, and one
def test_the_median_counts_pairs_that_do_not_coincide(n):
    x = torch.rand(3, n, 4)
    for graph, width in zip(x, median_bandwidth(x), strict=True):
        assert width.item() == pytest.approx(np.median(pdist(graph)), rel=1e-5)
    # Three copies of each point: every distance nine times, and zeros that do not count.
    torch.testing.assert_close(median_bandwidth(x.repeat(1, 3, 1)), median_bandwidth(x))


def test_the_median_of_nothing_is_one():
    assert median_bandwidth(torch.ones(1, 2)) == 1
    assert median_bandwidth(torch.ones(5, 2)) == 1


def test_the_median_carries_no_gradient():
    assert not median_bandwidth(torch.rand(4, 2, requires_grad=True)).requires_grad


@pytest.mark.parametrize("size", [(3, 2), (60, 400)])
def test_nan_makes_its_row_and_column_nan_and_no_other(size):
    x = torch.rand(size)
    x[1, 0] = torch.nan
    distance = pairwise_distance(x)
    assert distance[1].isnan().all() and distance[:, 1].isnan().all()
    rest = torch.arange(len(x)) != 1
    torch.testing.assert_close(distance[rest][:, rest], pairwise_distance(x[rest]))
