"""Rules that turn records into verdicts; each rule was declared in ``data/paper`` before the first run.

Values of seeds that agree to rounding decide nothing but identities (``exact``): their spread is not known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lggkit.record import Record
from lggkit.study import statistics
from lggkit.study.effects import by_seed, effects, slopes, violations
from lggkit.study.paper import Cell, Claim
from lggkit.study.statistics import Interval

AGREES, DIFFERS = "agrees", "differs"
HOLDS, CONTRADICTED = "holds", "contradicted"
UNDECIDED, UNMEASURED = "undecided", "unmeasured"
UNAVAILABLE = "unavailable"
DECIDING_SCALES = ("paper", "reduced")


@dataclass(frozen=True)
class CellVerdict:
    """A cell beside ours: our interval at ``paper`` scale, its distance from the paper's, the verdict."""

    cell: Cell
    verdict: str
    interval: Interval | None = None
    diverged: int = 0
    reason: str = ""
    """Why more seeds may not decide it, where that is so."""

    @property
    def difference(self) -> float | None:
        """Our mean less the paper's value, in the cell's unit."""
        return None if self.interval is None else self.interval.mean - self.cell.value


@dataclass(frozen=True)
class ClaimVerdict:
    """A claim's verdict at the highest scale that was measured, with the effect it rests on."""

    claim: Claim
    verdict: str
    scale: str | None = None
    n: int = 0
    interval: Interval | None = None
    p_value: float | None = None
    survives_holm: bool = False
    reason: str = ""
    """Why more seeds may not decide it, where that is so."""


def cell_verdict(cell: Cell, records: Sequence[Record]) -> CellVerdict:
    """Judges one cell by records at ``paper`` scale.

    *agrees* where the whole interval lies within the tolerance around the paper's value, *differs* where all
    of it lies outside, *undecided* else, and always before the number of seeds fixed beforehand is reached.
    Undecided is also, with a ``reason``, where seeds agree to rounding or a value is no finite number.
    """
    if not cell.available:
        return CellVerdict(cell, UNAVAILABLE)
    values = list(by_seed(records, cell.arm, cell.metric).values()) if cell.metric else []
    diverged = sum(r.arm == cell.arm and r.status == "diverged" for r in records)
    if not values:
        return CellVerdict(cell, UNMEASURED, diverged=diverged)
    try:
        interval = statistics.t_interval(values)
    except ValueError as error:
        return CellVerdict(cell, UNDECIDED, diverged=diverged, reason=f"{cell.arm}, {cell.metric}: {error}")
    band = (cell.value - cell.tolerance, cell.value + cell.tolerance)
    verdict = _by_interval(interval.inside(*band), interval.outside(*band), AGREES, DIFFERS)
    if interval.n < cell.n_required:
        verdict = UNDECIDED
    return CellVerdict(cell, verdict, interval, diverged, _unresolved(interval))


def claim_verdicts(
    claims: Sequence[Claim], records: Mapping[str, Mapping[str, Sequence[Record]]]
) -> list[ClaimVerdict]:
    """Judges all claims of one paper; ``records[experiment][scale]`` are the runs to judge them by.

    Holm's correction runs over all claims of the paper that gave a p-value.
    """
    single = {c.id: _judge(c, records.get(c.experiment, {})) for c in claims if c.kind != "all_of"}
    whole = {c.id: _conjunction(c, single) for c in claims if c.kind == "all_of"}
    survivors = statistics.holm({i: v.p_value for i, v in single.items() if v.p_value is not None})
    judged = [single.get(c.id) or whole[c.id] for c in claims]
    return [dataclasses.replace(v, survives_holm=_survives(v, survivors)) for v in judged]


def _survives(verdict: ClaimVerdict, survivors: set[str]) -> bool:
    if verdict.verdict not in (HOLDS, CONTRADICTED):
        return False
    return verdict.claim.kind == "exact" or set(verdict.claim.members or (verdict.claim.id,)) <= survivors


def _judge(claim: Claim, by_scale: Mapping[str, Sequence[Record]]) -> ClaimVerdict:
    rule = {"greater": effects, "equivalent": effects, "trend": slopes, "exact": violations}[claim.kind]
    for scale in DECIDING_SCALES if claim.experiment else ():
        try:
            values, magnitude = rule(claim, by_scale.get(scale, ()))
            if values:
                return _decide(claim, scale, values, magnitude)
        except ValueError as error:
            return ClaimVerdict(claim, UNDECIDED, scale, reason=str(error))
    return ClaimVerdict(claim, UNMEASURED)


def _decide(claim: Claim, scale: str, values: list[float], magnitude: float) -> ClaimVerdict:
    if claim.kind == "exact":
        worst = max(values)
        verdict = HOLDS if worst <= (claim.margin or 0.0) else CONTRADICTED
        if len(values) < claim.n_required[scale]:
            verdict = UNDECIDED
        return ClaimVerdict(claim, verdict, scale, len(values), Interval(worst, worst, worst, len(values)))
    interval = statistics.t_interval(values, magnitude=magnitude)
    verdict, p_value = _verdict_of(claim, interval, values, magnitude)
    if interval.n < claim.n_required[scale]:
        verdict = UNDECIDED
    reason = _unresolved(interval)
    return ClaimVerdict(claim, verdict, scale, interval.n, interval, p_value, reason=reason)


def _unresolved(interval: Interval) -> str:
    return "" if interval.resolved else statistics.UNRESOLVED


def _verdict_of(claim: Claim, interval: Interval, values: list[float], magnitude: float) -> tuple[str, float]:
    if claim.kind == "equivalent":
        margin = claim.margin or 0.0
        verdict = _by_interval(
            interval.inside(-margin, margin), interval.outside(-margin, margin), HOLDS, CONTRADICTED
        )
        return verdict, statistics.p_value_of_equivalence(values, margin, magnitude)
    falling = claim.kind == "trend" and claim.direction == "decreasing"
    above, below = interval.above(0), interval.below(0)
    verdict = _by_interval(*((below, above) if falling else (above, below)), HOLDS, CONTRADICTED)
    return verdict, statistics.p_value_of_mean(values, magnitude=magnitude)


def _by_interval(yes: bool, no: bool, positive: str, negative: str) -> str:
    return positive if yes else negative if no else UNDECIDED


def _conjunction(claim: Claim, single: Mapping[str, ClaimVerdict]) -> ClaimVerdict:
    parts = [single[member] for member in claim.members]
    verdicts = {part.verdict for part in parts}
    verdict = next((v for v in (CONTRADICTED, UNMEASURED, UNDECIDED) if v in verdicts), HOLDS)
    bearing = [part for part in parts if part.verdict == verdict]
    scales = [part.scale for part in bearing if part.scale]
    lowest = min(scales, key=("smoke", "reduced", "paper").index) if scales else None
    reason = next((part.reason for part in bearing if part.reason), "")
    return ClaimVerdict(claim, verdict, lowest, min(part.n for part in bearing), reason=reason)
