"""What functions here are given, checked alike everywhere: one sentence on what is wrong, and the remedy."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from lggkit.data.checks import a_tensor

# A few roundings past a bound, as resizing or x / 255 * 255 / 255 leaves them, are no other range.
ROUNDINGS = 4
NOT_NEGATIVE, ANY = "0 or a positive number", "a number"
COUNTABLE = frozenset(getattr(torch, f"{kind}int{bits}") for kind in ("", "u") for bits in (8, 16, 32, 64))


def classes(value: Any, name: str = "labels", device: torch.device | None = None) -> Tensor:
    """Integers of any width as int64, on ``device`` where one is given.

    Raises:
        TypeError: they are no tensor, or of no integer type.
    """
    tensor = a_tensor(name, value)
    if tensor.dtype not in COUNTABLE:
        raise TypeError(f"{name} are {tensor.dtype}; give integers, as of {name}.long()")
    return tensor.to(device or tensor.device, torch.int64)


def in_range(labels: Tensor, count: int | None = None) -> None:
    """Raises ValueError where a label (n,) is negative, or not below the ``count`` of classes."""
    low, high = (int(value) for value in labels.aminmax())
    if low < 0 or (count is not None and high >= count):
        end = "0 on" if count is None else f"0 to {count - 1}"
        raise ValueError(f"a label is {low if low < 0 else high}; give classes from {end}")


def floats(value: Any, name: str = "images") -> Tensor:
    """Finite floating-point samples (n, ...), n >= 1.

    Raises:
        TypeError: they are no tensor, or no floats.
        ValueError: there are none, or an entry is not finite.
    """
    samples = a_tensor(name, value)
    if not samples.is_floating_point():
        raise TypeError(f"{name} are {samples.dtype}; give floats, as of lggkit.data.to_float")
    if not samples.numel() or not samples.dim():
        raise ValueError(f"{name} have shape {tuple(samples.shape)}; give (n, ...), and at least one")
    if bad := int((~samples.isfinite()).sum()):
        raise ValueError(
            f"{bad} of {samples.numel()} entries of the {name} are not finite; give numbers only"
        )
    return samples


def within(images: Tensor, bounds: tuple[float, float]) -> Tensor:
    """Images inside the bounds; those that leave them by a few roundings are clamped.

    Raises:
        TypeError, ValueError: the bounds are no pair of a lower and a higher number, or images leave them.
    """
    bounds = pair(bounds)
    low, high = (value.item() for value in images.aminmax())
    if bounds[0] <= low and high <= bounds[1]:
        return images
    size = max([1.0, *(abs(bound) for bound in bounds if math.isfinite(bound))])
    slack = ROUNDINGS * size * torch.finfo(images.dtype).eps
    if low < bounds[0] - slack or high > bounds[1] + slack:
        raise ValueError(
            f"images run from {low:.9g} to {high:.9g}, outside the bounds {bounds}; put the normalisation "
            "into the network, or give other bounds where they can be given"
        )
    return images.clamp(*bounds)


def pair(bounds: Any) -> tuple[float, float]:
    """Bounds as two floats, the lower one first; either may be infinite."""
    try:
        low, high = (float(bound) for bound in bounds)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise TypeError(f"bounds are {bounds!r}; give two numbers such as (0, 1)") from error
    if not low < high:
        raise ValueError(f"bounds are {bounds!r}; give the lower number first, and neither as NaN")
    return low, high


def number(name: str, value: Any, needs: str = "a positive number") -> float:
    """A finite number; by default above 0, from 0 on or any where ``needs`` says so.

    Raises:
        TypeError: it is no number.
        ValueError: it is NaN, infinite or too small.
    """
    try:
        real = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise TypeError(f"{name} is {value!r}; give {needs}") from error
    fits = real > 0 or needs == ANY or (needs == NOT_NEGATIVE and real == 0)
    if not (fits and math.isfinite(real)):
        raise ValueError(f"{name} is {value}; give {needs}, and a finite one")
    return real
