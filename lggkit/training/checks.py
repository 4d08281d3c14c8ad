"""Values that a user writes down, checked with one sentence each: what, the value seen, the remedy."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from numbers import Real
from typing import Any


def whole(name: str, value: Any, least: int | None = None) -> int:
    """An integer of at least ``least``, as Python's own; NumPy's are taken, truth values are not."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least):
        raise ValueError(f"{name} is {value!r}; give an integer{_from(least)}")
    return number


def number(name: str, value: Any, remedy: str, inside: Callable[[float], bool]) -> float:
    """A finite number for which ``inside`` holds, as Python's own."""
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not (real and math.isfinite(value) and inside(value)):
        raise ValueError(f"{name} is {value!r}; {remedy}")
    return value if isinstance(value, (int, float)) else float(value)


def one_of(name: str, value: Any, choices: tuple) -> None:
    """One of a few values, and of its type: 1 is not True."""
    if not any(value is choice or (type(value) is type(choice) and value == choice) for choice in choices):
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(map(str, choices))}")


def _from(least: int | None) -> str:
    return "" if least is None else f" of at least {least}"
