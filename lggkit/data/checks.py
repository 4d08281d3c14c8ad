"""What callers may give: tensors or arrays, integers of any kind, labels; else one sentence says so."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

LARGEST = 2**63 - 1


def a_tensor(what: str, value: Any) -> Tensor:
    """The value, if it is a tensor; else ``TypeError``."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{what} are a {type(value).__name__}: give a tensor, as of torch.from_numpy.")
    return value


def as_tensor(what: str, value: Any) -> Tensor:
    """A tensor as it is, a NumPy array as a tensor; on the CPU they share memory where they can.

    Raises ``TypeError`` for anything else, a list too, and for arrays of objects or text.
    """
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{what} are a {type(value).__name__}: give a tensor or a NumPy array.")
    if value.dtype.kind not in "buif":
        raise TypeError(f"{what} are an array of {value.dtype}: give numbers.")
    native = value.astype(value.dtype.newbyteorder("="), copy=False)
    return torch.from_numpy(np.require(native, requirements=("C", "W")))


def check_generator(value: Any) -> None:
    """Refuses what is no ``torch.Generator``, with ``TypeError``."""
    if not isinstance(value, torch.Generator):
        raise TypeError(f"the generator is a {type(value).__name__}: give a torch.Generator.")


def as_integer(what: str, value: Any, low: int = -LARGEST, high: int = LARGEST) -> int:
    """An integer of Python, NumPy or torch in low..high, as Python's.

    Raises ``TypeError`` where it is none (a truth value, a float), ``ValueError`` where it is out of range.
    """
    whole = _index(value)
    if whole is None:
        raise TypeError(f"{what} is {value!r}: give an integer.")
    if not low <= whole <= high:
        upper = f" to {high}" if high < LARGEST or whole > high else " on"
        raise ValueError(f"{what} is {whole}: give an integer from {low}{upper}.")
    return whole


def _index(value: Any) -> int | None:
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, Tensor) and value.dtype == torch.bool):
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):
        return None


def places(indices: Any, count: int, device: torch.device) -> Tensor:
    """Indices of ``count`` samples, int64 (m,), or a mask of them, bool (count,), on a device.

    Raises ``TypeError`` for what is no integer, ``IndexError`` outside the set (seen on the CPU only).
    """
    try:
        chosen = torch.as_tensor(indices)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"indices are {indices!r:.80}: give integers or a mask.") from None
    if chosen.dtype == torch.bool:
        if chosen.shape != (count,):
            raise IndexError(
                f"the mask is of shape {tuple(chosen.shape)}: give {count} values, one for each."
            )
        return chosen.to(device)
    if chosen.ndim != 1 or (len(chosen) and (chosen.is_floating_point() or chosen.is_complex())):
        raise TypeError(f"indices are {described(chosen)}: give a row of integers or a mask.")
    chosen = chosen.long()
    if chosen.device.type == "cpu" and chosen.numel() and not -count <= chosen.min() <= chosen.max() < count:
        seen = f"{chosen.min()} to {chosen.max()}"
        raise IndexError(f"indices run from {seen}, but there are {count} samples: choose among these.")
    return chosen.to(device)


def described(tensor: Tensor) -> str:
    """Its dtype and shape, for sentences."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


NUMBERED = 100_000
"""As many classes get their numbers as names; labels beyond are rather codes than numbers of classes."""


def as_labels(labels: Any, count: int, sample: str = "image") -> Tensor:
    """Integer labels of any kind, tensor or array, as int64 (count,).

    Raises ``TypeError`` where they are none, ``ValueError`` where there is not one for each sample.
    """
    labels = as_tensor("labels", labels)
    whole = not (labels.is_floating_point() or labels.is_complex())
    if not whole or labels.shape != (count,):
        expected = f"int64 ({count},), one for each {sample}"
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
