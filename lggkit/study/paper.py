"""The papers' own numbers and claims, read from ``data/paper``: entered there once, typed nowhere else."""

from __future__ import annotations

import functools
from pathlib import Path

from lggkit.study import paths
from lggkit.study.entries import read_entries
from lggkit.study.paper_entries import (
    CELL_COLUMNS,
    CLAIM_COLUMNS,
    KINDS,
    Cell,
    Claim,
    cell_of,
    check_once,
    claim_of,
)

PAPERS = ("lgg", "graph_smoothness_loss", "ot_transfer", "relative_representations")


def cells(paper: str) -> tuple[Cell, ...]:
    """Every entered cell of a paper, in the order of its tables; definitions and descriptors included.

    Raises:
        KeyError: there is no such paper.
        ValueError: one sentence with file and line about the first entry that is not as
            ``data/paper/README.md`` asks.
        OSError: the file cannot be read.
    """
    return _read_cells(paper, *_file(paper, "cells.csv"))


def claims(paper: str) -> tuple[Claim, ...]:
    """Every claim of a paper and every part of a compound claim, in the order of their numbers.

    Raises:
        KeyError, ValueError, OSError: as for `cells`.
    """
    return _read_claims(paper, *_file(paper, "claims.csv"))


def cell(paper: str, table: str, row: str, column: str) -> Cell:
    """The one cell at a place.

    Raises:
        KeyError: there is none; the message lists the table's places.
    """
    found = {(c.row, c.column): c for c in cells(paper) if c.table == table}
    if (row, column) not in found:
        raise KeyError(f"{paper} {table} has no cell ({row!r}, {column!r}); it has {sorted(found)}")
    return found[row, column]


def _file(paper: str, name: str) -> tuple[Path, int, int]:
    """A file with what changes when it is edited, so that nothing stale is served."""
    if paper not in PAPERS:
        raise KeyError(f"no paper is named {paper!r}; there are {', '.join(PAPERS)}")
    path = paths.repository() / "data" / "paper" / paper / name
    state = path.stat()
    return path, state.st_mtime_ns, state.st_size


@functools.cache
def _read_cells(paper: str, path: Path, *stamp: int) -> tuple[Cell, ...]:
    entries = read_entries(path, CELL_COLUMNS)
    check_once(entries, "table", "row", "column")
    return tuple(cell_of(paper, entry) for entry in entries)


@functools.cache
def _read_claims(paper: str, path: Path, *stamp: int) -> tuple[Claim, ...]:
    entries = read_entries(path, CLAIM_COLUMNS)
    for column in ("id", "number"):
        check_once(entries, column)
    kinds = {entry.text("id"): entry.one_of("kind", KINDS) for entry in entries}
    return tuple(claim_of(paper, entry, kinds) for entry in entries)
