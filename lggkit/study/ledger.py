"""The ledger: every number the book shows, one JSON line a run, safe with several writers."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lggkit.record import Record


class LedgerError(RuntimeError):
    """The ledger could not be written, or was asked for what it does not hold."""


@dataclass
class Reading:
    """What a ledger file held: current records by key, retracted keys with reasons, lines not understood."""

    records: dict[str, Record] = field(default_factory=dict)
    retracted: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ledger:
    """Records under ``root``, in one file a section and scale: ``<paper>/<section>.<scale>.jsonl``.

    A record's arrays lie beside its file as ``<key>.npz`` and are written before its line, so that a line
    never points at nothing. Lines are only ever appended: a retraction is a line of its own.
    """

    root: Path

    def path(self, experiment: str, scale: str) -> Path:
        """The file of one section at one scale."""
        return Path(self.root) / f"{experiment}.{scale}.jsonl"

    def read(self, experiment: str, scale: str) -> Reading:
        """The current records of one section at one scale; corrupt lines are named and the rest is kept."""
        return _read(self.path(experiment, scale))

    def records(self, experiment: str, scale: str) -> list[Record]:
        """Current records of one section at one scale, in the order in which they were written."""
        return list(self.read(experiment, scale).records.values())

    def files(self) -> list[Path]:
        """All ledger files, sorted."""
        return sorted(Path(self.root).glob("*/*.jsonl"))

    def problems(self) -> list[str]:
        """One sentence for each line of any file that could not be understood."""
        return [problem for path in self.files() for problem in _read(path).problems]

    def arrays(self, record: Record) -> dict[str, np.ndarray]:
        """The arrays of a record, by name.

        Raises:
            LedgerError: the file of arrays is missing.
        """
        path = self._array_path(record)
        if not path.exists():
            raise LedgerError(
                f"arrays of record {record.key} are missing: put {path} back or retract the record"
            )
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}

    def append(self, record: Record) -> bool:
        """Adds a record, its arrays first; False if its key is already held.

        Raises:
            LedgerError: the disk refused; what was recorded before is untouched.
        """
        path = self.path(record.experiment, record.scale)
        with self._locked(path):
            if record.key in _read(path).records:
                return False
            try:
                if record.arrays:
                    _save_arrays(self._array_path(record), record.arrays)
                _append_line(path, record.to_json())
            except OSError as error:
                raise LedgerError(
                    f"cannot write to {path}: {error.strerror}; free some space, then run this again"
                ) from error
        return True

    def retract(self, key: str, reason: str) -> Record:
        """Supersedes a record; the line stays, and a new run under the same key may follow.

        Raises:
            LedgerError: no current record has this key, or no reason is given.
        """
        if not reason.strip():
            raise LedgerError("a retraction gives no reason; say what was wrong with the number")
        for path in self.files():
            with self._locked(path):
                record = _read(path).records.get(key)
                if record is not None:
                    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
                    _append_line(path, json.dumps({"retract": key, "reason": reason, "date": date}))
                    return record
        raise LedgerError(
            f"no current record has the key {key!r} under {self.root}; `study pending` lists keys"
        )

    def merge(self, other: Ledger) -> tuple[int, int]:
        """Takes over the records of another ledger; (added, already held). Numbers held stay as they are.

        Raises:
            LedgerError: the other folder holds no ledger, or a line of it cannot be read.
        """
        if not other.files():
            raise LedgerError(f"no ledger file (<paper>/<section>.<scale>.jsonl) under {other.root}")
        if problems := other.problems():
            raise LedgerError(f"nothing was merged: {problems[0]}")
        added = held = 0
        for path in other.files():
            for record in _read(path).records.values():
                whole = _with_arrays(record, other.arrays(record) if record.arrays else {})
                added, held = (added + 1, held) if self.append(whole) else (added, held + 1)
        return added, held

    def _array_path(self, record: Record) -> Path:
        return self.path(record.experiment, record.scale).parent / f"{record.key}.npz"

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path.with_name(f".{path.name}.lock"), "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _with_arrays(record: Record, arrays: dict[str, np.ndarray]) -> Record:
    held = Record.from_json(record.to_json())
    held.arrays.update(arrays)
    return held


def _read(path: Path) -> Reading:
    reading = Reading()
    if not path.exists():
        return reading
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if line.strip():
            _take(reading, line, f"{path}, line {number}")
    return reading


def _take(reading: Reading, line: str, where: str) -> None:
    try:
        entry: dict[str, Any] = json.loads(line)
        if not isinstance(entry, dict):
            raise ValueError("not a JSON object")
        if "retract" in entry:
            reading.retracted[entry["retract"]] = entry["reason"]
            reading.records.pop(entry["retract"], None)
            return
        record = Record.from_json(line)
        reading.records.setdefault(record.key, record)
    except (ValueError, KeyError, TypeError) as error:
        reading.problems.append(f"{where} is not a record and was left out: {error}")


def _append_line(path: Path, line: str) -> None:
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


def _save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "wb") as handle:
            np.savez_compressed(handle, **arrays)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
