"""Convolutions whose gradients are right on every processor, and quick where the library's are not.

oneDNN, which PyTorch uses on x86, copies the input of a strided, unpadded 1×1 convolution in channels_last to
unit stride before it computes the gradient of the weights. With AVX2 it copies eight channels a pixel, also
where there are fewer, and writes past its memory: the process aborts, now or later, or gradients are wrong.
With AVX-512 it does not, and without AVX2 it goes another way. No release is known to be without the fault.
Source: oneDNN, issue 6035.

The gradient of a strided depthwise convolution in bfloat16 has no fast kernel on x86 (PyTorch 2.15): at
72 channels of 32×32 and batch 128 it takes five times as long as in float32, which makes bfloat16 the slower
precision of a whole MobileNet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.networks.narrow import columns_of, conv_by_columns
from lggkit.networks.own_kernels import wanted

CHANNELS_COPIED = 8
AVX512_CORE = ("avx512_f", "avx512_bw", "avx512_vl", "avx512_dq")


class GuardedConv2d(nn.Conv2d):
    """A convolution that takes every stride-th pixel itself where the library would write past its memory.

    A strided depthwise one is computed in float32 on a CPU, also under autocast; its output has the type that
    the library's would. The numbers are those of `torch.nn.Conv2d` (to rounding); so are the parameters and
    their names. Whether the processor is affected is settled where the layer is built or unpickled; elsewhere
    nothing changes.
    """

    def __init__(self, *arguments, **settings) -> None:
        super().__init__(*arguments, **settings)
        self.overruns = oneDNN_overruns()

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self.overruns = oneDNN_overruns()

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.overruns and x.device.type == "cpu" and at_risk(self):
            down, right = self.stride
            return F.conv2d(x[..., ::down, ::right], weight, bias)
        dtype = dtype_on_cpu(x)
        if dtype is torch.bfloat16 and strided_depthwise(self):
            with torch.autocast("cpu", enabled=False):
                bias = None if bias is None else bias.float()
                return super()._conv_forward(x.float(), weight.float(), bias).to(dtype)
        columns = columns_of(self, x) if x.is_cuda and wanted(x) else 1
        if columns > 1:
            return conv_by_columns(x, weight, bias, self.stride[0], columns)
        return super()._conv_forward(x, weight, bias)


def dtype_on_cpu(x: Tensor) -> torch.dtype | None:
    """The type that a convolution of ``x`` computes in on a CPU, autocast or not; None elsewhere."""
    if x.device.type != "cpu":
        return None
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


def strided_depthwise(layer: nn.Conv2d) -> bool:
    """Whether a convolution has a filter for each of several channels, and leaves pixels out."""
    return layer.groups == layer.in_channels > 1 and max(layer.stride) > 1


def at_risk(layer: nn.Conv2d) -> bool:
    """Whether a convolution has the shape of the fault: 1×1, strided, unpadded, of fewer than 8 channels."""
    strided = layer.kernel_size == (1, 1) and layer.stride != (1, 1)
    unpadded = layer.padding in ((0, 0), "valid") or layer.padding_mode != "zeros"
    return strided and unpadded and layer.groups == 1 and layer.in_channels < CHANNELS_COPIED


def layers_at_risk(model: nn.Module) -> Iterator[nn.Conv2d]:
    """The convolutions of a network that have this shape, guarded or not."""
    return (layer for layer in model.modules() if isinstance(layer, nn.Conv2d) and at_risk(layer))


def oneDNN_overruns() -> bool:
    """Whether oneDNN has the fault here; True where that cannot be known.

    What counts is the instruction set that oneDNN uses: the processor's, or less by ``ONEDNN_MAX_CPU_ISA``.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    limit = (os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "").lower()
    if limit in ("sse41", "avx"):
        return False
    return limit.startswith("avx2") or not (_has_avx512() or _lacks_avx2())


def _has_avx512() -> bool:
    capabilities = _capabilities()
    if capabilities:
        return all(capabilities.get(name) for name in AVX512_CORE)
    return torch.backends.cpu.get_cpu_capability() == "AVX512"


def _lacks_avx2() -> bool:
    return _capabilities().get("avx2") is False


def _capabilities() -> dict:
    """What the processor can do, whatever ATen was told to use; empty where PyTorch does not tell."""
    tell = getattr(torch.cpu, "get_capabilities", dict)
    return tell()
