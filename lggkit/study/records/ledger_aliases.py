"""Records that are carried over to another key: a line of the old and the new one, and nothing edited."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lggkit import strict
from lggkit.record import Record, check_scale, renamed
from lggkit.study.records.ledger_files import append_line, writing
from lggkit.study.records.ledger_lines import understood

FILE = "aliases.jsonl"
EARLIEST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
Place = tuple[str, str]
"""A scale and a key."""


@dataclass(frozen=True)
class Alias:
    """The record of ``first_key`` at ``first_scale`` is that of ``key`` at ``scale``, for a reason.

    ``renamed`` gives settings' names since then and what they were before.
    """

    experiment: str
    first_scale: str
    first_key: str
    scale: str
    key: str
    reason: str
    date: str = ""
    renamed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        strict.experiment(self.experiment)
        for scale, key in (self.source, self.target):
            check_scale(scale)
            strict.key(key)
        strict.text("an alias's reason", self.reason)
        strict.moment(self.date)
        strict.by_name("renamed settings", self.renamed, strict.text)

    @property
    def source(self) -> Place:
        """Where the record was."""
        return self.first_scale, self.first_key

    @property
    def target(self) -> Place:
        """Where it is since."""
        return self.scale, self.key

    def to_json(self) -> str:
        """One line of strict JSON."""
        fields = dataclasses.asdict(self)
        return json.dumps({n: v for n, v in fields.items() if v or n != "renamed"}, sort_keys=True)

    @classmethod
    def from_json(cls, line: bytes) -> Alias:
        """The alias of one line; a ValueError where it is none."""
        return strict.made(cls, strict.loads(line))


@dataclass(frozen=True)
class Aliases:
    """The aliases of a ledger, in a file of their own beside the papers' folders; only ever appended."""

    path: Path

    def lines(self) -> list[Alias]:
        """All aliases; lines that cannot be understood are left out and told of."""
        return understood(self.path, Alias.from_json, "alias")

    def append(self, aliases: Iterable[Alias]) -> int:
        """Add those that are not there yet; how many these were."""
        with writing(self.path):
            written = {alias.to_json() for alias in self.lines()}
            new = [
                line for line in dict.fromkeys(alias.to_json() for alias in aliases) if line not in written
            ]
            for line in new:
                append_line(self.path, line)
        return len(new)

    def ways(self, experiment: str) -> dict[Place, list[Alias]]:
        """What carried a line over, in the order of time, by the scale and key that it has in its file.

        Of two aliases that lead one record to different places, the later is without effect.
        """
        ways: dict[Place, list[Alias]] = {}
        standing: dict[Place, list[Place]] = {}
        own = (alias for alias in self.lines() if alias.experiment == experiment)
        for alias in sorted(own, key=lambda alias: strict.moment(alias.date) or EARLIEST):
            moved = standing.pop(alias.source, []) + [alias.source] * (alias.source not in ways)
            for start in moved:
                ways.setdefault(start, []).append(alias)
            standing.setdefault(alias.target, []).extend(moved)
        return ways

    def place(self, record: Record) -> Place:
        """Where a record is whose line has this scale and key."""
        start = (record.scale, record.key)
        way = self.ways(record.experiment).get(start)
        return way[-1].target if way else start

    def origins(self, key: str) -> set[str]:
        """The keys of lines that were carried over to a key."""
        lead = {alias.experiment for alias in self.lines() if alias.key == key}
        ways = (way for experiment in lead for way in self.ways(experiment).items())
        return {first for (_, first), way in ways if way[-1].key == key}

    def resolve(
        self, experiment: str, scale: str, records_at: Callable[[str], dict[str, Record]]
    ) -> dict[str, Record]:
        """The records of an experiment and scale by key: those carried over to it, and its own that stay.

        ``records_at`` gives what the file of a scale holds. What was measured again under the new key stays.
        """
        ways = self.ways(experiment)
        moved = {start: way for start, way in ways.items() if way[-1].target != start}
        arriving = {start: way for start, way in moved.items() if way[-1].scale == scale}
        by_scale = {at: records_at(at) for at in dict.fromkeys([scale, *(at for at, _ in arriving)])}
        carried: dict[str, Record] = {}
        for (at, key), way in arriving.items():
            if key in by_scale[at]:
                carried.setdefault(way[-1].key, _carried(by_scale[at][key], way))
        own = {key: record for key, record in by_scale[scale].items() if (scale, key) not in moved}
        return carried | {key: _carried(record, ways.get((scale, key), ())) for key, record in own.items()}


def _carried(record: Record, way: Sequence[Alias]) -> Record:
    """A record where its way ends, its settings by today's names."""
    if not way:
        return record
    settings: Any = record.settings
    for alias in way:
        settings = renamed(settings, {old: new for new, old in alias.renamed.items()})
    scale, key = way[-1].target
    first = record.key if key != record.key else ""
    return dataclasses.replace(record, key=key, scale=scale, first_key=first, settings=settings)
