"""What is to be run (`Spec`), and what came out (`Record`)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

from lggkit.protocol import Protocol, non_defaults, stated

SCALES = ("smoke", "reduced", "paper")
STATUSES = ("complete", "diverged")


@dataclass(frozen=True)
class Spec:
    """One run: an arm of an experiment at a scale with a seed, under its protocol.

    ``key`` hashes only those protocol fields that differ from their defaults (and the revision, always), so
    that a field added later with a default orphans no record; this holds for dataclasses nested in it too.

    Raises:
        ValueError: the scale is none of ``smoke``, ``reduced``, ``paper``, or the seed is negative.
    """

    experiment: str
    arm: str
    scale: str
    seed: int = 0
    protocol: Protocol = field(default_factory=Protocol)

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"scale is {self.scale!r}; choose one of {', '.join(SCALES)}")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; choose an integer from 0 on")

    @property
    def settings(self) -> dict[str, Any]:
        """All fields of the protocol, defaults included, as a record states them."""
        return stated(self.protocol)

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that name this run for ever."""
        identity = {
            "experiment": self.experiment,
            "arm": self.arm,
            "scale": self.scale,
            "seed": self.seed,
            "revision": self.protocol.revision,
            "settings": non_defaults(self.protocol),
        }
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Record:
    """What came out of one run, with all that is needed to judge it; one JSON line of the ledger.

    ``metrics`` are numbers or short lists of numbers by name, ``curves`` short lists over training,
    ``device``/``precision``/``torch``/``path`` say what computed them, ``seconds`` what it took.
    ``status`` is ``complete`` or ``diverged`` (then ``reason`` says why): a diverged run is a result.
    ``arrays`` (name to NumPy array) are what figures need; a ledger keeps them beside the line, which holds
    only their names, and gives them back through ``Ledger.arrays``.

    Raises:
        ValueError: the status is unknown, a diverged record gives no reason, or a complete record holds a
            metric that is not finite.
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
    seconds: float = 0.0
    commit: str = ""
    date: str = ""
    arrays: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status is {self.status!r}; a record is one of {', '.join(STATUSES)}")
        if self.status == "diverged" and not self.reason:
            raise ValueError("a diverged record gives no reason; say what became not finite, and when")
        bad = [name for name, value in self.metrics.items() if not _finite(value)]
        if self.status == "complete" and bad:
            raise ValueError(f"metric {bad[0]!r} is not finite; record the run as diverged instead")

    def to_json(self) -> str:
        """One line of strict JSON, keys sorted; of the arrays only the names."""
        fields = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        return json.dumps(fields | {"arrays": sorted(self.arrays)}, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> Record:
        """The record of one ledger line.

        Raises:
            ValueError: the line is not JSON, lacks a field that has no default, or holds an unknown one.
        """
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise ValueError(f"not a record: a JSON {type(fields).__name__}, not an object")
        try:
            return cls(**fields | {"arrays": dict.fromkeys(fields.get("arrays", ()))})
        except TypeError as error:
            raise ValueError(f"not a record: {error}") from error


def _finite(value: float | list[float]) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(v, (int, float)) and math.isfinite(v) for v in values)
