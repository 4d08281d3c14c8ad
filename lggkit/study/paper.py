"""The papers' own numbers and claims, read from ``data/paper``: entered there once, typed nowhere else."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass

from lggkit.study.paths import repository

PAPERS = ("lgg", "graph_smoothness_loss", "ot_transfer", "relative_representations")
KINDS = ("greater", "equivalent", "trend", "exact", "all_of")
DEFAULT_TOLERANCE = 0.5
EVERY_SEED = 1


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


@functools.cache
def cells(paper: str) -> tuple[Cell, ...]:
    """Every entered cell of a paper, in the order of its tables; definitions and descriptors included."""
    return tuple(_cell(paper, row) for row in _rows(paper, "cells.csv"))


@functools.cache
def claims(paper: str) -> tuple[Claim, ...]:
    """Every claim of a paper and every part of a compound claim, in the order of their numbers."""
    return tuple(_claim(paper, row) for row in _rows(paper, "claims.csv"))


def cell(paper: str, table: str, row: str, column: str) -> Cell:
    """The one cell at a place.

    Raises:
        KeyError: there is none; the message lists the table's places.
    """
    found = {(c.row, c.column): c for c in cells(paper) if c.table == table}
    if (row, column) not in found:
        raise KeyError(f"{paper} {table} has no cell ({row!r}, {column!r}); it has {sorted(found)}")
    return found[row, column]


def _rows(paper: str, name: str) -> list[dict[str, str]]:
    if paper not in PAPERS:
        raise KeyError(f"no paper is named {paper!r}; there are {', '.join(PAPERS)}")
    path = repository() / "data" / "paper" / paper / name
    with open(path, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


def _cell(paper: str, row: dict[str, str]) -> Cell:
    spread, count = _number(row["spread"]), _number(row["n"])
    return Cell(
        paper=paper,
        value=float(row["value"]),
        printed=row["value"].strip(),
        spread=spread,
        n=int(count) if count else None,
        tolerance=_tolerance(_number(row["tolerance"]), spread, row["spread_kind"]),
        available=row["available"] == "yes",
        n_required=int(row["n_required"]),
        **{name: row[name] for name in _CELL_TEXTS},
    )


def _tolerance(declared: float | None, spread: float | None, kind: str) -> float:
    if declared is not None:
        return declared
    return max(DEFAULT_TOLERANCE, 2 * spread) if spread is not None and kind == "sd" else DEFAULT_TOLERANCE


def _claim(paper: str, row: dict[str, str]) -> Claim:
    required = {scale: int(row[f"n_required_{scale}"] or EVERY_SEED) for scale in ("reduced", "paper")}
    return Claim(
        paper=paper,
        margin=_number(row["margin"]),
        members=tuple(part.strip() for part in row["members"].split(";") if part.strip()),
        n_required=required,
        **{name: row[name] for name in _CLAIM_TEXTS},
    )


_CELL_TEXTS = (
    "table",
    "row",
    "column",
    "spread_kind",
    "unit",
    "kind",
    "experiment",
    "arm",
    "metric",
    "source",
    "note",
)
_CLAIM_TEXTS = (
    "id",
    "number",
    "section",
    "statement",
    "kind",
    "experiment",
    "left",
    "right",
    "metric",
    "direction",
    "source",
    "note",
)
