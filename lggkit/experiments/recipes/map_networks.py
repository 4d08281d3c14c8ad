"""Article 4's networks of images, and small ones of the plane, many restarts of these at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.experiments.recipes.small_mlps import mlp, outputs, stacked_weights, take_weights
from lggkit.networks.blocks import PostActivationBlock, global_pool, stack

KINDS = ("dense", "conv1", "conv2", "resnet")


def built(kind: str, settings: Any, side: int, seed: int) -> nn.Module:
    """One of `KINDS` with random weights, for images (n, 1, side, side); conv2 has weights of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(2 * seed + (kind == "conv2"))
        if kind == "dense":
            return nn.Sequential(
                *(nn.Flatten(), nn.Linear(side * side, 128), nn.ReLU(), nn.Dropout(), nn.Linear(128, 10))
            )
        return _residual(settings) if kind == "resnet" else _convolutional(settings, side)


def _convolutional(settings: Any, side: int) -> nn.Module:
    kernel, padding = settings.kernel, settings.padding
    for _ in range(2):
        side = (side + 2 * padding - kernel + 1) // 2
    return nn.Sequential(
        *(nn.Conv2d(1, 10, kernel, padding=padding), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, kernel, padding=padding), nn.Dropout2d(), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(20 * side * side, 50), nn.ReLU(), nn.Dropout(), nn.Linear(50, 10)),
    )


def _residual(settings: Any) -> nn.Module:
    width, depth = settings.width, settings.blocks // 2
    widths, strides = [width] * depth + [2 * width] * depth, [1] * depth + [2] + [1] * (depth - 1)
    stem = (nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(width), nn.ReLU())
    body = stack(PostActivationBlock, width, widths, strides)
    return nn.Sequential(*stem, *body, global_pool(), nn.Linear(2 * width, 10))


def fit(network: nn.Module, x: Tensor, labels: Tensor, sgd: tuple, epochs: int, batch: int, seed: int):
    """The network after SGD with (rate, momentum, decay) on the cross-entropy, in evaluation mode."""
    rate, momentum, decay = sgd
    steps = torch.optim.SGD(network.parameters(), rate, momentum, weight_decay=decay)
    order = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # dropout
        for _ in range(epochs):
            for part in torch.randperm(len(x), generator=order).split(batch):
                steps.zero_grad()
                F.cross_entropy(network(x[part]), labels[part]).backward()
                steps.step()
    return network.eval().requires_grad_(False)


def restarts(widths: tuple[int, ...], seed: int, count: int) -> list[nn.Sequential]:
    """Networks of the plane with the weights that torch draws from ``count`` seeds of a block."""
    return [mlp(widths, seed * count + i) for i in range(count)]


def fit_together(
    networks: list[nn.Sequential], x: Tensor, labels: Tensor, sgd: tuple, epochs: int, batch: int, seed: int
) -> Iterator[list[Tensor]]:
    """All networks on the same batches by SGD on the squared error of one-hot labels; weights after each.

    They are stacked, (count, ...) each, and change in place.
    """
    rate, momentum, decay = sgd
    stacked = stacked_weights(networks)
    steps = torch.optim.SGD(stacked, rate, momentum, weight_decay=decay)
    order, target = torch.Generator().manual_seed(seed), F.one_hot(labels, 2).float()
    for _ in range(epochs):
        for part in torch.randperm(len(x), generator=order).split(batch):
            steps.zero_grad()
            (outputs(stacked, x[part]) - target[part]).square().mean((1, 2)).sum().backward()
            steps.step()
            yield stacked


def unstacked(stacked: list[Tensor], place: int) -> nn.Sequential:
    """One of them as a network."""
    widths = (stacked[0].shape[2], *[weight.shape[1] for weight in stacked[::2]])
    return take_weights(mlp(widths, 0).requires_grad_(False), stacked, place)


def deciding(network: nn.Sequential) -> nn.Sequential:
    """The same followed by one unit that is on where the second output is above the first."""
    last = nn.Linear(2, 1, bias=False).requires_grad_(False)
    last.weight.copy_(torch.tensor([[-1.0, 1.0]]))
    return nn.Sequential(*network, last, nn.ReLU())
