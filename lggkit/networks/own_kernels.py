"""Whether networks compute with kernels of our own: off until a training has tried them on its GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

_on = False


@contextmanager
def own_kernels(on: bool = True) -> Iterator[None]:
    """Inside, convolutions of few channels and batch norms compute by `narrow` and `norm_relu` on a GPU."""
    global _on
    before, _on = _on, on
    try:
        yield
    finally:
        _on = before


def wanted(x: Tensor) -> bool:
    """Whether they are asked for, on a tensor that a GPU holds."""
    return type(x) is Tensor and x.is_cuda and _on
