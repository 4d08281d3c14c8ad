"""Numerical ground rules of the package: half precision is accumulated in float32, also under autocast."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def tensor(x: Any, name: str) -> Tensor:
    """``x`` itself, if it is a tensor; else TypeError."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(x).__name__}: convert it by torch.as_tensor.")
    return x


def accumulating(x: Tensor, name: str = "x") -> Tensor:
    """``x`` in the type it is accumulated in: float64 stays, every other floating type becomes float32."""
    if not tensor(x, name).is_floating_point():
        raise TypeError(f"{name} must be floating point, got {x.dtype}: convert it, e.g. with .float().")
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def as_adjacency(a: Tensor) -> Tensor:
    """A square (..., n, n) matrix as weights; a Boolean mask counts as weights 0 and 1."""
    if tensor(a, "The adjacency").ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"An adjacency must have shape (..., n, n), got {tuple(a.shape)}.")
    return a.float() if a.dtype == torch.bool else accumulating(a, "The adjacency")


def integer(value: int, name: str, least: int = 1) -> int:
    """``value`` as an int, if it is an integer (also NumPy's, but no Boolean) of at least ``least``."""
    try:
        value = operator.index(None if isinstance(value, bool | Tensor) else value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {value!r}.") from None
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}.")
    return value


def number(value: float, name: str) -> float:
    """``value`` as a float, if it is a number (also NumPy's or a tensor's); NaN is one."""
    try:
        if isinstance(value, bool | str):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise TypeError(f"{name} must be a number, got {value!r}.") from None


def broadcast(shapes: dict[str, Sequence[int]], of: str) -> None:
    """Raises ValueError where leading dimensions, by the name of what has them, do not broadcast."""
    try:
        torch.broadcast_shapes(*map(tuple, shapes.values()))
    except RuntimeError:
        have = ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())
        raise ValueError(f"leading dimensions differ ({have}); give the same {of} on each side.") from None


def one_of(value: Any, choices: Sequence[str], name: str) -> None:
    """Raises ValueError where ``value`` is none of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}.")


def may_look(x: Tensor) -> bool:
    """Whether the values of ``x`` can decide what is done: on the CPU, outside compiled code and vmap."""
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    return not torch._C._functorch.is_functorch_wrapped_tensor(x)


def widest(x: Tensor) -> torch.dtype:
    """The type of the most digits that the device of ``x`` computes in."""
    return torch.float32 if x.device.type == "mps" else torch.float64


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


def unit_of(x: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """The power of two next below the largest absolute value of ``x``, kept dimensions, no gradient.

    To divide by it changes no digit. That of zeros is the least of the type; where there is nothing, it is 1.
    """
    if not x.numel():
        return x.new_ones(())
    most = -math.log2(torch.finfo(x.dtype).tiny)
    largest = torch.linalg.vector_norm(x.detach(), torch.inf, dim, keepdim=True)
    return largest.log2().floor().clamp(-most, most).exp2()


def unit_rows(x: Tensor) -> Tensor:
    """Rows (..., d) divided by their lengths, at any scale; rows of zeros stay.

    Bit for bit ``F.normalize``, forward and backward, where its squares neither vanish nor overflow.
    """
    unit = unit_of(x, -1)
    return F.normalize(x / torch.where((x == 0).all(-1, keepdim=True), 1.0, unit), dim=-1)


def in_memory_order(x: Tensor) -> Tensor:
    """``x`` with all dimensions after the first as they lie in memory, if it is in channels_last; a view."""
    if not torch.compiler.is_compiling() and torch._C._functorch.is_functorch_wrapped_tensor(x):
        return x  # under vmap a tensor cannot say how it lies
    if x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last):
        return x.permute(0, 2, 3, 1)
    return x
