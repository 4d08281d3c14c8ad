"""What is to be run (`Spec`), and what came out (`Record`)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lggkit import strict
from lggkit.protocol import Protocol, non_defaults, stated

SCALES = ("smoke", "short", "reduced", "paper")
STATUSES = ("complete", "diverged")
TEXTS = ("reason", "device", "precision", "torch", "path", "network", "trained_on", "first_key", "commit")
LATER = ("network", "trained_on", "first_key")
"""Fields of a record that lines do not have where they are empty, so that old lines stay what they are."""


def check_scale(scale: Any) -> None:
    """Make sure that a value is a scale; else a ValueError names them."""
    if not isinstance(scale, str) or scale not in SCALES:
        raise ValueError(f"scale is {scale!r}; choose one of {', '.join(SCALES)}")


@dataclass(frozen=True)
class Spec:
    """One run: an arm of an experiment at a scale with a seed, under its protocol.

    ``key`` hashes only those protocol fields that differ from their defaults (and the revision, always), so
    that a field added later with a default orphans no record; this holds for dataclasses nested in it too.

    Raises:
        ValueError: the experiment is not named ``<paper>/<section>`` in a-z, 0-9 and _, the arm not in
            letters, digits, _, . and -, the scale is none of ``smoke``, ``short``, ``reduced``, ``paper``, or
            the seed is no integer from 0 on.
    """

    experiment: str
    arm: str
    scale: str
    seed: int = 0
    protocol: Protocol = field(default_factory=Protocol)

    def __post_init__(self) -> None:
        strict.experiment(self.experiment)
        strict.arm(self.arm)
        check_scale(self.scale)
        strict.whole_number("seed", self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        """All fields of the protocol, defaults included, as a record states them."""
        return stated(self.protocol)

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that name this run for ever."""
        return key_of(self)


def key_of(spec: Spec, scale: str | None = None, names: Mapping[str, str] | None = None) -> str:
    """The key of a run, or what it was at another scale and with other names of settings (new to old).

    ``names`` may rename fields and the types of nested dataclasses.
    """
    identity = {
        "experiment": spec.experiment,
        "arm": spec.arm,
        "scale": scale or spec.scale,
        "seed": spec.seed,
        "revision": spec.protocol.revision,
        "settings": renamed(non_defaults(spec.protocol), names or {}),
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def renamed(settings: Any, names: Mapping[str, str]) -> Any:
    """Settings as plain data, with other names of fields and of nested types."""
    if not isinstance(settings, dict):
        return settings
    translated = {names.get(name, name): renamed(value, names) for name, value in settings.items()}
    if isinstance(translated.get("type"), str):
        translated["type"] = names.get(translated["type"], translated["type"])
    return translated


@dataclass(frozen=True)
class Record:
    """What came out of one run, with all that is needed to judge it; one JSON line of the ledger.

    ``metrics`` are numbers or short lists of numbers by name, ``curves`` short lists over training,
    ``device``/``precision``/``torch``/``path`` say what computed them, ``seconds`` what measuring took.
    ``network`` is the key of the trained network in the network ledger, where its training's seconds are, and
    ``trained_on`` the device of that training; records without them count the training in ``seconds``.
    ``status`` is ``complete`` or ``diverged`` (then ``reason`` says why): a diverged run is a result.
    ``arrays`` (name to NumPy array) are what figures need; a ledger keeps them beside the line, which holds
    only their names, and gives them back through ``Ledger.arrays``.

    Raises:
        ValueError: a field is of another type or form, the status is unknown, a diverged record gives no
            reason, or a number is not finite. What becomes a path (experiment, scale, key, names of arrays)
            is held to the same forms as in a `Spec`.
    """

    key: str
    experiment: str
    arm: str
    scale: str
    seed: int
    settings: dict[str, Any]
    metrics: dict[str, float | list[float]]
    curves: dict[str, list[float]] = field(default_factory=dict)
    status: str = "complete"
    reason: str = ""
    device: str = ""
    precision: str = "float32"
    torch: str = ""
    path: str = ""
    network: str = ""
    trained_on: str = ""
    first_key: str = ""
    seconds: float = 0.0
    commit: str = ""
    date: str = ""
    arrays: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for check, name in ((strict.key, "key"), (strict.experiment, "experiment"), (strict.arm, "arm")):
            check(getattr(self, name))
        check_scale(self.scale)
        strict.whole_number("seed", self.seed)
        self._check_values()
        for name in TEXTS:
            strict.text(name, getattr(self, name))
        strict.moment(self.date)
        if self.status not in STATUSES:
            raise ValueError(f"status is {self.status!r}; a record is one of {', '.join(STATUSES)}")
        if self.status == "diverged" and not self.reason:
            raise ValueError("a diverged record gives no reason; say what became not finite, and when")

    def _check_values(self) -> None:
        strict.by_name("settings", self.settings, lambda _, value: strict.plain(value))
        strict.by_name("metrics", self.metrics, _metric)
        strict.by_name("curves", self.curves, strict.numbers)
        strict.by_name("arrays", self.arrays, lambda _, value: None)
        for name in self.arrays:
            strict.array(name)
        strict.number("seconds", self.seconds)
        if self.seconds < 0:
            raise ValueError(f"seconds is {self.seconds}; give 0 or more")

    def to_json(self) -> str:
        """One line of strict JSON, keys sorted; of arrays only the names, of `LATER` fields what is said."""
        fields = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        fields = {name: value for name, value in fields.items() if value or name not in LATER}
        return json.dumps(fields | {"arrays": sorted(self.arrays)}, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> Record:
        """The record of one ledger line; a ValueError where it is not strict JSON, or not a record's."""
        try:
            return cls.from_fields(strict.loads(line))
        except ValueError as error:
            raise ValueError(f"not a record: {error}") from error

    @classmethod
    def from_fields(cls, fields: Any) -> Record:
        """The record of what a line says, of the arrays only the names; a ValueError where it says none."""
        return strict.made(lambda arrays=(), **others: cls(arrays=_names(arrays), **others), fields)


def _names(names: Any) -> dict[str, None]:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError("arrays are not a list of names")
    return dict.fromkeys(names)


def _metric(what: str, value: Any) -> None:
    try:
        (strict.numbers if isinstance(value, list) else strict.number)(what, value)
    except ValueError as error:
        remedy = "; leave it out and record the run as diverged instead" if "finite" in str(error) else ""
        raise ValueError(f"{error}{remedy}") from None
