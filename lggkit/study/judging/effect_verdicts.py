"""What a claim's rule gives on the records of one scale, its gate beside it.

Values of seeds that agree to rounding decide nothing but identities (``exact``): their spread is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lggkit.record import Record
from lggkit.study.entered.paper import Claim
from lggkit.study.judging import statistics
from lggkit.study.judging.effects import effects, slopes, violations
from lggkit.study.judging.readings import Reading, readings
from lggkit.study.judging.statistics import Interval

HOLDS, CONTRADICTED, UNDECIDED = "holds", "contradicted", "undecided"
NOT_TESTED = "not tested at this scale"
LENGTHS = ("short", "reduced", "paper")
"""Scales at which claims are measured, shorter trainings first."""
RULES = {"greater": effects, "equivalent": effects, "trend": slopes, "exact": violations}


@dataclass(frozen=True)
class Effect:
    """The effect of a claim at one scale and the verdict that its interval alone gives.

    ``gate`` has what the runs say of each condition, `open` whether all are true.
    """

    scale: str
    verdict: str
    n: int = 0
    interval: Interval | None = None
    p_value: float | None = None
    reason: str = ""
    gate: tuple[Reading, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the gate is; one without conditions always is."""
        return all(reading.open for reading in self.gate)

    @property
    def gate_text(self) -> str:
        """The figures of the gate: those that shut it where it is shut, else all."""
        shown = [reading for reading in self.gate if self.open or not reading.open]
        return "; ".join(reading.text for reading in shown)


def effects_by_scale(claim: Claim, by_scale: Mapping[str, Sequence[Record]]) -> dict[str, Effect]:
    """The effect of a claim at each scale that has runs to judge it by, in the order of `LENGTHS`."""
    scales = LENGTHS if claim.experiment else ()
    candidates = {scale: effect_at(claim, scale, by_scale.get(scale, ())) for scale in scales}
    return {scale: effect for scale, effect in candidates.items() if effect is not None}


def effect_at(claim: Claim, scale: str, records: Sequence[Record]) -> Effect | None:
    """The effect at one scale; None where no seed has what the rule needs."""
    gate = readings(claim, records)
    try:
        values, magnitude = RULES[claim.kind](claim, records)
        return _decide(claim, scale, values, magnitude, gate) if values else None
    except ValueError as error:
        return Effect(scale, UNDECIDED, reason=str(error), gate=gate)


def _decide(
    claim: Claim, scale: str, values: list[float], magnitude: float, gate: tuple[Reading, ...]
) -> Effect:
    if claim.kind == "exact":
        worst, n = max(values), len(values)
        verdict = HOLDS if worst <= (claim.margin or 0.0) else CONTRADICTED
        return Effect(
            scale, _timely(verdict, n, claim, scale), n, Interval(worst, worst, worst, n), gate=gate
        )
    interval = statistics.t_interval(values, magnitude=magnitude)
    verdict, p_value = _verdict_of(claim, interval, values, magnitude)
    verdict, reason = _timely(verdict, interval.n, claim, scale), unresolved(interval)
    return Effect(scale, verdict, interval.n, interval, p_value, reason, gate)


def _timely(verdict: str, n: int, claim: Claim, scale: str) -> str:
    """The verdict once there are as many seeds as were fixed beforehand."""
    return UNDECIDED if n < claim.n_required[scale] else verdict


def unresolved(interval: Interval) -> str:
    """Why more seeds may not decide an interval, where that is so."""
    return "" if interval.resolved else statistics.UNRESOLVED


def _verdict_of(claim: Claim, interval: Interval, values: list[float], magnitude: float) -> tuple[str, float]:
    if claim.kind == "equivalent":
        margin = claim.margin or 0.0
        verdict = by_interval(
            interval.inside(-margin, margin), interval.outside(-margin, margin), HOLDS, CONTRADICTED
        )
        return verdict, statistics.p_value_of_equivalence(values, margin, magnitude)
    falling = claim.kind == "trend" and claim.direction == "decreasing"
    above, below = interval.above(0), interval.below(0)
    verdict = by_interval(*((below, above) if falling else (above, below)), HOLDS, CONTRADICTED)
    return verdict, statistics.p_value_of_mean(values, magnitude=magnitude)


def by_interval(yes: bool, no: bool, positive: str, negative: str) -> str:
    """A verdict: ``positive``, ``negative`` or undecided."""
    return positive if yes else negative if no else UNDECIDED
