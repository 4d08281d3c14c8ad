"""Class labels: integers from 0 on, one an image, each with a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from lggkit.data.checks import as_tensor, described

NUMBERED = 100_000
"""As many classes get their numbers as names; labels beyond are rather codes than numbers of classes."""


def as_labels(labels: Any, count: int) -> Tensor:
    """Integer labels of any kind, tensor or array, as int64 (count,).

    Raises ``TypeError`` where they are none, ``ValueError`` where there is not one for each image.
    """
    labels = as_tensor("labels", labels)
    whole = not (labels.is_floating_point() or labels.is_complex())
    if not whole or labels.shape != (count,):
        expected = f"int64 ({count},), one for each image"
        raise ValueError(f"labels must be {expected}, not {described(labels)}: convert them first.")
    return labels.long()


def class_names(labels: Tensor, names: Sequence[str] | None) -> tuple[str, ...]:
    """The names of all classes, their numbers where none are given.

    Raises ``TypeError`` for a number of classes, ``ValueError`` where a label has no name, or would need more
    than 100,000 names that are numbers.
    """
    if names is not None and not isinstance(names, Iterable):
        raise TypeError(f"classes are {names!r}: give a name for each class.")
    low, high = span(labels)
    if names is None and high >= NUMBERED:
        raise ValueError(
            f"labels run from {low} to {high}: number the classes from 0, as of "
            "torch.unique(labels, return_inverse=True)."
        )
    named = tuple(map(str, range(high + 1))) if names is None else tuple(names)
    check_range(labels, len(named))
    return named


def check_range(labels: Tensor, classes: int) -> None:
    """Refuses labels outside 0..classes-1; on the CPU only, since elsewhere a look would wait."""
    if labels.device.type != "cpu" or not len(labels):
        return
    low, high = span(labels)
    if low < 0 or high >= classes:
        raise ValueError(
            f"labels run from {low} to {high}, but there are {classes} classes: number them from 0, as of "
            "torch.unique(labels, return_inverse=True)."
        )


def span(labels: Tensor) -> tuple[int, int]:
    """The least and the largest label; 0 and -1 where there are none."""
    if not len(labels):
        return 0, -1
    low, high = torch.aminmax(labels)
    return int(low), int(high)
