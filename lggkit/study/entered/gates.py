"""Gates: what must be true of trained networks before a claim about them is judged.

``arm:metric<=bound`` or ``arm:metric>=bound``, several joined by ``;``, all of which must be true of the mean
over an arm's complete runs of the claim's experiment at the scale that decides.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lggkit.study.entered.entries import NUMBER

CONDITION = re.compile(rf"([A-Za-z0-9_.-]+):([A-Za-z0-9_]+)\s*(<=|>=)\s*({NUMBER.pattern})")


@dataclass(frozen=True)
class Condition:
    """One condition of a gate: an arm's metric is ``<=`` or ``>=`` a bound, in the metric's unit."""

    arm: str
    metric: str
    relation: str
    bound: float


def parse_gate(text: str) -> tuple[Condition, ...]:
    """The conditions of a gate; of an empty text none.

    Raises:
        ValueError: a part is no condition, or stands there twice.
    """
    parts = [part.strip() for part in text.split(";")] if text.strip() else []
    conditions = tuple(map(_condition, parts))
    if len({(c.arm, c.metric, c.relation) for c in conditions}) < len(conditions):
        raise ValueError(f"gate is {text!r}, which has a condition twice; keep one")
    return conditions


def _condition(part: str) -> Condition:
    match = CONDITION.fullmatch(part)
    if match is None or not math.isfinite(float(match[4])):
        raise ValueError(f"gate has {part!r}; write arm:metric<=number or arm:metric>=number, joined by ;")
    return Condition(match[1], match[2], match[3], float(match[4]))
