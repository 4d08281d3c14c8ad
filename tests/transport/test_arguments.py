"""What is no problem of transport is told in one sentence, with what was seen and what to do."""

import numpy as np
import pytest
import torch

from lggkit.transport import cost_matrix, empirical_wasserstein, exact_transport, ipot, neurons

COST = torch.rand(3, 2)
HALF, THIRD = torch.full((2,), 1 / 2), torch.full((3,), 1 / 3)

PROBLEMS = {
    "a vector": (torch.rand(3), None, r"cost has shape \(3,\); give \(\.\.\., n, m\)|one problem"),
    "no rows": (torch.rand(0, 2), None, r"shape \(0, 2\); give \(\.\.\., n, m\) with at least one"),
    "no columns": (torch.rand(2, 0), None, r"shape \(2, 0\); give"),
    "negative": (COST - 2, None, r"costs lie in \[-.*; give finite ones from 0 on"),
    "nan": (COST * torch.nan, None, r"costs lie in \[nan, nan\]; give finite"),
    "infinite": (COST / 0, None, r"costs lie in \[inf, inf\]; give finite"),
    "too much": (COST, (2 * THIRD, HALF), "μ sums to 2; divide it by its sum"),
    "too little": (COST, (None, HALF / 2), "ν sums to 0.5; divide it by its sum"),
    "no mass": (COST, (None, 0 * HALF), "ν sums to 0; divide"),
    "negative mass": (COST, (torch.tensor([1.0, 1.0, -1.0]), None), "μ has entries down to -1; give masses"),
    "nan mass": (COST, (None, HALF * torch.nan), "ν has entries down to nan; give masses"),
    "another side": (COST, (HALF, None), r"μ has shape \(2,\); its side of the cost has 3"),
    "one marginal": (COST, THIRD, r"marginals are Tensor; give the pair"),
    "no marginals": (COST, (), r"marginals are tuple; give the pair"),
    "half a pair": (COST, (None,), r"marginals are tuple; give the pair"),
    "a number": (COST, 5, r"marginals are int; give the pair"),
    "other problems": (
        COST.expand(4, 3, 2),
        (THIRD.expand(2, 3), None),
        r"leading dimensions differ \(the cost \(4,\), μ \(2,\), ν \(\)\); give the same|one problem",
    ),
}
OPTIONS = [
    ({"beta": 0.0}, "beta is 0.0; give a positive number"),
    ({"beta": -1}, "beta is -1; give a positive number"),
    ({"beta": float("nan")}, "beta is nan; give a positive number"),
    ({"tolerance": 0}, "tolerance is 0; give a positive number"),
    ({"iterations": 0}, "iterations must be at least 1, got 0"),
    ({"inner": 0}, "inner must be at least 1, got 0"),
    ({"start": torch.rand(2, 3)}, r"start has shape \(2, 3\) and the cost \(3, 2\); give a plan of it"),
    ({"start": -COST}, r"start has entries from -.*; give a plan"),
    ({"start": COST * torch.nan}, "start has entries from nan to nan; give a plan"),
]


@pytest.mark.parametrize(("cost", "marginals", "message"), PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("solve", [ipot, exact_transport])
def test_wrong_problems(solve, cost, marginals, message):
    with pytest.raises(ValueError, match=message):
        solve(cost, marginals)


@pytest.mark.parametrize(("options", "message"), OPTIONS, ids=lambda x: str(x)[:20])
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        ipot(COST, **options)


@pytest.mark.parametrize(
    "call",
    [
        ipot,
        exact_transport,
        neurons,
        lambda x: cost_matrix(x, COST),
        lambda x: cost_matrix(COST, x),
        lambda x: empirical_wasserstein(x, COST),
        lambda x: ipot(COST, (x, None)),
        lambda x: ipot(COST, start=x),
    ],
)
def test_what_is_no_tensor_of_numbers_is_told(call):
    with pytest.raises(TypeError, match=r"must be a tensor, got ndarray: convert it by torch\.as_tensor"):
        call(np.ones((3, 2)))
    with pytest.raises(TypeError, match=r"must be floating point, got torch\.int64"):
        call(torch.ones(3, 2, dtype=torch.int64))


@pytest.mark.parametrize("wrong", [2.0, True, "3"])
def test_counts_are_integers(wrong):
    for name in ("iterations", "inner"):
        with pytest.raises(TypeError, match=f"{name} must be an int, got"):
            ipot(COST, **{name: wrong})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cost_matrix(COST, COST, "manhattan"), "metric is 'manhattan'; choose one of euclidean, "),
        (lambda: cost_matrix(COST, torch.rand(3, 4)), r"x has shape \(3, 2\) and y \(3, 4\); give points of"),
        (lambda: cost_matrix(torch.rand(0, 2), COST), r"x has shape \(0, 2\); give points"),
        (lambda: cost_matrix(COST, torch.rand(2)), r"y has shape \(2,\); give points"),
        (lambda: neurons(torch.rand(4)), r"x has shape \(4,\); give activations"),
        (lambda: neurons(COST, "max"), "pool is 'max'; choose one of mean, positions"),
        (lambda: empirical_wasserstein(COST, COST, 0.5), "p is 0.5; give a number of at least 1"),
        (lambda: empirical_wasserstein(COST, COST, float("inf")), "p is inf; give a number of at least 1"),
        (lambda: exact_transport(torch.rand(2, 3, 3)), r"shape \(2, 3, 3\); give one problem \(n, m\) at a"),
    ],
)
def test_points_orders_and_names(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_exact_solver_takes_one_vector_of_masses():
    with pytest.raises(ValueError, match=r"μ has shape \(2, 3\); give that of one problem"):
        exact_transport(COST, (THIRD.expand(2, 3), None))


@pytest.mark.parametrize("wrong", ["1", None, True])
def test_numbers_are_numbers(wrong):
    with pytest.raises(TypeError, match="p must be a number, got"):
        empirical_wasserstein(COST, COST, wrong)
    with pytest.raises(TypeError, match="beta must be a number, got"):
        ipot(COST, beta=wrong)


def test_the_exact_solver_looks_at_values_on_the_processor(monkeypatch):
    """Costs and masses that lie on a GPU are looked at after they were sent."""
    monkeypatch.setattr("lggkit.transport.problems.may_look", lambda x: x.dtype == torch.float64)
    with pytest.raises(ValueError, match="costs lie in"):
        exact_transport(COST * torch.nan)


def test_where_values_cannot_be_looked_at_they_are_not():
    wrong = torch.rand(4, 3, 2) - 2
    found = torch.vmap(ipot)(wrong)
    assert found.plan.shape == (4, 3, 2) and found.plan.isfinite().all()
    assert torch.vmap(ipot)(wrong * torch.nan).cost.isnan().all()
