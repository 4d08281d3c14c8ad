"""What a ledger of records says: those that are current, their arrays, what cannot be understood."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lggkit import strict
from lggkit.record import SCALES, Record, check_scale
from lggkit.study.file_cache import unless_changed
from lggkit.study.records.ledger_aliases import FILE as ALIASES
from lggkit.study.records.ledger_aliases import Aliases
from lggkit.study.records.ledger_files import LedgerError, load_arrays
from lggkit.study.records.ledger_lines import Reading, collected, place_of, read, tell
from lggkit.study.records.network_ledger import FILE, NetworkLedger


@dataclass(frozen=True)
class LedgerReader:
    """The readers' half of a `lggkit.study.records.ledger.Ledger`."""

    root: Path

    def path(self, experiment: str, scale: str) -> Path:
        """The file of one section at one scale; a ValueError where there can be none."""
        strict.experiment(experiment)
        check_scale(scale)
        return Path(self.root) / f"{experiment}.{scale}.jsonl"

    def read(self, experiment: str, scale: str) -> Reading:
        """What the lines of one section's file at one scale say, problems included, carried over or not."""
        return read(self.path(experiment, scale))

    def records(self, experiment: str, scale: str) -> list[Record]:
        """Current records of one section and scale: those carried over to it, then its own in their order."""
        return list(self._by_key(experiment, scale).values())

    def _by_key(self, experiment: str, scale: str) -> dict[str, Record]:
        self.path(experiment, scale)
        return self.aliases.resolve(experiment, scale, lambda at: _current(self.path(experiment, at)))

    def files(self) -> list[Path]:
        """All ledger files, sorted."""
        return sorted(p for p in Path(self.root).glob("*/*.jsonl") if not p.name.startswith("."))

    def places(self) -> list[tuple[str, str]]:
        """Experiments and scales at which there may be records, sorted by name, then from smoke to paper."""
        named = {place for path in self.files() if (place := place_of(path))}
        carried = {(alias.experiment, alias.scale) for alias in self.aliases.lines()}
        return sorted(named | carried, key=lambda place: (place[0], SCALES.index(place[1])))

    def problems(self) -> list[str]:
        """One sentence for each line or file that could not be understood."""
        with collected() as beside:
            self.aliases.lines(), self.trainings.lines()
        return [problem for path in self.files() for problem in read(path).problems] + [*beside]

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

    @property
    def aliases(self) -> Aliases:
        """Which records were carried over to other keys."""
        return Aliases(Path(self.root) / ALIASES)

    @property
    def trainings(self) -> NetworkLedger:
        """How the networks behind the records were trained."""
        return NetworkLedger(Path(self.root) / FILE)

    def _array_path(self, record: Record) -> Path:
        return self.path(record.experiment, record.scale).parent / f"{record.first_key or record.key}.npz"


def told(path: Path) -> Reading:
    """A reading whose problems are told of."""
    reading = read(path)
    tell(reading.problems)
    return reading


def _current(path: Path) -> dict[str, Record]:
    """The current records of a file, which is read again where it changed."""
    reading = unless_changed(path, "records", lambda: read(path))
    tell(reading.problems)
    return dict(reading.records)
