"""The ledger: every number the book shows, one JSON line a run, safe with several writers."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lggkit import strict
from lggkit.durable import require_writable
from lggkit.record import Record, check_scale
from lggkit.study.ledger_aliases import FILE as ALIASES
from lggkit.study.ledger_aliases import Aliases
from lggkit.study.ledger_files import LedgerError, append_line, aside, load_arrays, save_arrays, writing
from lggkit.study.ledger_keys import holds
from lggkit.study.ledger_lines import Reading, Retraction, place_of, read, tell
from lggkit.study.ledger_merge import plan
from lggkit.study.network_ledger import FILE, NetworkLedger

__all__ = ["Ledger", "LedgerError", "Reading", "Retraction"]


@dataclass(frozen=True)
class Ledger:
    """Records under ``root``, in one file a section and scale: ``<paper>/<section>.<scale>.jsonl``.

    A record's arrays lie beside its file as ``<key>.npz`` and are written before its line, so that a line
    never points at nothing. Lines are only ever appended: a retraction is a line of its own. A line that
    cannot be understood is left out and told of.
    """

    root: Path

    def path(self, experiment: str, scale: str) -> Path:
        """The file of one section at one scale; a ValueError where there can be none."""
        strict.experiment(experiment)
        check_scale(scale)
        return Path(self.root) / f"{experiment}.{scale}.jsonl"

    def read(self, experiment: str, scale: str) -> Reading:
        """What the file of one section at one scale holds, problems included."""
        return read(self.path(experiment, scale))

    def records(self, experiment: str, scale: str) -> list[Record]:
        """Current records of one section at one scale, in the order in which they were written."""
        return list(self._by_key(experiment, scale).values())

    def _by_key(self, experiment: str, scale: str) -> dict[str, Record]:
        return self.aliases.resolve(experiment, scale, lambda at: _told(self.path(experiment, at)).records)

    def files(self) -> list[Path]:
        """All ledger files, sorted."""
        return sorted(p for p in Path(self.root).glob("*/*.jsonl") if not p.name.startswith("."))

    def problems(self) -> list[str]:
        """One sentence for each line or file that could not be understood."""
        return [problem for path in self.files() for problem in read(path).problems]

    def arrays(self, record: Record) -> dict[str, np.ndarray]:
        """The arrays of a record, by name.

        Raises:
            LedgerError: the file of arrays is missing, damaged, or holds others than the record names.
        """
        path, remedy = self._array_path(record), "back or retract the record"
        if not path.exists():
            raise LedgerError(f"arrays of record {record.key} are missing: put {path} {remedy}")
        arrays = load_arrays(path)
        if lacking := sorted(record.arrays.keys() - arrays.keys()):
            raise LedgerError(f"{path} lacks the array {lacking[0]!r}: put the right file {remedy}")
        return arrays

    def probe(self, places: Iterable[tuple[str, str]]) -> None:
        """Make sure, before anything is measured, that the files of experiments and scales can be written.

        Raises:
            LedgerError: one cannot; the message names it.
        """
        for path in dict.fromkeys(self.path(*place) for place in places):
            with writing(path):
                require_writable(path.parent)
                if path.exists():
                    open(path, "r+b").close()

    def append(self, record: Record) -> bool:
        """Adds a record, its arrays first; False if its key is already held.

        Of the file, only what was added since the last call is read.

        Raises:
            LedgerError: the disk refused; what was recorded before is untouched.
        """
        path = self.path(record.experiment, record.scale)
        with writing(path):
            if holds(path, record.key) or self._carried(record):
                return False
            self._write(path, record)
        return True

    def retract(self, key: str, reason: str) -> Record:
        """Supersedes a record; the line stays, and a new run under the same key may follow.

        Raises:
            LedgerError: no current record has this key, no reason is given, or the disk refused.
        """
        date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        try:
            Retraction(key, reason, date)
        except ValueError as error:
            raise LedgerError(str(error)) from error
        key = next((alias.first_key for alias in self.aliases.lines() if alias.key == key), key)
        for path in self.files():
            with writing(path):
                record = _told(path).records.get(key)
                if record is not None:
                    append_line(path, Retraction(key, reason, date).to_json())
                    return record
        raise LedgerError(
            f"no current record has the key {key!r} under {self.root}; `study pending` lists keys"
        )

    @property
    def aliases(self) -> Aliases:
        """Which records were carried over to other keys."""
        return Aliases(Path(self.root) / ALIASES)

    @property
    def trainings(self) -> NetworkLedger:
        """How the networks behind the records were trained."""
        return NetworkLedger(Path(self.root) / FILE)

    def merge(self, other: Ledger) -> tuple[int, int]:
        """Takes over records and retractions of another ledger; (records added, records already held).

        Numbers held stay as they are, unless the other folder retracts them; what was retracted here does
        not come back (see `lggkit.study.ledger_merge.plan`). What cannot be read there is left out and told
        of, a damaged file of arrays set aside as ``<name>.damaged``.

        Raises:
            LedgerError: the other folder holds no ledger, or the disk refused.
        """
        if not other.files():
            raise LedgerError(f"no ledger file (<paper>/<section>.<scale>.jsonl) under {other.root}")
        self.trainings.merge(other.trainings)
        if aliases := other.aliases.lines():
            self.aliases.append(aliases)
        counts = [self._merge_file(other, path) for path in other.files()]
        return sum(added for added, _ in counts), sum(held for _, held in counts)

    def _merge_file(self, other: Ledger, theirs: Path) -> tuple[int, int]:
        read_there, place = _told(theirs), place_of(theirs)
        if place is None or not (read_there.records or read_there.retractions):
            return 0, 0
        path = self.path(*place)
        with writing(path):
            made, added = plan(_told(path), read_there), 0
            for retraction in made.retractions:
                append_line(path, retraction.to_json())
            for record in map(other._complete, made.records):
                if record is not None:
                    self._write(path, record)
                    added += 1
        return added, made.held

    def _carried(self, record: Record) -> bool:
        """Whether a record was carried over to this one's key."""
        known = any(alias.key == record.key for alias in self.aliases.lines())
        return known and record.key in self._by_key(record.experiment, record.scale)

    def _complete(self, record: Record) -> Record | None:
        """The record with its arrays, None where these cannot be read."""
        try:
            return replace(record, arrays=self.arrays(record)) if record.arrays else record
        except LedgerError as error:
            tell([f"record {record.key} was left out: {error}{aside(self._array_path(record))}"])
            return None

    def _write(self, path: Path, record: Record) -> None:
        if record.arrays:
            save_arrays(self._array_path(record), record.arrays)
        append_line(path, record.to_json())

    def _array_path(self, record: Record) -> Path:
        return self.path(record.experiment, record.scale).parent / f"{record.first_key or record.key}.npz"


def _told(path: Path) -> Reading:
    """A reading whose problems are told of."""
    reading = read(path)
    tell(reading.problems)
    return reading
