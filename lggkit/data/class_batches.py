"""Batches that are made of class-pure sub-batches, as topological densification needs them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lggkit.data.checks import as_integer, check_generator


def class_batches(labels: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """One epoch of batches, each a sub-batch of every class: places int64 (c, size).

    Within a class samples are shuffled and taken without replacement; the epoch ends with the smallest class.

    Args:
        labels: int64 (n,), each class from 0 to the largest present.
        size: samples of a sub-batch.
        generator: of the order.

    Raises:
        TypeError: ``generator`` is none, or ``size`` no integer.
        ValueError: a class has fewer samples than a sub-batch.
    """
    check_generator(generator)
    size = as_integer("size", size)
    counts = torch.bincount(labels)
    least = int(counts.min()) if len(counts) else 0
    if not 1 <= size <= least:
        raise ValueError(
            f"a sub-batch has {size} samples and class {int(counts.argmin()) if len(counts) else 0} {least}; "
            "give smaller sub-batches or more samples"
        )
    shuffled = torch.randperm(len(labels), generator=generator)
    of_class = [shuffled[labels[shuffled] == label] for label in range(len(counts))]
    for start in range(0, least - size + 1, size):
        yield torch.stack([places[start : start + size] for places in of_class])


def class_order(labels: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """The same batches one after another, and then the samples that no batch has: int64 (n,).

    Cut into batches of classes × ``size`` samples, each is made of class-pure sub-batches, class after class.

    Raises:
        TypeError, ValueError: as `class_batches`.
    """
    taken = torch.cat([batch.flatten() for batch in class_batches(labels, size, generator)])
    left = torch.ones(len(labels), dtype=torch.bool)
    left[taken] = False
    return torch.cat([taken, left.nonzero()[:, 0]])
