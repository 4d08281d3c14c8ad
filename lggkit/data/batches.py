"""The order of an epoch, and its batches."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lggkit.data.checks import as_integer, check_generator, places
from lggkit.data.dataset import DataSet


def epoch_order(n: int, generator: torch.Generator) -> Tensor:
    """A uniformly random order of n samples.

    Args:
        n: number of samples.
        generator: of the draw.

    Returns:
        A permutation of 0..n-1, int64 (n,), on the generator's device.

    Raises:
        TypeError, ValueError: ``n`` is no integer, or negative.
    """
    check_generator(generator)
    n = as_integer("n", n, 0)
    return torch.randperm(n, generator=generator, device=generator.device)


def batches(
    data: DataSet, order: Tensor, batch_size: int, drop_last: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """The samples of a set, some at a time, in the given order.

    The last batch is shorter when ``batch_size`` does not divide ``len(order)``; it is *kept* (as the papers'
    code does: 50,000 images in batches of 128 end with one of 80) unless ``drop_last``.

    Args:
        data: the set.
        order: indices, int64 (m,), any device.
        batch_size: samples a batch, at least 1.
        drop_last: leave out a shorter last batch.

    Yields:
        Images uint8 (batch_size, c, h, w) and labels int64 (batch_size,), on the set's device.

    Raises:
        TypeError: the set is not of images, or ``batch_size`` or the order is not of integers.
        ValueError: ``batch_size`` is not positive.
        IndexError: the order reaches beyond the set (seen on the CPU only).
    """
    if not isinstance(data, DataSet):
        raise TypeError(f"the set is a {type(data).__name__}: give a DataSet, which has images.")
    batch_size = as_integer("batch_size", batch_size, 1)
    for indices in places(order, len(data), data.device).split(batch_size):
        if len(indices) == batch_size or not drop_last:
            yield data.images[indices], data.labels[indices]
