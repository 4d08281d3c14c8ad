"""What a network costs: parameters and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def parameter_count(model: nn.Module) -> int:
    """Number of trainable and frozen parameters, each shared one once; buffers are not counted."""
    return sum(parameter.numel() for parameter in model.parameters())


@torch.no_grad()
def mac_count(model: nn.Module, input_shape: Sequence[int]) -> int:
    """Multiply-accumulates of the convolutions and linear layers for one input of shape (channels, h, w).

    One zero image goes through the network in evaluation mode, on its own device (``meta`` costs nothing); no
    statistic changes and every submodule gets its mode back. Other layers are not counted, as in paper 1: a
    network without weights costs 0.
    """
    counts: list[int] = []

    def count(layer: nn.Conv2d | nn.Linear, _: tuple[Tensor], output: Tensor) -> None:
        counts.append(output.numel() * layer.weight[0].numel())

    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    modes = {module: module.training for module in model.modules()}
    like = next(model.parameters(), torch.empty(0))
    try:
        model.eval()(torch.zeros(1, *input_shape, dtype=like.dtype, device=like.device))
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes.items():
            module.training = training
    return sum(counts)
