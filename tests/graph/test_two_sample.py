"""The smoothed k-NN statistic beside enumerations, its hard form, and what it must not depend on."""

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.graph import (
    crossing_weight,
    knn_marginals,
    knn_mask,
    pairwise_distance,
    relabelling_moments,
    two_sample_statistic,
    two_sample_test,
)


def points(n, d=3, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def enumerated(mu, n0):
    """The statistic of every labelling, by a double loop over pairs."""
    n, values = len(mu), []
    for chosen in combinations(range(n), n0):
        crossing = [(i, j) for i in range(n) for j in range(n) if (i in chosen) != (j in chosen)]
        values.append(sum(mu[i, j] for i, j in crossing))
    return torch.stack(values)


@pytest.mark.parametrize("temperature", [0.1, 1.0, None])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_moments_are_those_of_all_labellings(k, temperature):
    for n0, n1 in ((1, 3), (2, 5), (3, 5), (4, 4), (5, 4)):
        mu = knn_marginals(points(n0 + n1), k, temperature)
        values = enumerated(mu, n0)
        mean, variance = relabelling_moments(mu, n0)
        assert mean.item() == pytest.approx(values.mean().item(), abs=1e-10)
        assert variance.item() == pytest.approx(values.var(correction=0).item(), abs=1e-10)


def test_moments_hold_for_any_weights():
    mu = torch.rand(7, 7, dtype=torch.float64).fill_diagonal_(0)
    mean, variance = relabelling_moments(mu, 3)
    values = enumerated(mu, 3)
    assert mean.item() == pytest.approx(values.mean().item())
    assert variance.item() == pytest.approx(values.var(correction=0).item())


@pytest.mark.parametrize("k", [1, 2, 4])
def test_marginals_are_those_of_all_sets(k):
    x, n = points(6), 6
    distance, expected = torch.cdist(x, x), torch.zeros(6, 6, dtype=torch.float64)
    for i in range(n):
        sets = list(combinations([j for j in range(n) if j != i], k))
        weights = torch.stack([(-distance[i, list(s)].sum() / 0.7).exp() for s in sets])
        for s, weight in zip(sets, weights / weights.sum(), strict=True):
            expected[i, list(s)] += weight
    torch.testing.assert_close(knn_marginals(x, k, 0.7), expected)


@pytest.mark.parametrize("k", [1, 3])
def test_cold_marginals_are_hard_and_hot_ones_uniform(k):
    x = points(9)
    hard = knn_mask(-pairwise_distance(x), k).double()
    torch.testing.assert_close(knn_marginals(x, k, 1e-4), hard, atol=1e-6, rtol=0)
    torch.testing.assert_close(knn_marginals(x, k, None), hard)
    uniform = torch.full((9, 9), k / 8, dtype=torch.float64).fill_diagonal_(0)
    torch.testing.assert_close(knn_marginals(x, k, 1e9), uniform)


@given(st.integers(4, 12), st.integers(1, 3), st.integers(0, 99), st.sampled_from(("none", "median")))
@settings(max_examples=25, deadline=None)
def test_rows_sum_to_k_and_gradients_are_finite(n, k, seed, scale):
    x = points(n, seed=seed).float().requires_grad_()
    mu = knn_marginals(x, k, 0.1, scale)
    torch.testing.assert_close(mu.sum(1), torch.full((n,), float(k)), atol=1e-4, rtol=0)
    assert (mu.diagonal() == 0).all()
    mu.square().sum().backward()
    assert x.grad.isfinite().all()


def test_the_gradient_is_that_of_differences():
    x, y = points(4), points(5, seed=1).requires_grad_()
    for k in (1, 2):
        assert torch.autograd.gradcheck(lambda y, k=k: two_sample_statistic(x, y, k, 0.5), y)


def test_the_statistic_ignores_order_sides_and_motions():
    x, y = points(6), points(5, seed=1)
    turned = torch.linalg.qr(points(3, seed=2)).Q
    t = two_sample_statistic(x, y)
    same = [(x.flip(0), y), (x, y.flip(0)), (y, x), (x @ turned + 3, y @ turned + 3)]
    for pair in same:
        torch.testing.assert_close(two_sample_statistic(*pair), t)
    torch.testing.assert_close(two_sample_statistic(2 * x, 2 * y, temperature=0.2), t)
    for scale in ("median",):
        own = two_sample_statistic(x, y, scale=scale)
        torch.testing.assert_close(two_sample_statistic(9 * x, 9 * y, scale=scale), own)


def test_leading_dimensions_are_tests_of_their_own():
    x, y = points(12).view(2, 6, 3), points(10, seed=1).view(2, 5, 3)
    each = torch.stack([two_sample_statistic(a, b, 2) for a, b in zip(x, y, strict=True)])
    torch.testing.assert_close(two_sample_statistic(x, y, 2), each)


def test_hard_statistics_of_known_answers():
    apart = torch.cat((points(4), points(4, seed=1) + 100))
    assert crossing_weight(knn_marginals(apart, 1, None), 4) == 0
    line = torch.cat((torch.arange(0.0, 8, 2), torch.arange(1.0, 8, 2)))[:, None]
    assert crossing_weight(knn_marginals(line, 1, None), 4) == 8


def test_one_weight_for_all_pairs_has_no_variance_and_a_finite_statistic():
    x, y = points(4), points(4, seed=1)
    mu = knn_marginals(torch.cat((x, y)), 1, 1e12)
    assert relabelling_moments(mu, 4)[1] < 1e-10
    assert two_sample_statistic(x, y, temperature=1e12).abs() < 0.1


def test_under_the_null_t_is_standard_and_a_shift_lowers_it():
    x = torch.randn(2, 400, 20, 4, generator=torch.Generator().manual_seed(0))
    t = two_sample_statistic(x[0], x[1])
    assert abs(t.mean()) < 0.2 and abs(t.std() - 1) < 0.15
    shifted = [two_sample_statistic(x[0], x[1] + s).mean() for s in (0.0, 1.0, 2.0)]
    assert shifted == sorted(shifted, reverse=True)


def test_a_test_of_permutations():
    source = torch.Generator().manual_seed(0)
    x, y = points(30).float(), points(25, seed=1).float()
    far, near = (two_sample_test(x, y + s, permutations=199, generator=source) for s in (3.0, 0.0))
    assert far.p_value == 1 / 200 and near.p_value > 0.02 and near.null.shape == (199,)
    assert abs(near.null.mean()) < 0.3 and abs(near.null.std() - 1) < 0.2
    assert far.statistic == pytest.approx(two_sample_statistic(x, y + 3.0, temperature=None).item(), abs=1e-4)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: two_sample_statistic(points(1), points(2)), "there are 3 vertices; give 4 or more"),
        (lambda: two_sample_statistic(points(3), points(3, 2)), "3 and 2 features"),
        (lambda: two_sample_statistic(points(3)[0], points(3)), "points as rows"),
        (lambda: two_sample_test(points(6)[None], points(6)), r"x0 has shape \(1, 6, .\); give one sample"),
        (lambda: two_sample_test(points(6), points(6)[0]), r"x1 has shape \(.,\); give one sample"),
        (lambda: knn_marginals(points(4), 4), "k is 4, but there are 4 vertices"),
        (lambda: knn_marginals(points(4), temperature=0), "temperature is 0"),
        (lambda: knn_marginals(points(4), scale="mean"), "must be one of none, sqrt_dim, median"),
        (lambda: crossing_weight(torch.rand(4, 4), 4), "n0 is 4 of 4 vertices"),
        (lambda: crossing_weight(torch.rand(4, 3), 1), "must have shape"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
