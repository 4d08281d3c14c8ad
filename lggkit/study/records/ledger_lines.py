"""The lines of a ledger file: what they say together, and how those that say nothing are told of."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lggkit import strict
from lggkit.record import SCALES, Record
from lggkit.study.file_cache import unless_changed
from lggkit.study.records.ledger_files import LEFT_OUT, tell
from lggkit.study.records.ledger_files import collected as collected

FILE = re.compile(rf"([a-z0-9_]{{1,80}})\.({'|'.join(SCALES)})\.jsonl")
Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Retraction:
    """A line that withdraws the records of a key above it; with ``lines``, only those of these names."""

    key: str
    reason: str
    date: str = ""
    lines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strict.text("the retracted key", self.key)
        strict.text("a retraction's reason", self.reason)
        strict.moment(self.date)
        if not self.reason.strip():
            raise ValueError("a retraction gives no reason; say what was wrong with the number")

    @property
    def identity(self) -> tuple[str, str, str]:
        """What it has in common with itself in another file."""
        return self.key, self.reason, self.date

    def to_json(self) -> str:
        """One line of strict JSON."""
        entry = {"retract": self.key, "reason": self.reason, "date": self.date}
        return json.dumps(entry | ({"lines": list(self.lines)} if self.lines else {}))


@dataclass
class Reading:
    """What a ledger file held: current records by key, retracted keys with reasons, lines not understood.

    A line of a record has a name: the hash of what it says, and how often that was withdrawn above. The same
    measurement has thus the same name in every folder. ``live`` are the lines by key and name that nothing
    withdrew, of which the first is current; ``renewed`` the names of those below a retraction of their key.
    """

    records: dict[str, Record] = field(default_factory=dict)
    retracted: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    retractions: dict[Retraction, frozenset[str]] = field(default_factory=dict)
    live: dict[str, dict[str, Record]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    renewed: set[str] = field(default_factory=set)

    def take(self, line: bytes, where: str, place: tuple[str, str]) -> None:
        """Understand one more line of the file of an experiment and scale, or note the problem."""
        try:
            entry = strict.loads(line)
            if isinstance(entry, dict) and "retract" in entry:
                self.add_retraction(_retraction(entry))
            else:
                self._add_line(Record.from_fields(entry), place)
        except ValueError as error:
            self.problems.append(f"{where} is not a record and {LEFT_OUT}: {error}")

    def add_record(self, record: Record) -> str:
        """Take a record as the next line; its name."""
        name = self._name(record)
        if record.key in self.retracted:
            self.renewed.add(name)
        self.live.setdefault(record.key, {}).setdefault(name, record)
        self.records.setdefault(record.key, record)
        return name

    def add_retraction(self, retraction: Retraction) -> None:
        """Take a retraction as the next line."""
        lines = self.live.get(retraction.key, {})
        hit = [name for name in lines if not retraction.lines or name in retraction.lines]
        left = {name: record for name, record in lines.items() if name not in hit}
        self.live[retraction.key] = left
        self.withdrawn |= {*hit, *retraction.lines}
        self.retractions[retraction] = frozenset((*hit, *retraction.lines))
        self.retracted[retraction.key] = retraction.reason
        if hit:
            self.records.pop(retraction.key, None)
            self.records |= {record.key: record for record in list(left.values())[:1]}

    def current(self, key: str) -> str | None:
        """The name of the current line of a key."""
        return next(iter(self.live.get(key, ())), None)

    def _add_line(self, record: Record, place: tuple[str, str]) -> None:
        if (record.experiment, record.scale) != place:
            raise ValueError(f"it is of {record.experiment} at {record.scale} scale, in another's file")
        self.add_record(record)

    def _name(self, record: Record) -> str:
        content, times = hashlib.sha256(record.to_json().encode()).hexdigest()[:16], 0
        while f"{content}:{times}" in self.withdrawn:
            times += 1
        return f"{content}:{times}"


def _retraction(entry: dict) -> Retraction:
    lines = entry.get("lines", [])
    if "reason" not in entry or not isinstance(lines, list):
        raise ValueError("a retraction has a reason, and lines in a list if it names any")
    for name in lines:
        strict.text("a name of a line", name)
    return Retraction(entry["retract"], entry["reason"], entry.get("date", ""), tuple(lines))


def place_of(path: Path) -> tuple[str, str] | None:
    """The experiment and scale of a ledger file, None where it has no such name."""
    name, paper = FILE.fullmatch(path.name), path.parent.name
    place = (f"{paper}/{name[1]}", name[2]) if name else ("", "")
    return place if strict.EXPERIMENT.fullmatch(place[0]) else None


def read(path: Path) -> Reading:
    """All of a file; nothing where there is none. What cannot be read or understood is among the problems."""
    reading, place = Reading(), place_of(path)
    if place is None:
        wanted = "<paper>/<section>.<scale>.jsonl"
        reading.problems.append(f"{path} is not named as in {wanted} and {LEFT_OUT}; rename it")
        return reading
    for number, line in _numbered(path, reading.problems):
        reading.take(line, f"{path}, line {number}", place)
    return reading


def holds(path: Path, key: str) -> bool:
    """Whether a key has a current record; only lines that mention it are understood.

    Raises:
        OSError: the file is there and cannot be read.
    """
    place, reading = place_of(path), Reading()
    if place is None or not path.exists():
        return False
    for line in path.read_bytes().split(b"\n"):
        if key.encode() in line:
            reading.take(line, str(path), place)
    return key in reading.records


def understood(path: Path, understand: Callable[[bytes], Entry], what: str) -> list[Entry]:
    """The entries of a file of lines of another kind; what cannot be understood is left out and told of."""
    entries, problems = unless_changed(path, what, lambda: _entries(path, understand, what))
    tell(problems)
    return [*entries]


def _entries(path: Path, understand: Callable[[bytes], Entry], what: str) -> tuple[list[Entry], list[str]]:
    entries, problems = [], []
    for number, line in _numbered(path, problems):
        try:
            entries.append(understand(line))
        except ValueError as error:
            problems.append(f"{path}, line {number} is no {what} and {LEFT_OUT}: {error}")
    return entries, problems


def _numbered(path: Path, problems: list[str]) -> list[tuple[int, bytes]]:
    """The lines of a file that are not empty, from 1 on; where it cannot be read that is a problem."""
    try:
        lines = enumerate(path.read_bytes().split(b"\n"), start=1)
        return [(number, line) for number, line in lines if line.strip()]
    except FileNotFoundError:
        if path.is_symlink():
            problems.append(f"{path} leads nowhere and {LEFT_OUT}; put the file back")
    except OSError as error:
        problems.append(f"{path} cannot be read and {LEFT_OUT}: {error.strerror or error}")
    return []
