"""The memory layout of a network on a processor, where a fault of the library decides on it."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from lggkit.networks.convolution import GuardedConv2d, layers_at_risk, oneDNN_overruns
from lggkit.training.processor import CodePath

FAULT = "against a fault of oneDNN in strided 1×1 convolutions of fewer than 8 channels"


def guarded(path: CodePath, model: nn.Module) -> CodePath:
    """The path on which this network's gradients are right: its own, or contiguous; it says why.

    The networks of `lggkit.networks` guard themselves and stay in channels_last; a network of others that has
    such convolutions is trained in contiguous memory, where there is no fault.
    """
    risky = list(layers_at_risk(model)) if path.device.type == "cpu" and oneDNN_overruns() else []
    if path.channels_last and not all(isinstance(layer, GuardedConv2d) for layer in risky):
        return replace(path, channels_last=False).because(f"contiguous {FAULT}")
    return path.because(f"pixels taken first {FAULT}") if risky else path
