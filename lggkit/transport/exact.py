"""Exact transport on the processor, by SciPy's assignment or POT's network simplex."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, number
from lggkit.transport.costs import cost_matrix
from lggkit.transport.plans import Transport
from lggkit.transport.problems import Marginals, check_cost, marginals_of, uniform

MOST_PIVOTS = 10**8
LEAST, MOST = 1e-100, 1e12
"""A mean power below the first is taken again in a smaller unit, in which powers are cut at the second."""


def exact_transport(cost: Tensor, marginals: Marginals | None = None) -> Transport:
    """``min ⟨P, M⟩`` over couplings P of μ and ν, exactly, by solvers that run on the CPU in float64.

    Equal sides with uniform marginals are SciPy's assignment, all else POT's network simplex. It waits for
    the device. The gradient is that of `ipot`, ``∂ cost / ∂ M = P``.

    Args:
        cost: M, floating point (n, m), finite, >= 0.
        marginals: μ (n,) and ν (m,), >= 0, each of sum 1; None is uniform.

    Returns:
        The plan and its cost, see `Transport`, in float32 (float64 for costs in float64).

    Raises:
        ValueError: the cost is no matrix, a side is empty, or costs or marginals are as `ipot` refuses them.
        TypeError: a tensor is none or not floating point.
        RuntimeError: POT's solver gives up.
    """
    cost = accumulating(cost, "The cost")
    if cost.ndim != 2:
        raise ValueError(f"the cost has shape {tuple(cost.shape)}; give one problem (n, m) at a time")
    host = check_cost(cost.detach().cpu().double())
    assigned = uniform(marginals) and cost.shape[0] == cost.shape[1]
    plan = _assigned(host) if assigned else _simplex(host, marginals)
    plan = plan.to(cost)
    none = torch.zeros((), dtype=torch.int64, device=cost.device)
    return Transport(plan, (plan * cost).sum(), cost.new_zeros(()), none)


def empirical_wasserstein(
    x: Tensor, y: Tensor, p: float = 1.0, marginals: Marginals | None = None, metric: str = "euclidean"
) -> Tensor:
    """``W_p = (min Σ_ij P_ij d(x_i, y_j)^p)^(1/p)`` of two finite sets of points, exactly.

    It waits for the device and runs on the CPU, see `exact_transport`; gradients go through the distances at
    the best plan, and are zero where the sets coincide.

    Args:
        x, y: points, floating point (n, k) and (m, k).
        p: order >= 1, finite.
        marginals: weights of the points, (n,) and (m,), >= 0, each of sum 1; None is uniform.
        metric: d, see `cost_matrix`.

    Returns:
        The distance >= 0, in the unit of d, a scalar in float32 (float64 for points in float64).

    Raises:
        ValueError: the points are no (n, k) and (m, k), p is below 1 or infinite, or see `exact_transport`.
        TypeError: a tensor is none or not floating point, or p no number.
    """
    if not 1 <= number(p, "p") < math.inf:
        raise ValueError(f"p is {p!r}; give a number of at least 1, such as 1 or 2")
    distance = cost_matrix(x, y, metric)
    if distance.ndim != 2:
        raise ValueError(f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; give one pair (n, k), (m, k)")
    return _of_order(distance.cpu().double(), p, marginals).to(distance)


def _of_order(distance: Tensor, p: float, marginals: Marginals | None) -> Tensor:
    """``(min Σ_ij P_ij d_ij^p)^(1/p)`` of d in float64, in a unit in which no power leaves the range.

    It is the largest distance, or, where all that the plan has vanishes beside that, the largest it has.
    """
    unit = distance.detach().amax().clamp(min=torch.finfo(distance.dtype).tiny)
    while True:
        found = exact_transport(_power((distance / unit).clamp(max=MOST ** (1 / p)), p), marginals)
        largest = distance.detach()[found.plan > 0].amax()
        if found.cost.detach() > LEAST or largest == 0 or largest >= unit:
            return unit * _power(found.cost, 1 / p)
        unit = largest


def _power(x: Tensor, exponent: float) -> Tensor:
    """``x^exponent`` of x >= 0, with gradient zero at zero."""
    nothing = x == 0
    return torch.where(nothing, 0.0, torch.where(nothing, 1.0, x) ** exponent)


def _assigned(cost: Tensor) -> Tensor:
    from scipy.optimize import linear_sum_assignment

    rows, columns = map(torch.from_numpy, linear_sum_assignment(cost.numpy()))
    plan = torch.zeros_like(cost)
    plan[rows, columns] = 1 / len(cost)
    return plan


def _simplex(cost: Tensor, marginals: Marginals | None) -> Tensor:
    import ot

    given = (w.cpu() if isinstance(w, Tensor) else w for w in marginals or (None, None))
    mu, nu = marginals_of(cost, tuple(given))
    for name, weights in (("μ", mu), ("ν", nu)):
        if weights.ndim != 1:
            raise ValueError(f"{name} has shape {tuple(weights.shape)}; give that of one problem, a vector")
    plan, log = ot.emd(mu.numpy(), nu.numpy(), cost.numpy(), numItermax=MOST_PIVOTS, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"POT's network simplex gave up: {log['warning']}")
    return torch.from_numpy(plan)
