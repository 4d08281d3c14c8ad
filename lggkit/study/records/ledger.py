"""The ledger: every number the book shows, one JSON line a run, safe with several writers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lggkit import strict
from lggkit.durable import require_writable
from lggkit.record import Record
from lggkit.study.records.ledger_files import LedgerError, append_line, aside, save_arrays, writing
from lggkit.study.records.ledger_lines import Reading, Retraction, holds, place_of, tell
from lggkit.study.records.ledger_merge import plan
from lggkit.study.records.ledger_reader import LedgerReader, told

__all__ = ["Ledger", "LedgerError", "Reading", "Retraction"]


@dataclass(frozen=True)
class Ledger(LedgerReader):
    """Records under ``root``, in one file a section and scale: ``<paper>/<section>.<scale>.jsonl``.

    A record's arrays lie beside its file as ``<key>.npz`` and are written before its line, so that a line
    never points at nothing. Lines are only ever appended: a retraction is a line of its own. A line that
    cannot be understood is left out and told of.
    """

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

        Raises:
            LedgerError: the disk refused, or its key was carried over to another; what was recorded before is
                untouched.
        """
        path = self.path(record.experiment, record.scale)
        self._stays(record)
        with writing(path):
            if holds(path, record.key) or self._held(record):
                return False
            self._write(path, record)
        return True

    def retract(self, key: str, reason: str) -> Record:
        """Supersedes a record; the line stays, and a new run under the same key may follow.

        Raises:
            LedgerError: no current record has this key, no reason is given, or the disk refused.
        """
        date = strict.now()
        try:
            Retraction(key, reason, date)
        except ValueError as error:
            raise LedgerError(str(error)) from error
        shown = {one.key: one for place in self.places() for one in self.records(*place)}
        keys = {key, *self.aliases.origins(key)}
        hit = [one for path in self.files() for one in self._retract_in(path, keys, reason, date)]
        if not hit:
            raise LedgerError(
                f"no current record has the key {key!r} under {self.root}; `study pending` lists keys"
            )
        return shown.get(key, hit[0])

    def _retract_in(self, path: Path, keys: Iterable[str], reason: str, date: str) -> list[Record]:
        with writing(path):
            records = told(path).records
            hit = [records[key] for key in keys if key in records]
            for record in hit:
                append_line(path, Retraction(record.key, reason, date).to_json())
        return hit

    def merge(self, other: Ledger) -> tuple[int, int]:
        """Takes over records and retractions of another ledger; (records added, records already held).

        Numbers held stay as they are, unless the other folder retracts them; what was retracted here does
        not come back (see `lggkit.study.records.ledger_merge.plan`). What cannot be read there is left out
        and told of, a damaged file of arrays set aside as ``<name>.damaged``.

        Raises:
            LedgerError: the other folder holds no ledger, or the disk refused.
        """
        if not other.files():
            raise LedgerError(f"no ledger file (<paper>/<section>.<scale>.jsonl) under {other.root}")
        self.trainings.merge(other.trainings)
        if aliases := other.aliases.lines():
            self.aliases.append(aliases)
        # A run may stand in another file under the key that it was carried over from.
        for theirs in other.files():
            self._merge_file(other, theirs, retractions=True)
        counts = [self._merge_file(other, theirs) for theirs in other.files()]
        return sum(added for added, _ in counts), sum(known for _, known in counts)

    def _merge_file(self, other: Ledger, theirs: Path, retractions: bool = False) -> tuple[int, int]:
        """Take over a file's records, or only its retractions; (records added, records already held)."""
        read_there, place = told(theirs), place_of(theirs)
        if place is None or not (read_there.records or read_there.retractions):
            return 0, 0
        path = self.path(*place)
        with writing(path):
            made = plan(told(path), read_there)
            if retractions:
                for retraction in made.retractions:
                    append_line(path, retraction.to_json())
                return 0, 0
            new = [record for record in made.records if not self._held(record)]
            complete = [record for record in map(other._complete, new) if record is not None]
            for record in complete:
                self._write(path, record)
        return len(complete), made.held + len(made.records) - len(new)

    def _held(self, record: Record) -> bool:
        """Whether the run has a number already that stands under another key than this one's."""
        scale, key = self.aliases.place(record)
        known = any(alias.key == key for alias in self.aliases.lines())
        return known and key in self._by_key(record.experiment, scale)

    def _stays(self, record: Record) -> None:
        scale, key = self.aliases.place(record)
        if (scale, key) != (record.scale, record.key):
            raise LedgerError(
                f"records of the key {record.key} were carried over to {key} at {scale} scale, so that none "
                "can be added: carry them back with `study rekey`, or raise the protocol's revision"
            )

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
