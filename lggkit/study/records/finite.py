"""Numbers are looked at where they enter: what is not finite goes no further."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

LARGEST = 1e150


def finite(value: float, what: str = "a value") -> float:
    """The same as a Python float.

    Raises:
        ValueError: it is no number, is NaN or infinite, or no float64 can hold it.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        kind = type(value).__name__
        raise ValueError(f"{what} is no number (a {kind}); give at least one, all finite") from error
    if not math.isfinite(number):
        raise ValueError(f"{what} is {number}; give at least one, all finite")
    return number


def finite_or_none(value: Any) -> Any:
    """Plain data with None in the place of numbers that are not finite, which JSON cannot hold."""
    if isinstance(value, dict):
        return {name: finite_or_none(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def finite_sample(values: Iterable[float]) -> np.ndarray:
    """Numbers (n,) in float64, n >= 0, whose squares float64 can hold.

    Raises:
        ValueError: one is no finite number, or larger than that.
    """
    sample = np.array([finite(value) for value in values], dtype=np.float64)
    if sample.size and np.abs(sample).max() > LARGEST:
        raise ValueError(f"a value is {sample[np.abs(sample).argmax()]:g}; that is too large for a spread")
    return sample
