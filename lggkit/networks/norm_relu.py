"""Batch norm, the sum with a shortcut and ReLU, by kernels of our own where they are asked for.

As modules they are three kernels each way, all of which read and write every activation; here they are two
passes each way, over rows of 64 numbers however few the channels are. What comes out is the same to rounding.
On a GPU the kernels are Triton's, on a CPU those of `norm_host`.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.networks.norm_host import folds_of, fused_on_host, library
from lggkit.networks.own_kernels import wanted

PROGRAMS = 128
COLUMNS = 64
WIDEST = 512
TILE = 2048
"""Programs that sum rows, the columns of a row, the most channels, and the numbers that a tile holds."""


def norm_relu(norm: nn.Module, relu: nn.Module | None, x: Tensor, other: Tensor | None = None) -> Tensor:
    """relu(norm(x) + other) of x and ``other`` (n, c, h, w); without ``relu`` or ``other`` less.

    The modules are called wherever somebody listens to them; another function than ReLU always is.
    """
    if type(relu) not in (nn.ReLU, type(None)):
        return relu(norm_relu(norm, None, x, other))
    if wanted(x) and torch.is_grad_enabled() and suits(norm, relu, x, other):
        if x.device.type == "cpu" and not isinstance(library(), str):
            return fused_on_host(norm, x, other, relu is not None)
        if x.is_cuda and has_triton():
            return fused(norm, x, other, relu is not None)
    values = norm(x)
    values = values if other is None else values + other
    return values if relu is None else relu(values)


def suits(norm: nn.Module, relu: nn.Module | None, x: Tensor, other: Tensor | None) -> bool:
    """Whether the kernels compute these modules on such maps: batch norm in training, in channels_last."""
    if type(norm) is not nn.BatchNorm2d or not (norm.training and norm.affine and norm.track_running_stats):
        return False
    if norm.momentum is None or type(relu) not in (nn.ReLU, type(None)) or any(map(_heard, (norm, relu))):
        return False
    maps = [x] if other is None else [x, other]
    laid = all(m.dim() == 4 and m.is_contiguous(memory_format=torch.channels_last) for m in maps)
    if not laid or any(m.shape != x.shape or m.dtype != x.dtype for m in maps):
        return False
    typed = x.dtype in (torch.float32, torch.bfloat16) and norm.weight.dtype is torch.float32
    filled = _fills_rows(x) if x.is_cuda else folds_of(x) > 0
    return typed and filled and x.numel() > x.shape[1]


def _fills_rows(x: Tensor) -> bool:
    """Whether channels are a power of two, pixels fill whole rows, and places fit 32 bits."""
    channels, size = x.shape[1], x.numel()
    whole = 0 < channels <= WIDEST and channels & (channels - 1) == 0 and 0 < size < 2**31
    return whole and (size // channels) % max(1, COLUMNS // channels) == 0


def _heard(module: nn.Module | None) -> bool:
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return module is not None and any(getattr(module, name) for name in hooks)


def fused(norm: nn.BatchNorm2d, x: Tensor, other: Tensor | None, relu: bool) -> Tensor:
    """By the kernels; `suits` says of what."""
    buffers = norm.running_mean, norm.running_var, norm.num_batches_tracked
    return _NormRelu.apply(x, other, norm.weight, norm.bias, buffers, norm.momentum, norm.eps, relu)


@functools.cache
def has_triton() -> bool:
    """Whether Triton is installed, as it is with PyTorch's builds for NVIDIA GPUs."""
    return importlib.util.find_spec("triton") is not None


@dataclass(frozen=True)
class _Cut:
    """How a map is cut: ``folds`` pixels a row, ``each`` rows a program that sums, else ``tile`` rows."""

    channels: int
    pixels: int

    @classmethod
    def of(cls, x: Tensor) -> _Cut:
        return cls(x.shape[1], x.numel() // x.shape[1])

    @property
    def folds(self) -> int:
        return max(1, COLUMNS // self.channels)

    @property
    def columns(self) -> int:
        return self.folds * self.channels

    @property
    def rows(self) -> int:
        return self.pixels // self.folds

    @property
    def each(self) -> int:
        return -(-self.rows // PROGRAMS)

    @property
    def tile(self) -> int:
        return TILE // self.columns

    @property
    def tiles(self) -> int:
        return -(-self.rows // self.tile)

    @property
    def partial(self) -> tuple[int, int, int]:
        """The shape of two partial sums."""
        return 2, PROGRAMS, self.columns

    @property
    def shape(self) -> dict[str, int]:
        """What a kernel over rows is compiled for."""
        return {"F": self.columns, "C": self.channels, "T": self.tile}

    @property
    def finish(self) -> dict[str, int]:
        """What a kernel over channels is compiled for."""
        return {"C": self.channels, "B": self.block, "P": PROGRAMS * self.folds, "num_warps": 8}

    @property
    def block(self) -> int:
        return min(self.channels, COLUMNS)

    @property
    def blocks(self) -> int:
        return self.channels // self.block


class _NormRelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        other: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        buffers: tuple[Tensor, Tensor, Tensor],
        momentum: float,
        eps: float,
        relu: bool,
    ) -> Tensor:
        from lggkit.networks import norm_kernels as kernels

        cut, out, how = _Cut.of(x), torch.empty_like(x), {"SUM": other is not None, "RELU": relu}
        parts = torch.empty(cut.partial, dtype=torch.float32, device=x.device)
        mean, scale = torch.empty((2, cut.channels), dtype=torch.float32, device=x.device)
        kernels.moments_kernel[(PROGRAMS,)](x, *parts, cut.rows, cut.each, F=cut.columns, T=cut.tile)
        kernels.finish_moments_kernel[(cut.blocks,)](
            *parts, mean, scale, *buffers, cut.rows, cut.each, cut.folds, momentum, eps, **cut.finish
        )
        given = x, x if other is None else other, out, mean, scale, weight, bias
        kernels.apply_kernel[(cut.tiles,)](*given, cut.rows, **cut.shape, **how)
        ctx.save_for_backward(x, out, mean, scale, weight, bias)
        ctx.how = how
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        from lggkit.networks import norm_kernels as kernels

        x, out, mean, scale, weight, bias = ctx.saved_tensors
        gradient = gradient.to(x.dtype).contiguous(memory_format=torch.channels_last)
        cut, of_x, given = _Cut.of(x), torch.empty_like(x), (x, out, gradient, mean, scale, weight, bias)
        of_other = torch.empty_like(x) if ctx.how["SUM"] else None
        parts = torch.empty(cut.partial, dtype=torch.float32, device=x.device)
        sums = torch.empty_like(bias), torch.empty_like(weight)
        kernels.gradient_sums_kernel[(PROGRAMS,)](*given, *parts, cut.rows, cut.each, **cut.shape, **ctx.how)
        kernels.finish_sums_kernel[(cut.blocks,)](*parts, *sums, **cut.finish)
        written = of_x, of_x if of_other is None else of_other
        kernels.gradient_kernel[(cut.tiles,)](
            *given, *sums, *written, cut.rows, cut.pixels, **cut.shape, **ctx.how
        )
        return of_x, of_other, sums[1], sums[0], None, None, None, None
