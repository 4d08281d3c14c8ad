"""Whether networks compute with kernels of our own: off until a training has tried them where it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_on = False


@contextmanager
def own_kernels(on: bool = True) -> Iterator[None]:
    """Inside, batch norms compute by `norm_relu`, and on a GPU convolutions of few channels by `narrow`."""
    global _on
    before, _on = _on, on
    try:
        yield
    finally:
        _on = before


def wanted(x: Tensor) -> bool:
    """Whether they are asked for, on a plain tensor; a network that is being compiled does without."""
    return not torch.compiler.is_compiling() and type(x) is Tensor and _on
