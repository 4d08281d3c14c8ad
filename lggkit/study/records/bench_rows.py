"""What a row of a benchmark file must hold, by its kind, before anything is written or shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any], bool]


def _finite(value: Any) -> bool:
    # An int may be finite and yet more than a float can hold.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _positive(value: Any) -> bool:
    return _finite(value) and value > 0


def _from_zero(value: Any) -> bool:
    return _finite(value) and value >= 0


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _shares(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(map(_from_zero, value.values()))


POSITIVE, FROM_ZERO = (_positive, "a finite number above 0"), (_from_zero, "a finite number from 0 on")
TEXT, TRUTH = (_text, "a text"), (lambda value: isinstance(value, bool), "true or false")
MAYBE = (lambda value: value is None or _positive(value), "null or a finite number above 0")
COMPARED = {"ratio": MAYBE, "equal": TRUTH}
NEEDED: dict[str, dict[str, tuple[Check, str]]] = {
    "time": {"ours_seconds": POSITIVE, "reference_seconds": MAYBE, **COMPARED},
    "memory": {"ours_bytes": POSITIVE, "reference_bytes": MAYBE, **COMPARED},
    "roof": {"rate": POSITIVE, "unit": TEXT},
    "profile": {
        "network": TEXT,
        "seconds": POSITIVE,
        "shares": (_shares, "finite numbers from 0 on by part"),
        "convolutions_alone_seconds": FROM_ZERO,
    },
}
OPTIONAL = {
    **dict.fromkeys(("n", "width", "depths", "flops", "bytes", "target"), POSITIVE),
    **dict.fromkeys(("setup_seconds", "reference_setup_seconds", "smallest_ratio"), FROM_ZERO),
    **dict.fromkeys(("ours_peak_bytes", "reference_peak_bytes"), FROM_ZERO),
    **dict.fromkeys(("network", "strategy", "device"), TEXT),
    "kept": (lambda value: isinstance(value, str), "a text, which may be empty"),
}
TOGETHER = {"target": ("ratio", "network"), "strategy": ("ratio", "kept"), "width": ("n",)}
"""What a row that has the one must have as well, and not as null."""


def check_rows(rows: Any) -> None:
    """Refuses the first row that lacks something or holds what is no finite number.

    Raises:
        ValueError: one sentence with the row's number, from 1 on, its name, and what is wrong.
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise ValueError("rows are no list of at least one row")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping) or not _text(row.get("name")):
            raise ValueError(f"row {number} has no name")
        if problem := _problem(row):
            raise ValueError(f"row {number} ({row['name']}): {problem}")


def _problem(row: Mapping[str, Any]) -> str:
    kind = row.get("kind", "time")
    if not isinstance(kind, str) or kind not in NEEDED:
        return f"kind is {kind!r}; it is one of {', '.join(NEEDED)}"
    asked = NEEDED[kind] | {
        name: OPTIONAL[name] for name in OPTIONAL if name in row and name not in NEEDED[kind]
    }
    for name, (fits, wanted) in asked.items():
        if name not in row:
            return f"{name} is missing"
        if not fits(row[name]):
            return f"{name} is {row[name]!r}, not {wanted}"
    for name, others in TOGETHER.items():
        for other in others if name in row else ():
            if row.get(other) is None:
                return f"{name} is given without {other}"
    return _uneven(row, kind)


def _uneven(row: Mapping[str, Any], kind: str) -> str:
    reference = {"time": "reference_seconds", "memory": "reference_bytes"}.get(kind)
    if reference and (row[reference] is None) != (row["ratio"] is None):
        return f"{reference} and ratio go together, both or none"
    return ""
