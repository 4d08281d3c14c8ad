"""Convolutions of few channels on a GPU: neighbouring columns are taken for channels.

Matrix units work on tiles of dozens of channels; a convolution of 8 leaves most of a tile empty. In
channels_last memory the 8 channels of 8 neighbouring columns are 64 numbers in a row. The same memory, read
as an image of an eighth of the width with 64 channels, is convolved with a kernel that holds every weight
8 times and zeros elsewhere. What comes out is the same to rounding.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = 64


def columns_of(layer: nn.Conv2d, x: Tensor) -> int:
    """How many columns of the output to take for channels; 1 where nothing is gained or it cannot be done."""
    (a, b), (down, right) = layer.kernel_size, layer.stride
    plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
    if (
        not (plain and a % 2 and b % 2)
        or down != right
        or layer.padding != (a // 2, b // 2)
        or x.shape[-1] % right
    ):
        return 1
    if not x.is_contiguous(memory_format=torch.channels_last):
        return 1
    columns, wide, width = 1, max(layer.out_channels, layer.in_channels * right), x.shape[-1] // right
    while 2 * columns * wide <= CHANNELS and width % (2 * columns) == 0:
        columns *= 2
    return columns if columns > 1 and b // 2 <= columns * right else 1


def conv_by_columns(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, columns: int) -> Tensor:
    """`torch.nn.functional.conv2d` of x (n, c, h, w) in channels_last, padded by half the kernel.

    ``columns`` of the output are taken together, as `columns_of` chooses them.
    """
    wide, blocks = widen(weight, stride, columns), as_channels(x, columns * stride)
    repeated, padding = None if bias is None else bias.repeat(columns), (weight.shape[2] // 2, 1)
    return as_columns(F.conv2d(blocks, wide, repeated, (stride, 1), padding), columns)


def as_channels(x: Tensor, columns: int) -> Tensor:
    """(n, c, h, w) in channels_last -> (n, columns·c, h, w / columns), a view."""
    n, channels, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(n, height, width // columns, columns * channels)
    return rows.permute(0, 3, 1, 2)


def as_columns(x: Tensor, columns: int) -> Tensor:
    """The reverse of `as_channels`."""
    n, channels, height, width = x.shape
    x = x.contiguous(memory_format=torch.channels_last)
    rows = x.permute(0, 2, 3, 1).reshape(n, height, width * columns, channels // columns)
    return rows.permute(0, 3, 1, 2)


def widen(weight: Tensor, stride: int, columns: int) -> Tensor:
    """Weights (k, c, a, b) -> (columns·k, columns·stride·c, a, 3), in channels_last."""
    return _Widened.apply(weight, stride, columns)


class _Widened(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, stride: int, columns: int) -> Tensor:
        source, inside, back = places(tuple(weight.shape), stride, columns, weight.device)
        ctx.back, ctx.shape = back, weight.shape
        k, c, a, _ = weight.shape
        laid = weight.reshape(-1)[source] * inside.to(weight.dtype)
        return laid.view(columns * k, a, 3, columns * stride * c).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        rows = gradient.permute(0, 2, 3, 1).reshape(-1)
        return rows[ctx.back].sum(1).view(ctx.shape), None, None


@functools.lru_cache(maxsize=256)
def places(
    shape: tuple[int, int, int, int], stride: int, columns: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """For each place of the wide kernel its weight and whether it has one; for each weight its places."""
    k, c, a, b = shape
    block = columns * stride
    j, out, row, side, i, inp = torch.meshgrid(
        *(torch.arange(size) for size in (columns, k, a, 3, block, c)), indexing="ij"
    )
    tap = (side - 1) * block + i - j * stride + b // 2
    inside = ((tap >= 0) & (tap < b)).flatten()
    source = (((out * c + inp) * a + row) * b + tap.clamp(0, b - 1)).flatten()
    found = inside.nonzero().flatten()
    back = found[torch.argsort(source[found], stable=True)].view(k * c * a * b, columns)
    return source.to(device), inside.to(device, torch.float32), back.to(device)
