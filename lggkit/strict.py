"""What a line of the ledger may hold: strict JSON, names that are safe as paths, numbers that are finite."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable
from typing import Any

DEEPEST = 32
LONGEST_INTEGER = 19
EXPERIMENT = re.compile(r"[a-z0-9_]{1,80}/[a-z0-9_]{1,80}")
KEY = re.compile(r"[0-9a-f]{16}")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


def loads(line: str | bytes) -> Any:
    """The value of one JSON text, in which no key comes twice and every number is finite.

    Raises:
        ValueError: it is no such text; of integers longer than 19 digits and lists within lists 32 deep, none
            is taken either.
    """
    try:
        text = line.decode() if isinstance(line, bytes) else line
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse, parse_int=_integer, parse_float=_float
        )
    except RecursionError:
        raise ValueError("lists or objects lie too deep within each other") from None
    plain(value)
    return value


def made(kind: Callable[..., Any], fields: Any) -> Any:
    """An object of the fields that a line holds; a ValueError where they are none, too few or too many."""
    if not isinstance(fields, dict):
        raise ValueError(f"a JSON {type(fields).__name__}, not an object")
    try:
        return kind(**fields)
    except TypeError as error:
        raise ValueError(str(error)) from error


def now() -> str:
    """The present date as records state it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def plain(value: Any, depth: int = 0) -> None:
    """Make sure that a value is made of dictionaries, lists, texts, finite numbers, truth values and None."""
    if depth > DEEPEST:
        raise ValueError("lists or objects lie too deep within each other")
    if isinstance(value, dict):
        for name, entry in value.items():
            text("a name", name)
            plain(entry, depth + 1)
    elif isinstance(value, list | tuple):
        for entry in value:
            plain(entry, depth + 1)
    elif isinstance(value, str):
        text("a text", value)
    elif value is not None and not isinstance(value, bool):
        number("a value", value)


def text(what: str, value: Any) -> None:
    """Make sure that a value is text that can be written as UTF-8."""
    if not isinstance(value, str):
        raise ValueError(f"{what} is {_shown(value)}, not text")
    if "\0" in value or not _encodable(value):
        raise ValueError(f"{what} is {_shown(value)}, which holds characters that cannot be written")


def number(what: str, value: Any) -> None:
    """Make sure that a value is a finite number; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} is {_shown(value)}, not a number")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError(f"{what} is not finite")


def numbers(what: str, value: Any) -> None:
    """Make sure that a value is a list of finite numbers."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} is {_shown(value)}, not a list of numbers")
    for entry in value:
        number(what, entry)


def whole_number(what: str, value: Any) -> None:
    """Make sure that a value is an integer from 0 on that fits 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"{what} is {_shown(value)}; choose an integer from 0 on")


def by_name(what: str, value: Any, check: Callable[[str, Any], None]) -> None:
    """Make sure that a value is a dictionary with texts as keys, and check each of its values."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} are {_shown(value)}, not values by name")
    for name, entry in value.items():
        text(f"a name among the {what}", name)
        check(f"{what.removesuffix('s')} {name!r}", entry)


def matches(what: str, value: Any, pattern: re.Pattern[str], form: str) -> None:
    """Make sure that a value is text of a form which is safe as a part of a path."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{what} is {_shown(value)}; it has to be {form}")


def experiment(value: Any) -> None:
    """Make sure that a value names a section of a paper."""
    matches("experiment", value, EXPERIMENT, "<paper>/<section>, each of a-z, 0-9 and _")


def arm(value: Any) -> None:
    """Make sure that a value can name an arm."""
    matches("arm", value, NAME, "made of letters, digits, _, . and -")


def key(value: Any) -> None:
    """Make sure that a value can be a key."""
    matches("key", value, KEY, "16 hexadecimal digits")


def array(value: Any) -> None:
    """Make sure that a value can name an array in a file; NumPy takes ``file`` for something else."""
    matches("an array's name", value, NAME, "made of letters, digits, _, . and -")
    if value == "file":
        raise ValueError("an array's name is 'file', which NumPy cannot write; give it another")


def moment(value: Any) -> datetime.datetime | None:
    """The time of a date in ISO form, that of Greenwich where it names no zone; None for an empty text.

    Raises:
        ValueError: the value is no date.
    """
    text("date", value)
    try:
        date = datetime.datetime.fromisoformat(value) if value else None
    except ValueError:
        raise ValueError(f"date is {_shown(value)}, not as in 2026-01-31T12:00:00+00:00") from None
    return date.replace(tzinfo=date.tzinfo or datetime.UTC) if date else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{_shown(next(n for n in names if names.count(n) > 1))} is there twice")
    return entries


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a finite number")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER + 1:
        raise ValueError(f"an integer of {len(digits)} digits is too long")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    number(_shown(digits), value)
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    """A value in a sentence: what is long is cut, and what is no text yet becomes it safely."""
    if isinstance(value, dict | list | tuple):
        return f"a {type(value).__name__}"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "an integer of too many digits"
    shown = ascii(value)
    return shown if len(shown) <= 80 else f"{shown[:76]} ..."
