"""One row of a paper's ``cells.csv`` or ``claims.csv`` as a `Cell` or `Claim`, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lggkit.study.entries import Entry

KINDS = ("greater", "equivalent", "trend", "exact", "all_of")
DEFAULT_TOLERANCE = 0.5
EVERY_SEED = 1
CELL_KINDS = ("measured", "definition", "descriptor")
SPREADS = ("", "sd", "se", "ci95", "unstated")
DIRECTIONS = ("increasing", "decreasing")
EXPERIMENT = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
NEEDS = {
    "greater": ("left", "right"),
    "equivalent": ("left", "right", "margin"),
    "trend": ("left", "metric", "direction"),
    "exact": ("left", "metric", "margin"),
    "all_of": ("members",),
}
"""What each kind of claim is decided by; the kinds of two sides may have a metric as well."""


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


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, with the rule that decides it, declared before anything was measured."""

    paper: str
    id: str
    number: str
    section: str
    statement: str
    kind: str
    experiment: str
    left: str
    right: str
    metric: str
    margin: float | None
    direction: str
    members: tuple[str, ...]
    n_required: dict[str, int]
    source: str
    note: str


def cell_of(paper: str, entry: Entry) -> Cell:
    """A row of ``cells.csv``.

    Raises:
        ValueError: one sentence with file and line about a field that is missing or not as it should be.
    """
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
        experiment=_experiment(entry, required=measured),
        **texts,
        **compared,
    )


def _tolerance(declared: float | None, spread: float | None, kind: str) -> float:
    if declared is not None:
        return declared
    return max(DEFAULT_TOLERANCE, 2 * spread) if spread is not None and kind == "sd" else DEFAULT_TOLERANCE


def claim_of(paper: str, entry: Entry, kinds: Mapping[str, str]) -> Claim:
    """A row of ``claims.csv``; ``kinds`` are those of all claims of the file, by identifier.

    Raises:
        ValueError: one sentence with file and line about a field that is missing or not as it should be.
    """
    kind = entry.one_of("kind", KINDS)
    _check_sides(entry, kind)
    members = tuple(part.strip() for part in entry.fields["members"].split(";") if part.strip())
    for member in members:
        if kinds.get(member, "all_of") == "all_of" or members.count(member) > 1:
            raise entry.fault(f"members has {member!r}; name other claims of this file, each once, no all_of")
    required = {scale: entry.count(f"n_required_{scale}") or EVERY_SEED for scale in ("reduced", "paper")}
    return Claim(
        paper=paper,
        margin=entry.number("margin", least=0.0),
        members=members,
        n_required=required,
        experiment=_experiment(entry, required=False),
        **{name: entry.text(name, required=False) for name in _CLAIM_TEXTS},
    )


def _check_sides(entry: Entry, kind: str) -> None:
    optional = ("metric",) if "right" in NEEDS[kind] else ()
    for name in ("left", "right", "metric", "margin", "direction", "members"):
        if entry.text(name, required=name in NEEDS[kind]) and name not in (*NEEDS[kind], *optional):
            raise entry.fault(f"{name} is {entry.fields[name]!r}, which a claim of kind {kind} does not have")
    if kind == "trend":
        entry.one_of("direction", DIRECTIONS)
    if kind == "equivalent" and not entry.number("margin", least=0.0):
        raise entry.fault("margin is 0, within which nothing is known to lie; write a number above it")
    bare = [side for side in ("left", "right") if optional and not re.search(":.", entry.fields[side])]
    if bare and not entry.fields["metric"]:
        raise entry.fault(f"{bare[0]} is {entry.fields[bare[0]]!r} without a metric; write arm:metric")


def check_once(entries: Sequence[Entry], *columns: str) -> None:
    """Refuses a second row with the same fields.

    Raises:
        ValueError: there is one; both lines are named.
    """
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


def _experiment(entry: Entry, required: bool) -> str:
    name = entry.text("experiment", required)
    if name and not EXPERIMENT.fullmatch(name):
        raise entry.fault(f"experiment is {name!r}; write paper/section in small letters, digits and _")
    return name


_CELL_TEXTS = ("table", "row", "column", "spread_kind", "unit", "kind", "source", "note")
_CLAIM_TEXTS = (
    "id",
    "number",
    "section",
    "statement",
    "kind",
    "left",
    "right",
    "metric",
    "direction",
    "source",
    "note",
)
CELL_COLUMNS = (
    *("table", "row", "column", "value", "spread", "spread_kind", "n", "unit", "kind", "experiment", "arm"),
    *("metric", "tolerance", "available", "n_required", "source", "note"),
)
CLAIM_COLUMNS = (
    *("id", "number", "section", "statement", "kind", "experiment", "left", "right", "metric", "margin"),
    *("direction", "members", "n_required_reduced", "n_required_paper", "source", "note"),
)
