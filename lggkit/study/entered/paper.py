"""The papers' own numbers and claims, read from ``data/paper``: entered there once, typed nowhere else."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from lggkit.study import paths
from lggkit.study.entered import papers
from lggkit.study.entered.claim_entries import CLAIM_COLUMNS, KINDS, LATER_CLAIM_COLUMNS, Claim, claim_of
from lggkit.study.entered.entries import Entry, read_entries
from lggkit.study.entered.paper_entries import CELL_COLUMNS, Cell, cell_of, check_once
from lggkit.study.entered.papers import Paper


def cells(paper: str) -> tuple[Cell, ...]:
    """Every entered cell of a paper, in the order of its tables; definitions and descriptors included.

    Raises:
        KeyError: there is no such paper.
        ValueError: one sentence with file and line about the first entry that is not as
            ``data/paper/README.md`` asks.
        OSError: the file cannot be read.
    """
    return _read_cells(*_file(paper, "cells.csv"))


def claims(paper: str) -> tuple[Claim, ...]:
    """Every claim of a paper and every part of a compound claim, in the order of their numbers.

    Raises:
        KeyError, ValueError, OSError: as for `cells`.
    """
    return _read_claims(*_file(paper, "claims.csv"))


def cell(paper: str, table: str, row: str, column: str) -> Cell:
    """The one cell at a place.

    Raises:
        KeyError: there is none; the message lists the table's places.
    """
    by_place = {(c.row, c.column): c for c in cells(paper) if c.table == table}
    if (row, column) not in by_place:
        raise KeyError(f"{paper} {table} has no cell ({row!r}, {column!r}); it has {sorted(by_place)}")
    return by_place[row, column]


def _file(paper: str, name: str) -> tuple[Paper, Path, int, int]:
    """A file with what changes when it or ``paper.toml`` is edited, so that nothing stale is served."""
    described = papers.find(paper)
    path = paths.repository() / "data" / "paper" / paper / name
    state = path.stat()
    return described, path, state.st_mtime_ns, state.st_size


@functools.cache
def _read_cells(paper: Paper, path: Path, *stamp: int) -> tuple[Cell, ...]:
    entries = read_entries(path, CELL_COLUMNS)
    check_once(entries, "table", "row", "column")
    _check_sections(paper, entries)
    return tuple(cell_of(paper.name, entry) for entry in entries)


@functools.cache
def _read_claims(paper: Paper, path: Path, *stamp: int) -> tuple[Claim, ...]:
    entries = read_entries(path, CLAIM_COLUMNS, LATER_CLAIM_COLUMNS)
    for column in ("id", "number"):
        check_once(entries, column)
    _check_sections(paper, entries)
    kinds = {entry.text("id"): entry.one_of("kind", KINDS) for entry in entries}
    return tuple(claim_of(paper.name, entry, kinds) for entry in entries)


def _check_sections(paper: Paper, entries: Sequence[Entry]) -> None:
    """Refuse an experiment of the paper that is none of its sections, which nothing would ever measure."""
    for entry in entries:
        named = entry.fields["experiment"]
        if named.startswith(f"{paper.name}/") and named not in paper.experiments:
            known = ", ".join(paper.experiments)
            raise entry.fault(f"experiment is {named!r}, no section of {papers.FILE}; it has {known}")
