"""Batch norm, the sum with a shortcut and ReLU of narrow networks on a CPU: ours against PyTorch's modules.

Forward and backward pass together, of a batch of 128 maps in channels_last, on one thread. ``equal`` says
that values and gradients are no farther from those of float64 than PyTorch's are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from usual import BATCH, alternate, row, timed

from lggkit.networks.norm_host import library
from lggkit.networks.norm_relu import norm_relu
from lggkit.networks.own_kernels import own_kernels

MAPS = {(8, 32): "PreActResNet-18 of width 8", (16, 16): "its second stage", (72, 32): "MobileNetV2's first"}
SMALLEST_RATIO = 1.0
TYPES = (torch.float32, torch.bfloat16)
SLACK = 1e-4
ROUNDS = 15


def run() -> list[dict]:
    """One row a shape and type; ratio = PyTorch's / ours. Nothing where no compiler is found."""
    if isinstance(library(), str):
        return []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [compare(*shape, dtype) for shape in MAPS for dtype in TYPES]
    finally:
        torch.set_num_threads(threads)


def compare(channels: int, side: int, dtype: torch.dtype, batch: int = BATCH) -> dict:
    """The row of a shape."""
    sides = [of(channels, side, dtype, batch, own) for own in (True, False)]
    found, exact = [side() for side in sides], of(channels, side, dtype, batch, False, exact=True)()
    ours, theirs = ([apart(*pair) for pair in zip(one, exact, strict=True)] for one in found)
    equal = all(one <= other + SLACK for one, other in zip(ours, theirs, strict=True))
    ours, theirs = alternate([lambda one=one: timed(one) for one in sides], ROUNDS)
    name = f"batch norm, sum and ReLU, {channels} × {side} × {side}, {str(dtype)[6:]}"
    return row(f"{name} ({MAPS[channels, side]})", ours, theirs, equal, "cpu")


def of(
    channels: int, side: int, dtype: torch.dtype, batch: int, own: bool, exact: bool = False
) -> Callable[[], list[Tensor]]:
    """A step that returns values and gradients; ``exact`` computes it in float64."""
    source, norm = torch.Generator().manual_seed(0), nn.BatchNorm2d(channels)
    maps = [torch.randn(batch, channels, side, side, generator=source).to(dtype) for _ in range(3)]
    if exact:
        norm, maps = norm.double(), [one.double() for one in maps]
    x, other, gradient = (one.contiguous(memory_format=torch.channels_last) for one in maps)
    given = [x.requires_grad_(), other.requires_grad_(), norm.weight, norm.bias]

    def step() -> list[Tensor]:
        with own_kernels(own):
            y = norm_relu(norm, nn.ReLU(), x, other)
        return [y.detach(), *torch.autograd.grad(y, given, gradient)]

    return step


def apart(found: Tensor, exact: Tensor) -> float:
    """The size of their difference, as a share of the second's."""
    return float((found.double() - exact).norm() / exact.norm())
