"""Units in which squares neither vanish nor overflow, and what of a spread is only rounding."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import matmul, unit_of, widest


def in_own_unit(x: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """``x`` divided by `unit_of` it, for measures that no scale changes: the gradient is theirs."""
    return x / unit_of(x, dim)


def wide_gram(x: Tensor) -> Tensor:
    """``x xᵀ`` in the widest type, multiplied in a unit in which float32 holds the squares."""
    unit = unit_of(x, (0, 1))
    product = matmul(x / unit, (x / unit).T).to(widest(x))
    return product * unit.to(product.dtype).square()


def spread(centred: Tensor, x: Tensor, dim: int) -> Tensor:
    """``centred``, which is ``x`` less its mean along a dimension, and 0 where that is only rounding."""
    largest, size = (torch.linalg.vector_norm(z.detach(), torch.inf, dim, keepdim=True) for z in (centred, x))
    return centred.masked_fill(largest <= 8 * torch.finfo(x.dtype).eps * size, 0.0)
