"""Neighbours at a temperature beside enumerations of all sets: ties, cancellation, cold, two derivatives."""

from itertools import combinations

import pytest
import torch

from lggkit.graph import knn_marginals, two_sample_statistic, two_sample_test


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def grid(n, seed=0, side=3):
    """Points that tie: places of a square grid."""
    return torch.randint(side, (n, 2), generator=torch.Generator().manual_seed(seed)).float()


def enumerated(x, k, temperature=None):
    """The share of each vertex in all sets of k; without a temperature, in those of the least sum."""
    n, x = len(x), x.double()
    distance, expected = (x[:, None] - x).norm(dim=2), torch.zeros(len(x), len(x), dtype=torch.float64)
    for i in range(n):
        sets = list(combinations([j for j in range(n) if j != i], k))
        sums = torch.stack([distance[i, list(s)].sum() for s in sets])
        least = (sums < sums.min() + 1e-9).double()
        shares = least / least.sum() if temperature is None else (-sums / temperature).softmax(0)
        for s, share in zip(sets, shares, strict=True):
            expected[i, list(s)] += share
    return expected


@pytest.mark.parametrize("temperature", [3.0, 0.1, 1e-3, None])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_marginals_are_those_of_all_sets(k, temperature):
    for x in (drawn(7, 3), grid(7), grid(7) + 0.5, drawn(7, 3).float()):
        mu = knn_marginals(x, k, temperature)
        torch.testing.assert_close(mu.double(), enumerated(x, k, temperature), atol=3e-3, rtol=0)
        if x.dtype == torch.float64 or k > 1:
            torch.testing.assert_close(mu.double(), enumerated(x, k, temperature), atol=1e-6, rtol=0)


def test_tied_places_are_shared_also_among_many_points():
    x = grid(150, side=4) / 10
    order = torch.randperm(150, generator=torch.Generator().manual_seed(1))
    for k in (1, 3, 20):
        mu = knn_marginals(x, k, None)
        assert mu.sum(1).sub(k).abs().max() < 1e-4 and (mu.diagonal() == 0).all()
        torch.testing.assert_close(knn_marginals(x[order], k, None), mu[order][:, order])
        torch.testing.assert_close(mu, knn_marginals(x, k, 1e-5), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("n0", "n1"), [(40, 10), (10, 40)])
def test_points_that_tie_are_not_told_apart_by_their_sample(n0, n1):
    rejected = 0
    for seed in range(60):
        x = grid(n0 + n1, seed)
        source = torch.Generator().manual_seed(seed)
        test = two_sample_test(x[:n0], x[n0:], 3, permutations=39, generator=source)
        swapped = two_sample_statistic(x[n0:], x[:n0], 3, None).item()
        assert swapped == pytest.approx(test.statistic, abs=1e-4)
        rejected += test.p_value <= 0.1
    assert 1 <= rejected <= 13  # 6 of 60 are expected


def test_the_test_is_the_same_under_autocast():
    x, y = drawn(30, 3).float(), drawn(25, 3, seed=1).float()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = two_sample_test(x, y, 2, 0.3, 19, torch.Generator().manual_seed(0))
    plain = two_sample_test(x, y, 2, 0.3, 19, torch.Generator().manual_seed(0))
    torch.testing.assert_close(rounded.null, plain.null)
    assert rounded.statistic == plain.statistic


@pytest.mark.parametrize(("k", "temperature"), [(10, 0.1), (2, 1e-7), (3, 1e-12), (1, 1e-300), (3, 1e-300)])
def test_the_promise_holds_beside_near_doubles_and_in_the_cold(k, temperature):
    x = drawn(20, 500).float() * 60 + 128
    x = torch.cat((x, x + drawn(20, 500, seed=1).float() * 0.001)).requires_grad_()
    mu = knn_marginals(x, k, temperature)
    assert mu.min() >= 0 and mu.max() <= 1 and (mu.diagonal() == 0).all()
    torch.testing.assert_close(mu.sum(1), torch.full((40,), float(k)), atol=1e-4, rtol=0)
    assert (mu[range(40), [*range(20, 40), *range(20)]] == 1).all()
    mu.square().sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_two_derivatives_are_those_of_differences(k):
    x = drawn(5, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: knn_marginals(x, k, 0.5), x)
    assert torch.autograd.gradgradcheck(lambda x: knn_marginals(x, k, 0.5), x)


def test_second_derivatives_are_finite_where_neighbours_are_certain():
    x = drawn(8, 2).requires_grad_()
    (slope,) = torch.autograd.grad(knn_marginals(x, 3, 1e-3).square().sum(), x, create_graph=True)
    (bend,) = torch.autograd.grad(slope.square().sum(), x)
    assert slope.isfinite().all() and bend.isfinite().all()
