"""Which papers there are: one folder of ``data/paper`` each, described by its ``paper.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lggkit.study import paths
from lggkit.study.file_cache import unless_changed

FILE = "paper.toml"
KINDS = ("paper", "articles")
FAMILIES = ("paper", "section")
LAST = 1000
NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class Paper:
    """A paper, or a collection of articles, as ``paper.toml`` describes it.

    ``sections`` are (name, title) in order, ``families`` says over what Holm's correction runs: the whole
    paper, or each section by itself. ``claims`` and ``tables`` (name, measured cells) declare how many
    there should be, None and () where nothing is declared. ``units`` are (pattern, unit): what a metric whose
    whole name fits the pattern is counted in, the first that fits. ``short`` stands before numbers of tables
    and claims, by default the initials of the title.
    """

    name: str
    title: str
    cite: str
    sections: tuple[tuple[str, str], ...]
    kind: str = "paper"
    families: str = "paper"
    order: int = LAST
    claims: int | None = None
    tables: tuple[tuple[str, int], ...] = ()
    units: tuple[tuple[str, str], ...] = ()
    short: str = ""

    @property
    def experiments(self) -> tuple[str, ...]:
        """The names of its experiments, one a section."""
        return tuple(f"{self.name}/{section}" for section, _ in self.sections)


def papers() -> tuple[Paper, ...]:
    """All papers: by ``order``, those of the same order by name.

    Raises:
        ValueError: one sentence about the first ``paper.toml`` that is not as ``data/paper/README.md`` asks.
        OSError: a file cannot be read.
    """
    files = (paths.repository() / "data" / "paper").glob(f"[!.]*/{FILE}")
    return tuple(sorted(map(_current, files), key=lambda paper: (paper.order, paper.name)))


def find(name: str) -> Paper:
    """The paper of a name.

    Raises:
        KeyError: there is none; the message lists what there is.
        ValueError, OSError: as for `papers`.
    """
    file = paths.repository() / "data" / "paper" / name / FILE
    if not NAME.fullmatch(name) or not file.is_file():
        known = ", ".join(paper.name for paper in papers())
        raise KeyError(f"no paper is named {name!r}; there are {known}")
    return _current(file)


def _current(file: Path) -> Paper:
    """The paper of a file as it is now."""
    return unless_changed(file, "paper", lambda: _read(file))


def _read(file: Path) -> Paper:
    try:
        entries = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
        return _paper(file.parent.name, entries)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _paper(name: str, entries: dict[str, Any]) -> Paper:
    if not NAME.fullmatch(name):
        raise ValueError(f"the folder is {name!r}; name it in small letters, digits and _")
    for key in entries.keys() - set(Paper.__dataclass_fields__) | entries.keys() & {"name"}:
        raise ValueError(f"there is a {key!r}, which nothing reads; look for a slip of the pen")
    kind, title = _word(entries, "kind", KINDS), _text(entries, "title")
    return Paper(
        name=name,
        title=title,
        cite=_text(entries, "cite"),
        sections=_sections(entries),
        kind=kind,
        families=_word(entries, "families", FAMILIES, FAMILIES[KINDS.index(kind)]),
        order=_count(entries, "order", LAST),
        claims=_count(entries, "claims", None),
        tables=_tables(entries),
        units=_units(entries),
        short=_text(entries, "short", _initials(title)),
    )


def _text(entries: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = entries.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is {value!r}; write a text in quotes")
    return value.strip()


def _initials(title: str) -> str:
    return "".join(word[0] for word in title.split()).upper()


def _word(entries: Mapping[str, Any], key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    value = _text(entries, key, default or allowed[0])
    if value not in allowed:
        raise ValueError(f"{key} is {value!r}; write one of {', '.join(allowed)}")
    return value


def _count(entries: Mapping[str, Any], key: str, default: int | None) -> Any:
    value = entries.get(key, default)
    if value is not default and (type(value) is not int or value < 0):
        raise ValueError(f"{key} is {value!r}; write a whole number from 0 on")
    return value


def _table(entries: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = entries.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"{key} is {value!r}; write a table [{key}]")
    return value


def _sections(entries: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    titles = _table(entries, "sections")
    if not titles:
        raise ValueError("there is no [sections]; name every section that has an experiment, with its title")
    for name in titles:
        if not NAME.fullmatch(name):
            raise ValueError(f"a section is named {name!r}; write small letters, digits and _")
    return tuple((name, _text(titles, name)) for name in titles)


def _tables(entries: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    counts = _table(entries, "tables")
    return tuple((name, _count(counts, name, None)) for name in counts)


def _units(entries: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    units = _table(entries, "units")
    for pattern in units:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"a unit has the pattern {pattern!r}, which is none: {error}") from error
    return tuple((pattern, _text(units, pattern)) for pattern in units)
