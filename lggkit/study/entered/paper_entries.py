"""One row of a paper's ``cells.csv`` as a `Cell`, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lggkit.study.entered.entries import Entry

DEFAULT_TOLERANCE = 0.5
CELL_KINDS = ("measured", "definition", "descriptor")
SPREADS = ("", "sd", "se", "ci95", "unstated")
EXPERIMENT = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")


@dataclass(frozen=True)
class Cell:
    """One printed number of a paper, and what of ours it is to be held against."""

    paper: str
    table: str
    row: str
    column: str
    value: float
    spread: float | None
    spread_kind: str
    n: int | None
    unit: str
    kind: str
    experiment: str
    arm: str
    metric: str
    tolerance: float
    available: bool
    n_required: int
    source: str
    note: str
    printed: str = ""
    """The value as the paper prints it."""


def cell_of(paper: str, entry: Entry) -> Cell:
    """A row of ``cells.csv``; a ValueError with file and line where a field is not as it should be."""
    spread, kind = entry.number("spread", least=0.0), entry.one_of("spread_kind", SPREADS)
    if (spread is None) != (not kind):
        raise entry.fault("spread and spread_kind go together; fill in both or none")
    measured = entry.one_of("kind", CELL_KINDS) == "measured"
    texts = {name: entry.text(name, name in ("table", "row", "column")) for name in _CELL_TEXTS}
    compared = {name: entry.text(name, required=measured) for name in ("arm", "metric")}
    return Cell(
        paper=paper,
        value=_given(entry, "value", entry.number("value")),
        printed=entry.fields["value"],
        spread=spread,
        n=entry.count("n"),
        tolerance=_tolerance(entry.number("tolerance", least=0.0), spread, kind),
        available=entry.one_of("available", ("yes", "no")) == "yes",
        n_required=_given(entry, "n_required", entry.count("n_required")),
        experiment=experiment_of(entry, required=measured),
        **texts,
        **compared,
    )


def _tolerance(declared: float | None, spread: float | None, kind: str) -> float:
    if declared is not None:
        return declared
    return max(DEFAULT_TOLERANCE, 2 * spread) if spread is not None and kind == "sd" else DEFAULT_TOLERANCE


def check_once(entries: Sequence[Entry], *columns: str) -> None:
    """Refuses a second row with the same fields, by a ValueError that names both lines."""
    seen: dict[tuple[str, ...], int] = {}
    for entry in entries:
        place = tuple(entry.fields[column] for column in columns)
        if place in seen:
            raise entry.fault(
                f"{', '.join(columns)} {', '.join(place)} stood in line {seen[place]}; keep one"
            )
        seen[place] = entry.line


def _given(entry: Entry, column: str, value: float | None) -> float:
    if value is None:
        raise entry.fault(f"{column} is empty; fill it in")
    return value


def experiment_of(entry: Entry, required: bool) -> str:
    """The experiment that a row names; a ValueError where it is no paper/section, or required and missing."""
    name = entry.text("experiment", required)
    if name and not EXPERIMENT.fullmatch(name):
        raise entry.fault(f"experiment is {name!r}; write paper/section in small letters, digits and _")
    return name


_CELL_TEXTS = ("table", "row", "column", "spread_kind", "unit", "kind", "source", "note")
CELL_COLUMNS = (
    *("table", "row", "column", "value", "spread", "spread_kind", "n", "unit", "kind", "experiment", "arm"),
    *("metric", "tolerance", "available", "n_required", "source", "note"),
)
