"""Records that are carried over to another key: a line of the old and the new one, and nothing edited."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from lggkit import strict
from lggkit.record import Record, check_scale
from lggkit.study.ledger_files import append_line, writing
from lggkit.study.ledger_lines import LEFT_OUT, tell

FILE = "aliases.jsonl"


@dataclass(frozen=True)
class Alias:
    """The record of ``first_key`` at ``first_scale`` is that of ``key`` at ``scale``, for a reason."""

    experiment: str
    first_scale: str
    first_key: str
    scale: str
    key: str
    reason: str
    date: str = ""

    def __post_init__(self) -> None:
        strict.experiment(self.experiment)
        for scale, key in ((self.first_scale, self.first_key), (self.scale, self.key)):
            check_scale(scale)
            strict.key(key)
        strict.text("an alias's reason", self.reason)
        strict.moment(self.date)

    def to_json(self) -> str:
        """One line of strict JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Aliases:
    """The aliases of a ledger, in a file of their own beside the papers' folders; only ever appended."""

    path: Path

    def lines(self) -> list[Alias]:
        """All aliases; lines that cannot be understood are left out and told of."""
        if not self.path.exists():
            return []
        found = []
        for number, line in enumerate(self.path.read_bytes().split(b"\n"), start=1):
            try:
                found += [Alias(**_fields(line))] if line.strip() else []
            except (ValueError, TypeError) as error:
                tell([f"{self.path}, line {number} is no alias and {LEFT_OUT}: {error}"])
        return found

    def append(self, aliases: Iterable[Alias]) -> int:
        """Add those that are not there yet; how many these were."""
        with writing(self.path):
            held = {(alias.first_key, alias.key) for alias in self.lines()}
            new = [alias for alias in aliases if (alias.first_key, alias.key) not in held]
            for alias in new:
                append_line(self.path, alias.to_json())
        return len(new)

    def resolve(
        self, experiment: str, scale: str, records_at: Callable[[str], dict[str, Record]]
    ) -> dict[str, Record]:
        """The records of an experiment and scale by key: its own, less those carried off, and those carried in.

        ``records_at`` gives what the file of a scale holds. Who was measured again under the new key stays.
        """
        aliases = [alias for alias in self.lines() if alias.experiment == experiment]
        away = {alias.first_key for alias in aliases if alias.first_scale == scale}
        carried = {}
        for alias in (alias for alias in aliases if alias.scale == scale):
            record = records_at(alias.first_scale).get(alias.first_key)
            if record is not None:
                carried[alias.key] = dataclasses.replace(
                    record, key=alias.key, scale=scale, first_key=alias.first_key
                )
        own = {key: record for key, record in records_at(scale).items() if key not in away}
        return carried | own


def _fields(line: bytes) -> dict[str, str]:
    fields = strict.loads(line)
    if not isinstance(fields, dict):
        raise ValueError(f"a JSON {type(fields).__name__}, not an object")
    return fields
