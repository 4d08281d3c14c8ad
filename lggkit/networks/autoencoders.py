"""Encoders and decoders of pictures with one hidden layer, for vectors of pixels."""

from __future__ import annotations

import torch
from torch import nn


def dense(widths: tuple[int, int, int], seed: int) -> nn.Sequential:
    """A linear layer, ReLU and a linear layer, (n, inputs) -> (n, outputs); the seed decides the weights.

    Args:
        widths: inputs, hidden units and outputs.
        seed: of torch's usual draw of weights; the global random state is left as it was.
    """
    inputs, hidden, outputs = widths
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
