"""What readers leave out is told of: to who collects it, else to the log."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

log = logging.getLogger("lggkit.study")
LEFT_OUT = "was left out"
_collected: ContextVar[dict[str, None] | None] = ContextVar("collected", default=None)


@contextmanager
def collected() -> Iterator[dict[str, None]]:
    """What readers leave out inside, once each, in order; it is not logged then."""
    found: dict[str, None] = {}
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def tell(problems: Sequence[str]) -> None:
    """Hand on what a reader has left out: to who collects it, else to the log, once a process."""
    found = _collected.get()
    for problem in problems:
        if found is None:
            _warn_once(problem)
        else:
            found[problem] = None


@functools.lru_cache(maxsize=4096)
def _warn_once(problem: str) -> None:
    log.warning("%s", problem)
