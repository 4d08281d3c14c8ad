"""Numerical ground rules of the package: half precision is accumulated in float32, also under autocast."""

from __future__ import annotations

import torch
from torch import Tensor


def accumulating(x: Tensor, name: str = "x") -> Tensor:
    """``x`` in the type it is accumulated in: float64 stays, every other floating type becomes float32."""
    if not x.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {x.dtype}: convert it, e.g. with .float().")
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def as_adjacency(a: Tensor) -> Tensor:
    """A square (..., n, n) matrix as weights; a Boolean mask counts as weights 0 and 1."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"An adjacency must have shape (..., n, n), got {tuple(a.shape)}.")
    return a.float() if a.dtype == torch.bool else accumulating(a, "The adjacency")


def positive_integer(value: int, name: str) -> int:
    """``value``, if it is an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}.")
    return value


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b`` in the wider of the two types, without autocast (it would round to half precision)."""
    dtype = torch.promote_types(a.dtype, b.dtype)
    with torch.autocast(a.device.type, enabled=False):
        return a.to(dtype) @ b.to(dtype)


def least_degree(dtype: torch.dtype) -> float:
    """Vertices of at most this degree count as isolated: 5e-26 in float32.

    It is the least x for which the type holds x^(-3/2), the size of the derivative of x^(-1/2).
    """
    return torch.finfo(dtype).tiny ** (2 / 3)


def inverse_sqrt(x: Tensor, smallest: float | None = None) -> Tensor:
    """``x^(-1/2)``, and 0 with zero gradient where x <= smallest (`least_degree`); NaN stays NaN."""
    smallest = least_degree(x.dtype) if smallest is None else smallest
    # The inner `where` keeps the infinite derivative at 0 out of the backward pass (0 * inf = NaN).
    none = x <= smallest
    return torch.where(none, 0.0, torch.where(none, 1.0, x).rsqrt())
