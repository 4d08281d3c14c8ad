"""Plans: what a solver returns, and how an approximate plan becomes a coupling."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Transport(NamedTuple):
    """A plan and what it costs; tensors alone, so that it goes through ``torch.vmap``."""

    plan: Tensor
    """P (..., n, m) >= 0, rows sum to μ and columns to ν; a constant for autograd."""
    cost: Tensor
    """``⟨P, M⟩`` (...), in the unit of M, with the gradient P with respect to M."""
    marginal_error: Tensor
    """``Σ_i |(P 1 - μ)_i|`` (...), in [0, 2], before the plan was made a coupling; 0 if solved exactly."""
    iterations: Tensor
    """How many were made, int64 (); 0 if solved exactly."""


def feasible(plan: Tensor, mu: Tensor, nu: Tensor) -> Tensor:
    """The coupling of μ (..., n) and ν (..., m) that a nearly feasible plan (..., n, m) >= 0 becomes.

    Rows and then columns that have too much are scaled down, and what is missing is added independently: at
    most the mass that was wrong moves. Source: Altschuler, Weed, Rigollet (2017), algorithm 2.
    """
    plan = plan * (mu / positive(plan.sum(-1))).clamp(max=1).unsqueeze(-1)
    plan = plan * (nu / positive(plan.sum(-2))).clamp(max=1).unsqueeze(-2)
    rows, columns = (mu - plan.sum(-1)).clamp(min=0), (nu - plan.sum(-2)).clamp(min=0)
    share = rows / positive(rows.sum(-1, keepdim=True))
    return plan + share.unsqueeze(-1) * columns.unsqueeze(-2)


def positive(x: Tensor) -> Tensor:
    """``x`` >= 0 as a divisor: where it is too small for its type, the least that is not."""
    return x.clamp(min=torch.finfo(x.dtype).tiny)
