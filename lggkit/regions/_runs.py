"""How a network is run: its ReLUs in the order of their calls, seen, or replaced by given masks."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lggkit.graph._precision import accumulating

AFFINE = (
    *(nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Identity, nn.Flatten, nn.Unflatten),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Dropout, nn.Dropout1d, nn.Dropout2d),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.Upsample, nn.ZeroPad2d),
)
PIECEWISE = (nn.ReLU, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
RELUS = frozenset((F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_))
POOLS = frozenset((F.max_pool1d, F.max_pool2d, F.max_pool3d, F.adaptive_max_pool2d, F.adaptive_max_pool1d))
CURVED = frozenset(
    re.findall(
        r"\w+",
        "sigmoid tanh gelu silu elu selu celu softplus softmax log_softmax mish exp log sqrt rsqrt "
        "leaky_relu prelu rrelu hardtanh relu6 hardswish hardsigmoid softsign logsigmoid sin cos abs "
        "layer_norm group_norm instance_norm normalize scaled_dot_product_attention",
    )
)
"""Functions that are refused by name where a network calls them; modules are held to `AFFINE`.

Those that are not here are seen by `lggkit.regions._bends`.
"""
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
"""May be empty: an empty ``Sequential`` is the identity."""


class _Reached(Exception):
    """The call that was asked for has been reached; the rest of the network need not run."""


class Pooled(TypeError):
    """The network has max-pooling, and is to run with its bits held."""


class Runner:
    """A copy of a network in evaluation mode and float64, whose ReLU calls can be seen and replaced.

    Raises:
        TypeError: it is no module, or has a part that is not piecewise linear; the message names it.
        ValueError: batch normalisation keeps no running statistics.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype | None = torch.float64) -> None:
        if not isinstance(network, nn.Module):
            raise TypeError(f"the network is a {type(network).__name__}; give a torch.nn.Module")
        check_parts(network)
        self.module = copy.deepcopy(network).eval().requires_grad_(False)
        self.module = self.module if dtype is None else self.module.to(dtype)

    def seen(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Inputs of all ReLU calls in order, each (n, units), and the outputs (n, ...)."""
        with Watch() as watch:
            outputs = self.module(x)
        return watch.inputs, outputs

    def masked(
        self, x: Tensor, masks: Sequence[Tensor], upto: int | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """The same with ReLU call j replaced by a product with ``masks[j]`` (n, units) or (units,).

        With ``upto`` the network is run to the call of that number only, whose input is the last one; the
        outputs are then that input too.
        """
        with Watch(masks, upto) as watch:
            try:
                outputs = self.module(x)
            except _Reached:
                outputs = watch.inputs[-1]
        return watch.inputs, outputs


def check_parts(network: nn.Module) -> None:
    """Refuse by name a module that has parts that are not piecewise linear in evaluation mode."""
    for name, part in network.named_modules():
        leaf = not any(True for _ in part.children())
        where = f"{name or 'the network'} is {type(part).__name__}"
        own = type(part).__module__.startswith("torch.nn")
        if leaf and own and not isinstance(part, (*AFFINE, *PIECEWISE, *CONTAINERS)):
            raise TypeError(
                f"{where}, which is not piecewise linear as this module knows it; use Linear, convolutions, "
                "BatchNorm in evaluation mode, pooling and ReLU"
            )
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None:
            raise ValueError(f"{where} without running statistics; make it with track_running_stats=True")


class Watch(TorchFunctionMode):
    """Catches ReLUs, whether modules or functions; other functions that bend are refused by name."""

    def __init__(self, masks: Sequence[Tensor] | None = None, upto: int | None = None) -> None:
        super().__init__()
        self.masks, self.upto, self.inputs = masks, upto, []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in RELUS:
            return self._relu(args[0] if args else kwargs["input"])
        if func in POOLS and self.masks is not None:
            raise Pooled("the network has max-pooling, whose pieces are no ReLUs'; use average pooling")
        if getattr(func, "__name__", "") in CURVED:
            raise TypeError(f"the network calls {func.__name__}, which is not piecewise linear; use ReLU")
        return func(*args, **kwargs)

    def _relu(self, x: Tensor) -> Tensor:
        place = len(self.inputs)
        self.inputs.append(x.flatten(1))
        if self.upto == place:
            raise _Reached
        if self.masks is None:
            return x.clamp(min=0)
        return x * self.masks[place].to(x.dtype).expand(len(x), -1).view_as(x)


def finite(x: Tensor, name: str) -> Tensor:
    """``x`` in the type it is computed in.

    Raises:
        TypeError: it is no float tensor.
        ValueError: an entry is NaN or infinite.
    """
    x = accumulating(x, name)
    if bad := int((~x.isfinite()).sum()):
        raise ValueError(f"{bad} of {x.numel()} entries of {name} are NaN or infinite; give numbers only")
    return x


def split(bits: Tensor, widths: Sequence[int]) -> list[Tensor]:
    """Bits (n, h) or (h,) of all calls as one mask a call.

    Raises:
        ValueError: they are not as many as the network has units.
    """
    if bits.shape[-1] != sum(widths):
        raise ValueError(f"a pattern has {bits.shape[-1]} bits; the network has {sum(widths)} units")
    return list(bits.split(list(widths), dim=-1))
