"""The files of a ledger: who may write to one, what an error on the way is called, and those of arrays."""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
from filelock import FileLock

from lggkit.durable import set_aside, whole

NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


class LedgerError(RuntimeError):
    """The ledger could not be written, or was asked for what it does not hold."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold the lock of a ledger file, making its folder first; another writer is waited for.

    Raises:
        LedgerError: the disk refused something inside; the message names the file and what to do.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            yield
    except OSError as error:
        if error.strerror is None:
            raise LedgerError(str(error)) from error
        remedy = "free some space" if error.errno in NO_ROOM else "make it writable or name another folder"
        raise LedgerError(
            f"cannot write to {path}: {error.strerror}; {remedy}, then run this again"
        ) from error


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays, whole or not at all.

    Raises:
        LedgerError: one holds Python objects, which could not be read without running what they say.
    """
    for name, values in arrays.items():
        if np.asarray(values).dtype.hasobject:
            raise LedgerError(f"array {name!r} holds Python objects; give numbers or texts")
    with whole(path) as file:
        np.savez_compressed(file, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file, by name; nothing is unpickled.

    Raises:
        LedgerError: the file is damaged.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except MemoryError:
        raise
    except Exception as error:  # a damaged archive raises whatever its reader stumbles over
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise LedgerError(f"{path} is damaged ({reason}): put it back or retract the record") from error


def aside(path: Path) -> str:
    """Sets a damaged file aside, where it is one and may be moved; what to add to a sentence."""
    try:
        return f"; set aside as {set_aside(path).name}" if path.exists() else ""
    except OSError:
        return ""


def append_line(path: Path, line: str) -> None:
    """Appends and flushes one line; on failure the file is cut back to what it was."""
    # Unbuffered: what a buffer still holds would be written on closing, after the cut.
    with open(path, "ab", buffering=0) as handle:
        size = handle.tell()
        rest = _line_break_before(path, size) + line.encode() + b"\n"
        try:
            while rest:
                rest = rest[handle.write(rest) :]
            os.fsync(handle.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                os.truncate(path, size)
            raise


def _line_break_before(path: Path, size: int) -> bytes:
    if size == 0:
        return b""
    with open(path, "rb") as handle:
        handle.seek(size - 1)
        return b"" if handle.read(1) == b"\n" else b"\n"


log = logging.getLogger("lggkit.study")
LEFT_OUT = "was left out"
_collected: ContextVar[dict[str, None] | None] = ContextVar("collected", default=None)


@contextmanager
def collected() -> Iterator[dict[str, None]]:
    """What readers leave out inside, once each, in order; it is not logged then."""
    problems: dict[str, None] = {}
    token = _collected.set(problems)
    try:
        yield problems
    finally:
        _collected.reset(token)


def tell(problems: Sequence[str]) -> None:
    """Hand on what a reader has left out: to who collects it, else to the log, once a process."""
    collecting = _collected.get()
    for problem in problems:
        if collecting is None:
            _warn_once(problem)
        else:
            collecting[problem] = None


@functools.lru_cache(maxsize=4096)
def _warn_once(problem: str) -> None:
    log.warning("%s", problem)
