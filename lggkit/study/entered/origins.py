"""Where settings come from: ``data/paper/<paper>/origins.csv``, with values read from the protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lggkit import experiments
from lggkit.study import paths
from lggkit.study.entered.entries import Entry, read_entries
from lggkit.study.file_cache import unless_changed

COLUMNS = ("section", "setting", "arm", "field", "value", "source", "place")
SOURCES = {"paper": "paper", "code": "the authors' code", "search": "search", "ours": "ours"}


@dataclass(frozen=True)
class Origin:
    """One setting of a section: its value is that of ``field`` in the protocol of ``arm``, or ``value``.

    ``field`` is a path of names with dots, ``place`` says where in the source it stands, or why it is so.
    """

    section: str
    setting: str
    arm: str
    field: str
    value: str
    source: str
    place: str

    def shown(self, experiment: experiments.Experiment, scale: str) -> str:
        """The setting's value at a scale, as text.

        Raises:
            AttributeError: the protocol has no such field.
            KeyError: the experiment has no such arm.
        """
        if not self.field:
            return self.value
        value: Any = experiment.spec(self.arm, scale).protocol
        for name in self.field.split("."):
            value = getattr(value, name)
        return value_text(value)


def origins(paper: str, section: str) -> tuple[Origin, ...]:
    """The settings of a section in the order of the file; none where the paper has no such file.

    Raises:
        ValueError: one sentence with file and line about a row that is not as it should be.
    """
    path = paths.repository() / "data" / "paper" / paper / "origins.csv"
    if not path.exists():
        return ()
    return tuple(o for o in unless_changed(path, "origins", lambda: _read(path)) if o.section == section)


def origins_table(experiment: experiments.Experiment, scale: str) -> pd.DataFrame:
    """One row a setting: its value at a scale, and where it comes from."""
    rows = origins(experiment.paper, experiment.name.partition("/")[2])
    return pd.DataFrame([_row(origin, experiment, scale) for origin in rows])


def _row(origin: Origin, experiment: experiments.Experiment, scale: str) -> dict[str, str]:
    where = f"{SOURCES[origin.source]}: {origin.place}" if origin.place else SOURCES[origin.source]
    return {"setting": origin.setting, "value": origin.shown(experiment, scale), "where from": where}


def _read(path: Path) -> tuple[Origin, ...]:
    return tuple(map(_origin, read_entries(path, COLUMNS)))


def _origin(entry: Entry) -> Origin:
    if bool(entry.fields["field"]) == bool(entry.fields["value"]):
        raise entry.fault("field and value exclude each other; fill in one of them")
    if bool(entry.fields["field"]) != bool(entry.fields["arm"]):
        raise entry.fault("arm and field go together; fill in both or none")
    entry.one_of("source", tuple(SOURCES))
    for name in ("section", "setting"):
        entry.text(name)
    return Origin(**{name: entry.fields[name] for name in COLUMNS})


def value_text(value: Any) -> str:
    """A setting as a table shows it: numbers without needless digits, None as ``all``, pairs side by side."""
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_member_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _member_text(value: Any) -> str:
    """A value in a list; one that is a list itself, such as a name and its number, has no commas."""
    return value_text(value).replace(",", "") if isinstance(value, tuple | list) else value_text(value)
