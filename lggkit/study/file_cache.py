"""What a file held, as long as it is as it was: a page asks for the same ledger files a dozen times."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Value = TypeVar("Value")
Stamp = tuple[int, ...]
SETTLED = 1_000_000_000
"""Nanoseconds that a file must have lain still: two writes within a tick of its clock leave one time."""
_KEPT: dict[tuple[Path, str], tuple[Stamp, Any]] = {}


def unless_changed(path: Path, kind: str, read: Callable[[], Value]) -> Value:
    """What ``read`` makes of a file, read again where its time, size or place on the disk is another.

    ``kind`` tells apart what several readers make of one file. Whoever asks must not change the answer.
    """
    stamp, place = _stamp(path), (path.absolute(), kind)
    kept = _KEPT.get(place)
    if kept and kept[0] == stamp:
        return kept[1]
    value = read()
    if stamp and stamp == _stamp(path) and time.time_ns() - max(stamp[:2]) > SETTLED:
        _KEPT[place] = stamp, value
    return value


def _stamp(path: Path) -> Stamp | None:
    """Times of content and of state, size, and place on the disk; None where there is nothing to read."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino, state.st_dev
