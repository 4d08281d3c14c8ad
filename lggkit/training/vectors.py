"""Training on vectors instead of images: several models at once, each on its own view of the same samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.networks.text import StackedLinear


@dataclass(frozen=True)
class VectorTraining:
    """AdamW with a rate that falls linearly to zero, as the authors of paper 4 train their heads."""

    epochs: int = 40
    batch_size: int = 96
    learning_rate: float = 2e-4
    weight_decay: float = 0.01


def minimise(
    parameters: Iterable[nn.Parameter],
    batches: Callable[[], Iterable[Tensor]],
    loss: Callable[[Tensor], Tensor],
    training: VectorTraining,
    after_step: Callable[[int], None] | None = None,
) -> list[float]:
    """Lowers a loss over ``training.epochs`` passes; gives the mean loss of each.

    Args:
        parameters: what is trained.
        batches: one epoch of places, as `shuffled_batches` or `lggkit.data.class_batches` give them.
        loss: of a batch of places, a scalar.
        after_step: called with the number of steps done.
    """
    optimizer = torch.optim.AdamW(parameters, lr=training.learning_rate, weight_decay=training.weight_decay)
    epochs = [list(batches()) for _ in range(training.epochs)]
    total, done, curve = sum(map(len, epochs)), 0, []
    for epoch in epochs:
        losses = []
        for places in epoch:
            optimizer.param_groups[0]["lr"] = training.learning_rate * (1 - done / total)
            losses.append(_step(optimizer, loss(places)))
            done += 1
            if after_step is not None:
                after_step(done)
        curve.append(torch.stack(losses).mean().item())
    return curve


def _step(optimizer: torch.optim.Optimizer, value: Tensor) -> Tensor:
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach()


def shuffled_batches(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """Places of one epoch in batches of ``size``; what is left over waits for another epoch."""
    size = min(size, n)
    order = torch.randperm(n, generator=generator)
    return list(order[: n - n % size].split(size))


def train_heads(
    inputs: Tensor, labels: Tensor, classes: int, training: VectorTraining, generator: torch.Generator
) -> StackedLinear:
    """A linear head for each encoder, trained by cross-entropy; all see the same batches.

    Args:
        inputs: (e, n, d), one representation of the same samples an encoder.
        labels: int64 (n,).
        classes: how many.
        training: for how long, and how.
        generator: of initial weights and of the order.
    """
    heads = StackedLinear(len(inputs), inputs.shape[-1], classes, generator)

    def loss(places: Tensor) -> Tensor:
        return stacked_cross_entropy(heads(inputs[:, places]), labels[places])

    batches = lambda: shuffled_batches(len(labels), training.batch_size, generator)  # noqa: E731
    minimise(heads.parameters(), batches, loss, training)
    return heads.requires_grad_(False)


def stacked_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum over encoders of the mean cross-entropy of logits (e, n, c)."""
    return F.cross_entropy(logits.transpose(1, 2), labels.expand(len(logits), -1), reduction="sum") / len(
        labels
    )
