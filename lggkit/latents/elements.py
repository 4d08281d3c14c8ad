"""Parts of an output that is not one tensor: ``"lstm[0]"``, ``"encoder[logits]"``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from torch import Tensor

_NAME = re.compile(r"(?P<place>.+?)(?P<keys>(\[[^\[\]]+\])+)", re.DOTALL)
_LISTED, _DEEP = 8, 3


def split(name: str) -> tuple[str, tuple[str, ...]]:
    """``"lstm[1][0]"`` -> ``("lstm", ("1", "0"))``; a name without brackets has no keys."""
    match = _NAME.fullmatch(name)
    if match is None:
        return name, ()
    return match["place"], tuple(key.strip("'\" ") for key in match["keys"][1:-1].split("]["))


def pick(value: Any, name: str, keys: tuple[str, ...]) -> Tensor:
    """The tensor at the keys, one after the other: an index, a key of a mapping, or an attribute.

    Raises:
        ValueError: there is no such element.
        TypeError: what is found is not one tensor.
    """
    part = value
    for depth, key in enumerate(keys):
        if isinstance(part, Tensor):
            raise ValueError(
                f"depth {name!r} asks for a part of one tensor; name it {_at(name, keys[:depth])!r}"
            )
        inside = _inside(part, key)
        if key not in inside:
            offer = _offer(value, _at(name, ())) or "tap a module that gives a tensor"
            raise ValueError(f"depth {name!r}: the {type(part).__name__} has no {key!r}; {offer}")
        part = inside[key]
    if not isinstance(part, Tensor):
        kind, offer = type(part).__name__, _offer(part, name)
        raise TypeError(
            f"depth {name!r} gives a {kind}; tap a module that gives one tensor{offer and ', or ' + offer}"
        )
    return part


def _at(name: str, keys: tuple[str, ...]) -> str:
    return split(name)[0] + "".join(f"[{key}]" for key in keys)


def _inside(value: Any, key: str) -> dict[str, Any]:
    """What a value holds, by key, also by the key asked for where that is another word for an element."""
    elements = _held(value)
    if isinstance(value, (tuple, list)) and key.startswith("-") and key[1:].isdigit():
        at = str(len(value) - int(key[1:]))
        return {**elements, key: elements[at]} if at in elements else elements
    if key in elements or isinstance(value, Mapping) or not key.isidentifier() or key[0] == "_":
        return elements
    part = getattr(value, key, None)
    return {**elements, key: part} if isinstance(part, Tensor) or not callable(part or len) else elements


def _held(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return {str(index): part for index, part in enumerate(value)}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {key: part for key, part in getattr(value, "__dict__", {}).items() if key[0] != "_"}


def _tensors(value: Any, name: str, deep: int = _DEEP) -> Iterator[str]:
    if isinstance(value, Tensor):
        yield name
    elif deep:
        for key, part in _held(value).items():
            yield from _tensors(part, f"{name}[{key}]", deep - 1)


def _offer(value: Any, name: str) -> str:
    names = list(islice((repr(label) for label in _tensors(value, name)), _LISTED))
    return f"name {'one of ' if len(names) > 1 else ''}{', '.join(names)}" if names else ""
