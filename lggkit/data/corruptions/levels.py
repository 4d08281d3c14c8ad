"""Between bytes and the unit interval, as the benchmark does it."""

from __future__ import annotations

import torch
from torch import Tensor

WHOLE = 2e-4
"""Levels added before truncation, so that rounding does not take a level from what should be whole."""


def unit(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 0..255 as floats on [0, 1], a new tensor."""
    return images.to(dtype).div_(255)


def truncated(x: Tensor, whole: float = WHOLE) -> Tensor:
    """[0, 1], after clipping, as bytes; truncated and not rounded, as in the benchmark. ``x`` is used up."""
    return x.mul_(255).add_(whole).clamp_(0, 255).to(torch.uint8)


def rounded(levels: Tensor, carry: float = 0.5) -> Tensor:
    """0..255, after clipping, as bytes; what is ``carry`` below a whole goes up. ``levels`` are used up."""
    return levels.add_(carry).floor_().clamp_(0, 255).to(torch.uint8)


def grey(x: Tensor) -> Tensor:
    """The weighted mean of red, green and blue, (n, 1, h, w); one channel stays what it is."""
    if x.shape[1] == 1:
        return x
    red, green, blue = x.split(1, 1)
    return 0.299 * red + 0.587 * green + 0.114 * blue
