"""Which verdicts of a family survive Holm's correction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from lggkit.study.judging import statistics
from lggkit.study.judging.effect_verdicts import CONTRADICTED, HOLDS


def survivors(tested: Iterable[tuple[str, str, float]]) -> set[str]:
    """The claims that survive in their families; each is given as (family, identifier, p-value)."""
    grouped: dict[str, dict[str, float]] = defaultdict(dict)
    for family, name, p_value in tested:
        grouped[family][name] = p_value
    return set().union(*map(statistics.holm, grouped.values()))


def survives(verdict: str, parts: Sequence[tuple[str, bool]]) -> bool:
    """Whether a verdict stands, by those of its parts and whether each of them does: (verdict, stands).

    What holds takes all parts to stand, what is contradicted one that is. A single claim is its own part.
    """
    if verdict == CONTRADICTED:
        return any(stands for one, stands in parts if one == CONTRADICTED)
    return verdict == HOLDS and all(stands for _, stands in parts)
