"""Heads that are trained on coordinates or images, those of all dimensions k at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.protocol import Part


@dataclass(frozen=True)
class Head(Part):
    """How logits ``(bᵀ W)² / T`` are trained by cross-entropy, with Adam over all samples at once."""

    temperature: float = 0.1
    steps: int = 300
    rate: float = 0.02


def centroids(b: Tensor, labels: Tensor, head: Head, generator: torch.Generator) -> Tensor:
    """Trained centroids W (s, k, 2) for s sets of coordinates (s, r, k), each of its own.

    Coordinates of fewer dimensions than k are filled with zeros, which changes nothing.
    """
    weight = torch.randn(1, b.shape[-1], 2, generator=generator, dtype=b.dtype).repeat(len(b), 1, 1)
    weight = (weight / b.shape[-1] ** 0.5).requires_grad_()
    _minimise([weight], lambda: logits(b, weight, head), labels, head)
    return weight.detach()


def logits(b: Tensor, weight: Tensor, head: Head) -> Tensor:
    """``(bᵀ W)² / T`` (s, r, 2)."""
    return (b @ weight).square() / head.temperature


def tanh_layers(
    x: Tensor, labels: Tensor, dims: tuple[int, ...], head: Head, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Weights (s, p, k) and centroids (s, k, 2) of layers of tanh units in place of the subspace.

    One for each of ``dims``; units that a layer does not have are zero. Samples (n, p) have length one.
    """
    most = max(dims)
    units = torch.arange(most) < torch.tensor(dims)[:, None]
    options = {"generator": generator, "dtype": x.dtype}
    first = (torch.randn(1, x.shape[1], most, **options) * units[:, None]).requires_grad_()
    second = (torch.randn(1, most, 2, **options) / most**0.5 * units[:, :, None]).requires_grad_()
    _minimise([first, second], lambda: logits(torch.tanh(x @ first), second, head), labels, head)
    return first.detach(), second.detach()


def _minimise(weights: list[Tensor], outputs: Callable[[], Tensor], labels: Tensor, head: Head) -> None:
    """The sum over all s heads of their mean cross-entropies, so that none changes another."""
    optimiser = torch.optim.Adam(weights, lr=head.rate)
    for _ in range(head.steps):
        scores = outputs()
        asked = labels.expand(len(scores), -1).flatten()
        loss = F.cross_entropy(scores.flatten(0, 1), asked, reduction="sum") / len(labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def padded(coordinates: list[Tensor], most: int) -> Tensor:
    """Coordinates (r, k) of several k as one tensor (s, r, most), filled with zeros."""
    return torch.stack([F.pad(one, (0, most - one.shape[-1])) for one in coordinates])
