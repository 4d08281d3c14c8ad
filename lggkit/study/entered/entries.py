"""Tables of text that people edit: every row is read, or the first fault is named by file and line.

A byte order mark, line ends of any system and blank lines are no faults.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NUMBER = re.compile(r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Entry:
    """One row of a file, with the line on which it begins."""

    path: Path
    line: int
    fields: Mapping[str, str]

    def fault(self, what: str) -> ValueError:
        """An error that says where, and then what."""
        return ValueError(f"{self.path}, line {self.line}: {what}")

    def text(self, column: str, required: bool = True) -> str:
        """A field; a ValueError where it is required and empty."""
        if required and not self.fields[column]:
            raise self.fault(f"{column} is empty; fill it in")
        return self.fields[column]

    def one_of(self, column: str, allowed: Sequence[str]) -> str:
        """A field that is one of several words; a ValueError where it is another."""
        if self.fields[column] not in allowed:
            words = ", ".join(word or "nothing" for word in allowed)
            raise self.fault(f"{column} is {self.fields[column]!r}; write one of {words}")
        return self.fields[column]

    def number(self, column: str, least: float = -math.inf) -> float | None:
        """A field as a finite number from ``least`` on, None where it is empty; else a ValueError."""
        text = self.fields[column]
        if not text:
            return None
        value = float(text) if NUMBER.fullmatch(text) else math.nan
        if not (math.isfinite(value) and value >= least):
            bound = "" if math.isinf(least) else f" from {least:g} on"
            raise self.fault(f"{column} is {text!r}; write a finite number{bound} with a decimal point")
        return value

    def count(self, column: str) -> int | None:
        """A field as a whole number from 1 on, None where it is empty; else a ValueError."""
        text = self.fields[column]
        if text and (not WHOLE.fullmatch(text) or len(text) > 9 or int(text) < 1):
            raise self.fault(f"{column} is {text!r}; write a whole number from 1 on")
        return int(text) if text else None


def read_entries(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[Entry]:
    """The rows of a comma-separated file whose header names these columns, in any order, and no others.

    An ``optional`` column that the header does not name is empty in every row.

    Raises:
        ValueError: one sentence with file and line: a header or a row that does not fit, a quote that is not
            closed, bytes that are no UTF-8.
        OSError: the file cannot be read.
    """
    rows = _rows(path, _text(path))
    line, header = next(rows, (1, []))
    _check_header(path, line, header, columns, optional)
    empty = dict.fromkeys(optional, "")
    return [
        Entry(path, line, empty | dict(zip(header, row, strict=True)))
        for line, row in _whole(path, rows, header)
    ]


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: not UTF-8; save the file in this encoding") from error


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with their first lines, fields trimmed, blank ones left out."""
    reader, line = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield line, [field.strip() for field in row]
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, line {line}: {error}; check the quotes from this line on") from error


def _check_header(
    path: Path, line: int, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]
) -> None:
    missing = [name for name in columns if name not in header]
    others = [name for name in header if name not in (*columns, *optional) or header.count(name) > 1]
    if missing or others:
        faults = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(others)}"] * bool(others)
        raise ValueError(
            f"{path}, line {line}: the header {' and '.join(faults)}; write {','.join(columns)}, with commas"
        )


def _whole(
    path: Path, rows: Iterator[tuple[int, list[str]]], header: Sequence[str]
) -> Iterator[tuple[int, list[str]]]:
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {line}: {len(row)} fields where the header has {len(header)}; check its commas"
                " and quotes"
            )
        if any("\n" in field or "\r" in field for field in row):
            raise ValueError(f"{path}, line {line}: a field goes on to the next line; check the quotes")
        yield line, row
