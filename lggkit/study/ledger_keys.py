"""Which keys a ledger file holds, without reading it again: only what was added since is read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from lggkit.study.ledger_lines import Reading, place_of, read, take_lines

TAIL = 1024
_known: dict[str, _Known] = {}


@dataclass
class _Known:
    """How far a file was read: its identity, the bytes and lines behind, and the last of these bytes."""

    identity: tuple[int, int]
    changed: int = 0
    size: int = 0
    lines: int = 0
    tail: bytes = b""
    reading: Reading = field(default_factory=Reading)


def holds(path: Path, key: str) -> bool:
    """Whether a key has a current record; to be asked under the file's lock.

    A file that is no longer the one that was read, or was altered where it was read, is read anew.

    Raises:
        OSError: the file is there and cannot be read.
    """
    place = place_of(path)
    if place is None or not path.exists():
        return False
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        known = _still_known(file, status) or _Known((status.st_dev, status.st_ino))
        file.seek(known.size)
        added = file.read()
    whole, end, rest = added.rpartition(b"\n")
    if rest.strip():
        return key in read(path).records
    take_lines(known.reading, whole.split(b"\n") if end else [], path, place, known.lines)
    known.lines += added.count(b"\n")
    known.size += len(added) - len(rest)
    known.tail = (known.tail + added[: len(added) - len(rest)])[-TAIL:]
    known.changed = status.st_mtime_ns
    _known[os.path.abspath(path)] = known
    return key in known.reading.records


def _still_known(file, status: os.stat_result) -> _Known | None:
    known = _known.get(os.path.abspath(file.name))
    if known is None or known.identity != (status.st_dev, status.st_ino) or status.st_size < known.size:
        return None
    if status.st_size == known.size and status.st_mtime_ns != known.changed:
        return None
    file.seek(known.size - len(known.tail))
    return known if file.read(len(known.tail)) == known.tail else None
