"""Batch norm, the sum with a shortcut and ReLU on a CPU, by kernels in C++ that are compiled where they run.

PyTorch's batch norm takes an image in channels_last a pixel at a time and fills vectors with channels: where
these are few, most of a vector is empty. The kernels of ``norm_relu.cpp`` take several pixels for a row.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SOURCE = Path(__file__).with_name("norm_relu.cpp")
COMPILE = ("-O3", "-march=native", "-std=c++17", "-fopenmp", "-fno-math-errno", "-fno-trapping-math", "-fPIC")
SECONDS = 120
BLOCK = 64
"""The kernels' own: columns are a multiple of it."""


def folds_of(x: Tensor) -> int:
    """How many pixels of x (n, c, h, w) a row holds; 0 where rows cannot be filled."""
    channels = x.shape[1]
    folds = math.lcm(channels, BLOCK) // channels if channels else 1
    return folds if x.numel() and not (x.numel() // channels) % folds else 0


def find_compiler() -> str | None:
    """The path of a C++ compiler, as ``torch.compile`` looks for one; None where there is none."""
    names = (os.environ.get("CXX") or "c++", "g++", "clang++")
    return next((found for name in names if (found := shutil.which(name))), None)


@functools.cache
def library() -> ctypes.CDLL | str:
    """The compiled kernels, or why there are none. Takes a second or two, once in a process.

    They are compiled into a folder of their own that is gone afterwards: no other process, processor or user
    meets them. PyTorch's own OpenMP runs their threads: a second one would take its cores.
    """
    compiler = find_compiler()
    if compiler is None:
        return "no C++ compiler found"
    try:
        with tempfile.TemporaryDirectory() as folder:
            parts, whole = Path(folder, "kernels.o"), Path(folder, "kernels.so")
            for command in (["-c", *COMPILE, str(SOURCE), "-o", parts], ["-shared", parts, "-o", whole]):
                subprocess.run([compiler, *command], check=True, capture_output=True, timeout=SECONDS)
            return ctypes.CDLL(str(whole))
    except (OSError, subprocess.SubprocessError) as error:
        return f"{Path(compiler).name} built no kernels ({type(error).__name__})"


def fused_on_host(norm: nn.BatchNorm2d, x: Tensor, other: Tensor | None, relu: bool) -> Tensor:
    """relu(norm(x) + other) in training; `lggkit.networks.norm_relu.suits` says of what."""
    buffers = norm.running_mean, norm.running_var
    y = _NormRelu.apply(x, other, norm.weight, norm.bias, buffers, norm.momentum, norm.eps, relu)
    norm.num_batches_tracked.add_(1)
    return y


class _NormRelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        other: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        buffers: tuple[Tensor, Tensor],
        momentum: float,
        eps: float,
        relu: bool,
    ) -> Tensor:
        out, (mean, scale) = torch.empty_like(x), torch.empty(2, x.shape[1])
        given = x, other, out, weight, bias, *buffers, mean, scale
        _entry("forward", x)(*map(_place, given), *_shape(x), _float(momentum), _float(eps), int(relu))
        ctx.save_for_backward(x, out, mean, scale, weight)
        ctx.relu, ctx.summed = relu, other is not None
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, out, mean, scale, weight = ctx.saved_tensors
        gradient = gradient.to(x.dtype).contiguous(memory_format=torch.channels_last)
        of_x, of_other = torch.empty_like(x), torch.empty_like(x) if ctx.summed else None
        of_weight, of_bias = torch.empty_like(weight), torch.empty_like(weight)
        given = x, out, gradient, weight, mean, scale, of_x, of_other, of_weight, of_bias
        _entry("backward", x)(*map(_place, given), *_shape(x), int(ctx.relu))
        return of_x, of_other, of_weight, of_bias, None, None, None, None


_float = ctypes.c_float


def _entry(name: str, x: Tensor) -> Callable[..., None]:
    entry = getattr(library(), f"{name}_{str(x.dtype).removeprefix('torch.')}")
    entry.restype = None
    return entry


def _place(x: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if x is None else x.data_ptr())


def _shape(x: Tensor) -> tuple[Any, ...]:
    pixels, channels = x.numel() // x.shape[1], x.shape[1]
    sizes = (ctypes.c_int64(size) for size in (pixels, channels, folds_of(x)))
    return *sizes, ctypes.c_int(torch.get_num_threads())
