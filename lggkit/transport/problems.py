"""What a problem of transport is given, and one sentence where it is wrong."""

from __future__ import annotations

import math

from torch import Tensor

from lggkit.graph._precision import accumulating, broadcast, integer, may_look, number, tensor

Marginals = tuple[Tensor | None, Tensor | None]
SUM_TOLERANCE = 1e-3
"""How far from 1 a marginal may sum: it is divided by its sum."""


def check_cost(cost: Tensor) -> Tensor:
    """``cost`` itself, if it is (..., n, m) not empty and, where it can be looked at, finite and >= 0."""
    if cost.ndim < 2 or 0 in cost.shape:
        raise ValueError(
            f"the cost has shape {tuple(cost.shape)}; give (..., n, m) with at least one on each side"
        )
    if may_look(cost) and not bool((cost >= 0).all() & (cost < math.inf).all()):
        raise ValueError(
            f"costs lie in [{cost.min().item():.3g}, {cost.max().item():.3g}]; give finite ones from 0 on, a "
            "constant may be added to all of them"
        )
    return cost


def check_start(start: Tensor, cost: Tensor) -> Tensor:
    """``start`` in the type of ``cost``, if it is a plan for it."""
    start = accumulating(start, "start").detach().to(cost.dtype)
    if start.shape != cost.shape:
        raise ValueError(
            f"start has shape {tuple(start.shape)} and the cost {tuple(cost.shape)}; give a plan of it"
        )
    if may_look(start) and not bool((start >= 0).all() & (start < math.inf).all()):
        raise ValueError(
            f"start has entries from {start.min().item():.3g} to {start.max().item():.3g}; give a plan, "
            "which has none below 0"
        )
    return start


def check_options(
    beta: float, iterations: int, inner: int, tolerance: float | None
) -> tuple[float, int, int, float | None]:
    """The same, if each is in its range."""
    for name, value in (("beta", beta), ("tolerance", 1.0 if tolerance is None else tolerance)):
        if not 0 < number(value, name) < math.inf:
            raise ValueError(f"{name} is {value!r}; give a positive number, such as 0.3")
    return beta, integer(iterations, "iterations"), integer(inner, "inner"), tolerance


def marginals_of(cost: Tensor, marginals: Marginals | None) -> tuple[Tensor, Tensor]:
    """μ (..., n) and ν (..., m) in the type of ``cost``, each of sum 1; uniform where there is None."""
    given = _two(marginals)
    sides = zip(("μ", "ν"), given, cost.shape[-2:], strict=True)
    mu, nu = (_marginal(name, weights, size, cost) for name, weights, size in sides)
    leading = {"the cost": cost.shape[:-2], "μ": mu.shape[:-1], "ν": nu.shape[:-1]}
    broadcast(leading, "problems")
    return mu, nu


def uniform(marginals: Marginals | None) -> bool:
    """Whether both sides are left out."""
    return all(weights is None for weights in _two(marginals))


def _two(marginals: Marginals | None) -> Marginals:
    if marginals is None:
        return None, None
    if not isinstance(marginals, tuple | list) or len(marginals) != 2:
        raise ValueError(f"marginals are {type(marginals).__name__}; give the pair (μ, ν)")
    mu, nu = marginals
    return mu, nu


def _marginal(name: str, weights: Tensor | None, size: int, cost: Tensor) -> Tensor:
    if weights is None:
        return cost.new_full((size,), 1 / size)
    weights = accumulating(tensor(weights, name), name).detach().to(cost.dtype)
    if not weights.ndim or weights.shape[-1] != size:
        raise ValueError(f"{name} has shape {tuple(weights.shape)}; its side of the cost has {size}")
    total = weights.sum(-1, keepdim=True)
    if may_look(weights):
        _check_weights(name, weights, total)
    return weights / total


def _check_weights(name: str, weights: Tensor, total: Tensor) -> None:
    if not bool((weights >= 0).all()):
        raise ValueError(f"{name} has entries down to {weights.min().item():.3g}; give masses from 0 on")
    worst = total.flatten()[(total.flatten() - 1).abs().argmax()].item()
    if not abs(worst - 1) <= SUM_TOLERANCE:
        raise ValueError(f"{name} sums to {worst:.4g}; divide it by its sum")
