"""Tensors without their order of features: what depends on inner products alone need not copy them."""

from __future__ import annotations

import torch
from torch import Tensor


def in_memory_order(x: Tensor) -> Tensor:
    """``x`` with all dimensions after the first as they lie in memory, if it is in channels_last; a view."""
    if not torch.compiler.is_compiling() and torch._C._functorch.is_functorch_wrapped_tensor(x):
        return x  # under vmap a tensor cannot say how it lies
    if x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last):
        return x.permute(0, 2, 3, 1)
    return x
