"""IPOT: exact optimal transport by proximal steps, each a few Sinkhorn updates of one kernel."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating
from lggkit.transport.plans import Transport, feasible, positive
from lggkit.transport.problems import Marginals, check_cost, check_options, check_start, marginals_of

EVERY = 10
"""Iterations between two looks at the tolerance."""
TRACE = 1e-3
"""The share of the independent coupling in a warm start."""


def ipot(
    cost: Tensor,
    marginals: Marginals | None = None,
    *,
    beta: float = 0.3,
    iterations: int = 50,
    inner: int = 10,
    tolerance: float | None = None,
    start: Tensor | None = None,
) -> Transport:
    """``min ⟨P, M⟩`` over couplings P of μ and ν, by ``P ← argmin ⟨P, M⟩ + β KL(P ‖ P before)``.

    Each iteration takes the kernel ``Q = exp(-M / β) ⊙ P``, makes ``inner`` times ``u = μ / (Q v)`` and
    ``v = ν / (Qᵀ u)``, where v is kept from one iteration to the next, and has ``P = diag(u) Q diag(v)``.
    Unlike Sinkhorn's, the limit is not smoothed: after t iterations what is left is the smoothing of
    ``β / t``. P is held by its potentials, so that no pair is lost to underflow and costs of any size do in
    float32. At last P is made a coupling (Altschuler et al., 2017, algorithm 2), which is not the authors',
    so that its cost is never below the least.

    The gradient is the envelope theorem's, ``∂ cost / ∂ M = P``: no iteration is differentiated. Shapes are
    static and nothing waits for the device unless there is a tolerance, so that it compiles (iterations are
    unrolled), can be captured and goes through ``torch.vmap``. Values are checked where that makes nothing
    wait: on the CPU, not in compiled code, not under vmap; elsewhere NaN gives NaN. In memory it takes four
    arrays of the size of ``cost``.

    Args:
        cost: M, floating point (..., n, m), finite, >= 0; leading dimensions are independent problems.
        marginals: μ (..., n) and ν (..., m), >= 0, each of sum 1; None is uniform.
        beta: β > 0, in units of the mean of M less its rows' and then its columns' least entries, of pairs
            that can have mass, which no scale and no shift of M changes. Smaller ones need fewer iterations
            and more ``inner`` updates.
        iterations: at least 1; the most, where there is a tolerance.
        inner: Sinkhorn updates of a kernel, at least 1, which is the plain algorithm. They are cheap, and
            where many neurons compete for the same others they bring what iterations do not.
        tolerance: stop when ten iterations have lowered no problem's cost by more, in the unit of β, > 0.
            It waits for the device. None makes all iterations.
        start: the plan (..., n, m) to begin with, for instance that of the training step before. A
            thousandth of ``μ νᵀ`` is mixed in, because a pair without mass could never have any.

    Returns:
        The plan, its cost, the marginal error before it was made a coupling, the number of iterations; in
        float32 (float64 for costs in float64).

    Raises:
        ValueError: a side is empty, costs are negative or not finite, a marginal is negative, does not sum to
            1 or does not fit, ``start`` has another shape or is no plan, or an option is out of range.
        TypeError: a tensor is none or not floating point; ``iterations`` or ``inner`` is no int, or ``beta``
            or ``tolerance`` no number.

    Source: Xie, Wang, Wang, Zha, "A fast proximal point method for computing exact Wasserstein distance"
    (2019), algorithm 1; paper 3, section 2.2.
    """
    options = check_options(beta, iterations, inner, tolerance)
    cost = check_cost(accumulating(cost, "The cost"))
    before = None if start is None else check_start(start, cost)
    mu, nu = marginals_of(cost, marginals)
    with torch.no_grad(), torch.autocast(cost.device.type, enabled=False):
        unit = _reduced(cost.detach(), mu, nu)
        left, made = _proximal(unit, mu, nu, before, *options)
        error = (left.sum(-1) - mu).abs().sum(-1)
        plan = feasible(left, mu, nu)
    value = (plan * cost).sum((-2, -1))
    return Transport(plan, value, error, torch.full((), made, device=cost.device))


def _reduced(cost: Tensor, mu: Tensor, nu: Tensor) -> Tensor:
    """The cost less its rows' and then its columns' least entries, in units of the mean of what is left.

    Least among the pairs that can have mass: else what such a pair costs could lie beyond the reach of a
    kernel, in which all of its row or column would then be alike.
    """
    cost = cost / positive(cost.amax((-2, -1), keepdim=True))
    barred = (mu == 0).unsqueeze(-1) | (nu == 0).unsqueeze(-2)
    for side in (-1, -2):
        least = cost.masked_fill(barred, math.inf).amin(side, keepdim=True)
        cost = (cost - least).clamp_min(0)
    return cost / positive(mu.unsqueeze(-2) @ cost @ nu.unsqueeze(-1))


def _proximal(
    unit: Tensor,
    mu: Tensor,
    nu: Tensor,
    start: Tensor | None,
    beta: float,
    iterations: int,
    inner: int,
    tolerance: float | None,
) -> tuple[Tensor, int]:
    """The plan as the iterations leave it, and how many there were."""
    # Powers of 2, which torch takes several times as fast as those of e.
    cost, independent = unit * (math.log2(math.e) / beta), mu.unsqueeze(-1) * nu.unsqueeze(-2)
    first = None if start is None else ((1 - TRACE) * start + TRACE * independent).log2()
    kernel = cost + (independent if first is None else first)  # a buffer with every batch dimension
    rows, columns = torch.zeros_like(kernel[..., :1]), torch.zeros_like(kernel[..., :1, :])
    v, reached = torch.ones_like(kernel[..., 0, :]), math.inf
    for made in range(1, iterations + 1):
        u, v = _sinkhorn(_filled(kernel, rows, columns, first, cost, made), mu, nu, v, inner)
        rows, columns = rows + u.log2().unsqueeze(-1), columns + v.log2().unsqueeze(-2)
        if tolerance is not None and made % EVERY == 0:
            before, reached = reached, _value(u, kernel, v, mu, nu, unit)
            if bool((before - reached <= tolerance).all()):
                break
    return kernel.mul_(u.unsqueeze(-1)).mul_(v.unsqueeze(-2)), made


def _filled(
    kernel: Tensor, rows: Tensor, columns: Tensor, first: Tensor | None, cost: Tensor, times: int
) -> Tensor:
    """``K^t ⊙ P_0`` scaled by the potentials, in place, with entries of at least the root of the least."""
    kernel.copy_(cost).mul_(-times).add_(rows).add_(columns)
    if first is not None:
        kernel.add_(first)
    return kernel.clamp_min_(_reach(kernel) / -2).exp2_()


def _sinkhorn(kernel: Tensor, mu: Tensor, nu: Tensor, v: Tensor, updates: int) -> tuple[Tensor, Tensor]:
    """The factors that give the kernel the marginal ν exactly, and μ the better the more updates."""
    most = 2 ** (_reach(kernel) / 4)
    v = v.clamp(1 / most, most)  # where it begins is free, and what follows stays in range
    for _ in range(updates):
        u = mu / (kernel @ v.unsqueeze(-1)).squeeze(-1)
        v = nu / (u.unsqueeze(-2) @ kernel).squeeze(-2)
    return u, v


def _reach(x: Tensor) -> float:
    """How many halvings of 1 the type of ``x`` can hold."""
    return -math.log2(torch.finfo(x.dtype).tiny)


def _value(u: Tensor, kernel: Tensor, v: Tensor, mu: Tensor, nu: Tensor, unit: Tensor) -> Tensor:
    plan = feasible(u.unsqueeze(-1) * kernel * v.unsqueeze(-2), mu, nu)
    return (plan * unit).sum((-2, -1))
