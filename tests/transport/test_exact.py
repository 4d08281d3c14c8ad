"""Exact plans and Wasserstein distances against POT, SciPy and sorted samples."""

import ot
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from lggkit.transport import empirical_wasserstein, exact_transport

quiet = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quiet
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["uniform", "ties"]),
    n=st.integers(1, 10),
    m=st.integers(1, 10),
    uneven=st.booleans(),
)
def test_plans_are_couplings_of_least_cost(problem, least, seed, kind, n, m, uneven):
    cost, marginals = problem(seed, kind, n, m, uneven)
    found = exact_transport(cost, marginals)
    assert found.cost.item() == pytest.approx(least(cost, marginals), abs=1e-9)
    mu, nu = marginals or (torch.full((n,), 1 / n).double(), torch.full((m,), 1 / m).double())
    torch.testing.assert_close(found.plan.sum(1), mu, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(found.plan.sum(0), nu, rtol=1e-6, atol=1e-7)
    assert found.marginal_error == 0 and found.iterations == 0


def test_equal_sides_are_an_assignment_also_with_uniform_masses_spelt_out():
    cost = torch.rand(9, 9)
    found, spelt = exact_transport(cost), exact_transport(cost, (torch.full((9,), 1 / 9), None))
    assert set(found.plan.flatten().tolist()) == {0.0, torch.tensor(1 / 9).item()}
    torch.testing.assert_close(found.plan, spelt.plan)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("sizes", [(8, 8), (8, 5)])
def test_it_is_the_distance_of_pot(p, sizes):
    x, y = (torch.randn(n, 3, dtype=torch.float64) for n in sizes)
    expected = ot.emd2([], [], (torch.cdist(x, y) ** p).numpy()) ** (1 / p)
    assert empirical_wasserstein(x, y, p).item() == pytest.approx(expected)


def test_on_a_line_it_is_that_of_sorted_samples():
    x, y = torch.randn(20, 1), torch.randn(20, 1)
    expected = (x.sort(0).values - y.sort(0).values).square().mean().sqrt()
    torch.testing.assert_close(empirical_wasserstein(x, y, 2), expected)
    u, v = torch.rand(20), torch.rand(20)
    weighted = wasserstein_distance(*(z.flatten().numpy() for z in (x, y, u, v)))
    found = empirical_wasserstein(x, y, 1, (u / u.sum(), v / v.sum()))
    assert found.item() == pytest.approx(weighted, rel=1e-4)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
@pytest.mark.parametrize("p", [1, 2, 2.5])
def test_gradients_go_through_the_plan(p, metric):
    x, y = torch.randn(4, 2, dtype=torch.float64, requires_grad=True), torch.randn(3, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: empirical_wasserstein(a, y, p, metric=metric), x)


@pytest.mark.parametrize("p", [1, 2])
def test_equal_sets_are_at_distance_zero_with_gradient_zero(p):
    x = torch.rand(6, 3, requires_grad=True)
    found = empirical_wasserstein(x, x.detach().flip(0), p)
    assert found == 0 and (torch.autograd.grad(found, x)[0] == 0).all()


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_no_scale_leaves_the_range_of_single_precision(scale):
    x, y = torch.randn(6, 3), torch.randn(6, 3)
    found = empirical_wasserstein(scale * x, scale * y, 3)
    torch.testing.assert_close(found / scale, empirical_wasserstein(x, y, 3), rtol=1e-5, atol=0)


def test_the_gradient_to_the_cost_is_the_plan():
    cost = torch.rand(5, 4, requires_grad=True)
    found = exact_transport(cost)
    assert torch.equal(torch.autograd.grad(found.cost, cost)[0], found.plan)


def test_a_solver_that_gives_up_says_so(monkeypatch):
    monkeypatch.setattr("lggkit.transport.exact.MOST_PIVOTS", 1)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="network simplex gave up: "):
        exact_transport(torch.rand(30, 20))
