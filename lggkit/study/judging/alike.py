"""Whether two lengths of training of a claim differ in their length alone, by the settings of their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lggkit.record import Record
from lggkit.study.entered.paper import Claim

OF_LENGTH = frozenset({"epochs", "moments"})
"""Settings that are the length, and when networks are looked at during it."""
OF_SPEED = frozenset({"precision", "compile", "capture", "drop_last"})
"""Settings of how it is computed; a page names the precision among its deviations."""


def unlike(claim: Claim, shorter: Sequence[Record], longer: Sequence[Record]) -> str:
    """The first setting beside the length in which the arms of a claim differ, with both values; "" if none.

    A setting that one side does not state is one that came later, and no difference, except versions of
    corruptions and attacks: where none is stated it is the first.
    """
    arms = [side.partition(":")[0] for side in (claim.left, claim.right) if side]
    for arm in dict.fromkeys(arms):
        here, there = (_stated(runs, arm) for runs in (shorter, longer))
        for name in sorted(here.keys() | there.keys()):
            values = [one.get(name, _unstated(name)) for one in (here, there)]
            if None not in values and values[0] != values[1]:
                words = name.rpartition(".")[2].replace("_", " ")
                return (
                    f"{words} {_said(values[0])} in the shorter trainings, {_said(values[1])} in the longer"
                )
    return ""


def _stated(records: Sequence[Record], arm: str) -> dict[str, Any]:
    """The settings of an arm's last run by dotted name, but for those of length and speed."""
    runs = [record for record in records if record.arm == arm]
    flat = _flat(runs[-1].settings) if runs else {}
    return {name: v for name, v in flat.items() if name.rpartition(".")[2] not in OF_LENGTH | OF_SPEED}


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {above + name: value}
    return found


def _unstated(name: str) -> int | None:
    return 1 if name.endswith("_version") else None


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
