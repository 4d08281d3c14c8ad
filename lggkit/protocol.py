"""Frozen settings: what a protocol is, how several share a part, and what of them a key depends on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Protocol:
    """Base of every experiment's frozen settings; a higher ``revision`` retires numbers that a bug spoilt."""

    revision: int = 1


@dataclass(frozen=True)
class Part:
    """Base of settings that several protocols share, each as the value of one of its fields.

    In keys, records and changes the fields of a part count as those of the protocol that has it, so that
    sharing settings, or no longer sharing them, changes no key.
    """


def changed(protocol: Protocol, changes: Mapping[str, Any]) -> Protocol:
    """The protocol with other values of some fields, its own or those of its parts.

    Raises:
        TypeError: it has no such field.
    """
    own = {entry.name for entry in dataclasses.fields(protocol)}
    replaced = {name: value for name, value in changes.items() if name in own}
    left = changes.keys() - own
    for name, part in _parts(protocol).items():
        inside = {entry.name for entry in dataclasses.fields(part)} & left
        if inside:
            replaced[name] = dataclasses.replace(part, **{entry: changes[entry] for entry in inside})
            left -= inside
    if left:
        raise TypeError(f"{type(protocol).__name__} has no field {min(left)!r}; look for a slip of the pen")
    return dataclasses.replace(protocol, **replaced)


def _parts(protocol: Protocol) -> dict[str, Part]:
    values = {entry.name: getattr(protocol, entry.name) for entry in dataclasses.fields(protocol)}
    return {name: value for name, value in values.items() if isinstance(value, Part)}


def non_defaults(settings: Any, defaults: Any = None) -> dict[str, Any]:
    """The fields of a dataclass that differ from its defaults (or from ``defaults``, one of its kind).

    Nested dataclasses come with their type's name, the fields of a part as the owner's own.
    """
    differing = {}
    for entry in dataclasses.fields(settings):
        default = _default(entry) if defaults is None else getattr(defaults, entry.name)
        value = getattr(settings, entry.name)
        if isinstance(value, Part):
            differing |= non_defaults(value, default)
        elif entry.name != "revision" and (default is dataclasses.MISSING or value != default):
            differing[entry.name] = _plain(value)
    return differing


def _default(entry: dataclasses.Field) -> Any:
    if entry.default is dataclasses.MISSING and entry.default_factory is not dataclasses.MISSING:
        return entry.default_factory()
    return entry.default


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {"type": type(value).__name__} | non_defaults(value)
    return value


def stated(protocol: Protocol) -> dict[str, Any]:
    """All fields of a protocol as plain data, defaults included; those of a part as its own."""
    parts, everything = _parts(protocol), dataclasses.asdict(protocol)
    own = {name: value for name, value in everything.items() if name not in parts}
    return own | {name: value for part in parts for name, value in everything[part].items()}
