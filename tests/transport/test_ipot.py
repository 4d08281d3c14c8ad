"""IPOT against exact solvers, and what holds for it whatever the problem."""

import ot
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lggkit.transport import exact_transport, ipot

GAP = 0.01
"""What a hundred iterations may cost more than the least, in the unit of beta."""
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
problems = given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["uniform", "mostly small", "distances", "ties"]),
    n=st.integers(1, 12),
    m=st.integers(1, 12),
    uneven=st.booleans(),
)


def left(cost):
    """A cost less its rows' and then its columns' least entries."""
    cost = cost - cost.min(1, keepdim=True).values
    return cost - cost.min(0, keepdim=True).values


def unit(cost, marginals=None):
    """The mean of what is left of a cost, written out."""
    n, m = cost.shape
    mu, nu = marginals or (cost.new_full((n,), 1 / n), cost.new_full((m,), 1 / m))
    return (mu.unsqueeze(1) * left(cost) * nu).sum().item()


@many
@problems
def test_the_cost_is_the_least_and_never_below(problem, least, seed, kind, n, m, uneven):
    cost, marginals = problem(seed, kind, n, m, uneven)
    found, exact = ipot(cost, marginals, iterations=100), least(cost, marginals)
    assert -1e-9 <= found.cost.item() - exact <= GAP * unit(cost, marginals) + 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("turned", [False, True])
def test_a_row_whose_cheapest_column_has_no_mass_goes_to_the_cheaper_of_the_others(dtype, turned):
    """What it costs there is no measure: all else of the row would be out of a kernel's reach."""
    cost = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.9, 0.4], [1.0, 0.5, 0.0]], dtype=dtype)
    mu = torch.tensor([0.4, 0.0005, 0.5995], dtype=dtype)
    nu = torch.tensor([0.0, 0.0036, 0.9964], dtype=dtype)
    best = torch.tensor([[0, 0.0036, 0.3964], [0, 0, 0.0005], [0, 0, 0.5995]], dtype=dtype)
    found = ipot(cost.T, (nu, mu), iterations=100).plan.T if turned else ipot(cost, (mu, nu)).plan
    torch.testing.assert_close(found, best, rtol=1e-4, atol=1e-6)


@many
@problems
def test_the_plan_is_a_coupling_in_single_precision(problem, seed, kind, n, m, uneven):
    cost, marginals = problem(seed, kind, n, m, uneven)
    given_ = None if marginals is None else tuple(x.float() for x in marginals)
    found = ipot(cost.float(), given_, iterations=20)
    mu, nu = marginals or (torch.full((n,), 1 / n), torch.full((m,), 1 / m))
    assert found.plan.dtype == torch.float32 and (found.plan >= 0).all()
    torch.testing.assert_close(found.plan.sum(1), mu.float(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found.plan.sum(0), nu.float(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found.cost, (found.plan * cost).sum().float())


def test_more_iterations_come_nearer(problem, least):
    gaps = []
    for iterations in (10, 100, 1000):
        pairs = [problem(seed, "uniform", 12, 12, True) for seed in range(10)]
        found = [ipot(*pair, beta=1, iterations=iterations, inner=20).cost.item() for pair in pairs]
        gaps.append(sum(f - least(*pair) for f, pair in zip(found, pairs, strict=True)))
    assert gaps[1] < gaps[0] / 3 and gaps[2] < gaps[1] and gaps[1] / 10 < 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("seed", range(5))
def test_permutations_are_recovered_exactly(seed, dtype):
    source = torch.Generator().manual_seed(seed)
    x = torch.rand(40, 16, generator=source, dtype=dtype)
    order = torch.randperm(40, generator=source)
    cost = torch.cdist(x, x[order], compute_mode="donot_use_mm_for_euclid_dist")
    found = ipot(cost)
    assert torch.equal(found.plan.argmax(0), order) and torch.equal(found.plan.argmax(1), order.argsort())
    expected = torch.zeros_like(cost)
    expected[order, torch.arange(40)] = 1 / 40
    torch.testing.assert_close(found.plan, expected, rtol=1e-5, atol=1e-7)
    assert found.cost.item() < 1e-7 and found.marginal_error.item() < 1e-5


def test_neurons_in_another_order_give_the_same_plan_in_that_order(problem):
    cost, _ = problem(0, "distances", 9, 7, False)
    rows, columns = torch.randperm(9), torch.randperm(7)
    torch.testing.assert_close(ipot(cost[rows][:, columns]).plan, ipot(cost).plan[rows][:, columns])


def naive(cost, beta, iterations, inner):
    """The iteration from its equations, with plans and no potentials."""
    n, m = cost.shape
    plan, v = torch.full((n, m), 1 / (n * m), dtype=cost.dtype), torch.ones(m, dtype=cost.dtype)
    for _ in range(iterations):
        kernel = torch.exp(-cost / beta) * plan
        for _ in range(inner):
            u = 1 / n / (kernel @ v)
            v = 1 / m / (kernel.T @ u)
        plan = torch.diag(u) @ kernel @ torch.diag(v)
    return plan, (plan.sum(1) - 1 / n).abs().sum().item()


@pytest.mark.parametrize(("iterations", "inner"), [(1, 1), (4, 1), (4, 3), (20, 5)])
def test_it_is_the_iteration_of_its_equations(problem, iterations, inner):
    cost, _ = problem(3, "uniform", 6, 5, False)
    plan, error = naive(left(cost), 2 * unit(cost), iterations, inner)
    found = ipot(cost, beta=2, iterations=iterations, inner=inner)
    assert found.marginal_error.item() == pytest.approx(error, abs=1e-12)
    assert (found.plan - plan).abs().sum() <= 2 * error + 1e-12 and found.iterations == iterations


@pytest.mark.parametrize("seed", range(5))
def test_one_step_with_a_large_beta_is_sinkhorns_plan(problem, seed):
    cost, marginals = problem(seed, "uniform", 8, 6, True)
    marginals = tuple((x + 0.05) / (1 + 0.05 * len(x)) for x in marginals)
    for beta in (1, 3, 100):
        found = ipot(cost, marginals, beta=beta, iterations=1, inner=500)
        smooth = ot.sinkhorn(*(x.numpy() for x in marginals), cost.numpy(), beta * unit(cost, marginals))
        torch.testing.assert_close(found.plan, torch.from_numpy(smooth), rtol=1e-6, atol=1e-9)
    independent = marginals[0].unsqueeze(1) * marginals[1]
    torch.testing.assert_close(found.plan, independent, rtol=0.1, atol=0)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_neither_scale_nor_shift_matters_in_single_precision(problem, scale):
    cost = problem(1, "distances", 10, 8, False)[0].float()
    expected = ipot(cost)
    found = ipot(scale * cost)
    torch.testing.assert_close(found.plan, expected.plan, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(found.cost / scale, expected.cost, rtol=1e-4, atol=0)
    torch.testing.assert_close(ipot(cost + 100).cost - 100, expected.cost, rtol=0, atol=1e-3)


def test_far_outliers_leave_the_others_their_plan():
    cost = torch.rand(6, 6)
    cost[0, 1:] = cost[1:, 0] = 1e6
    cost[0, 0] = 1e6
    found = ipot(cost)
    assert found.plan.isfinite().all()
    assert found.plan[0, 0].item() == pytest.approx(1 / 6, rel=0.01)


@pytest.mark.parametrize("cost", [torch.zeros(3, 4), torch.ones(2, 2), torch.ones(1, 5), torch.rand(5, 1)])
def test_problems_with_nothing_to_choose(cost):
    found = ipot(cost)
    torch.testing.assert_close(found.plan, torch.full_like(cost, 1 / cost.numel()))
    assert found.cost.item() == pytest.approx(cost.mean().item())


def test_a_batch_is_its_problems_one_by_one(problem):
    costs = torch.stack([problem(seed, "distances", 7, 5, False)[0] for seed in range(6)])
    mu = torch.rand(6, 7, dtype=torch.float64) + 0.1
    marginals = mu / mu.sum(-1, keepdim=True), torch.full((5,), 0.2, dtype=torch.float64)
    together = ipot(
        costs.reshape(2, 3, 7, 5), tuple(x.reshape(2, 3, 7) if x.ndim == 2 else x for x in marginals)
    )
    for i, cost in enumerate(costs):
        alone = ipot(cost, (marginals[0][i], marginals[1]))
        torch.testing.assert_close(together.plan.reshape(6, 7, 5)[i], alone.plan)
        torch.testing.assert_close(together.cost.flatten()[i], alone.cost)
    mapped = torch.vmap(lambda c, w: ipot(c, (w, marginals[1])))(costs, marginals[0])
    torch.testing.assert_close(mapped.plan.reshape(together.plan.shape), together.plan)
    only_masses = torch.vmap(lambda w: ipot(costs[0], (w, None)).cost)(marginals[0])
    assert only_masses.shape == (6,) and only_masses.isfinite().all()


def test_the_gradient_is_the_plan_and_that_of_the_least_cost(problem, least):
    for seed in range(20):
        cost, marginals = problem(seed, "uniform", 6, 5, True)
        found = ipot(cost.requires_grad_(), marginals, beta=0.3, iterations=300, inner=30)
        (slope,) = torch.autograd.grad(found.cost, cost)
        assert torch.equal(slope, found.plan) and not found.plan.requires_grad
        direction, step = torch.randn(6, 5, dtype=torch.float64), 1e-6
        ends = [least(cost.detach() + sign * step * direction, marginals) for sign in (1, -1)]
        difference = (ends[0] - ends[1]) / (2 * step)
        assert (slope * direction).sum().item() == pytest.approx(difference, abs=0.03)


def test_a_warm_start_keeps_the_result_and_needs_fewer_iterations():
    x = torch.randn(60, 16)
    y = x[torch.randperm(60)] + 0.7 * torch.randn(60, 16)
    cost, moved = torch.cdist(x, y), torch.cdist(x + 0.05 * torch.randn(60, 16), y)
    settled = {"tolerance": 1e-6, "iterations": 2000}
    before, cold = ipot(cost, **settled), ipot(moved, **settled)
    warm = ipot(moved, start=before.plan, **settled)
    torch.testing.assert_close(warm.cost, cold.cost, rtol=1e-4, atol=0)
    assert warm.iterations <= cold.iterations < 2000
    few = [ipot(moved, start=start, iterations=2, inner=2).cost for start in (before.plan, None)]
    least = exact_transport(moved).cost
    assert few[0] - least < 0.2 * (few[1] - least)


def test_a_wrong_warm_start_is_left_behind():
    x = torch.rand(30, 16)
    cost = torch.cdist(x, x.flip(0))
    found = ipot(cost, start=torch.eye(30) / 30)
    assert torch.equal(found.plan.argmax(1), torch.arange(30).flip(0))
    torch.testing.assert_close(found.cost, ipot(cost).cost)


def test_a_tolerance_stops_when_all_problems_have_settled(problem, least):
    cost, _ = problem(2, "distances", 10, 10, False)
    found = ipot(cost, tolerance=1e-4, iterations=5000)
    assert 20 <= found.iterations < 5000 and found.iterations % 10 == 0
    assert found.cost.item() - least(cost) < GAP * unit(cost)
    assert ipot(cost, tolerance=1e-9, iterations=15).iterations == 15


def test_half_precision_is_accumulated_in_float32_also_under_autocast():
    cost = torch.rand(8, 8).bfloat16().requires_grad_()
    expected = ipot(cost.detach().float())
    with torch.autocast("cpu", torch.bfloat16):
        found = ipot(cost)
    assert found.cost.dtype == torch.float32 and torch.equal(found.plan, expected.plan)
    assert torch.autograd.grad(found.cost, cost)[0].dtype == torch.bfloat16


def test_nothing_that_is_given_is_changed(problem):
    cost, marginals = problem(0, "uniform", 5, 4, True)
    start = marginals[0].unsqueeze(1) * marginals[1]
    copies = [x.clone() for x in (cost, *marginals, start)]
    ipot(cost, marginals, start=start)
    assert all(map(torch.equal, copies, (cost, *marginals, start)))


def step(cost, start):
    found = ipot(cost, iterations=3, inner=2, start=start)
    return found.cost, found.plan


@pytest.mark.filterwarnings("default")
def test_a_step_compiles_as_one_graph_and_computes_the_same(backend):
    cost, start = torch.rand(2, 6, 5, requires_grad=True), torch.rand(2, 6, 5) / 15
    compiled = torch.compile(step, fullgraph=True, dynamic=False, backend=backend)
    found = [function(cost, start) for function in (compiled, step)]
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)
    slopes = [torch.autograd.grad(value.sum(), cost)[0] for value, _ in found]
    torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-6)
