"""Rules that turn records into verdicts; each rule was declared in ``data/paper`` before the first run.

Values of seeds that agree to rounding decide nothing but identities (``exact``): their spread is not known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lggkit.record import SCALES, Record
from lggkit.study.entered.paper import Cell, Claim
from lggkit.study.judging import statistics
from lggkit.study.judging.alike import unlike
from lggkit.study.judging.correction import survives, survivors
from lggkit.study.judging.effect_verdicts import (
    CONTRADICTED,
    HOLDS,
    NOT_TESTED,
    UNDECIDED,
    Effect,
    by_interval,
    effects_by_scale,
    unresolved,
)
from lggkit.study.judging.effects import by_seed
from lggkit.study.judging.statistics import Interval

AGREES, DIFFERS = "agrees", "differs"
UNMEASURED, UNAVAILABLE = "unmeasured", "unavailable"
MOVING = "still moving"
Runs = Mapping[str, Sequence[Record]]


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
    """A claim's verdict, with the effect at the highest scale measured and those at every ``lengths``.

    ``scale``, ``n``, ``interval`` and ``p_value`` are of that highest scale even where it gives no verdict
    yet; of a compound claim the scale and the seeds are those of the parts that decide it.
    """

    claim: Claim
    verdict: str
    scale: str | None = None
    n: int = 0
    interval: Interval | None = None
    p_value: float | None = None
    survives_holm: bool = False
    reason: str = ""
    """Why it is no verdict, or why more seeds may not decide it, where that is so."""
    lengths: Mapping[str, Effect] = field(default_factory=dict)
    """The effect at each scale that was measured, shorter trainings first; of a single claim."""
    after_run: bool = False
    """Whether the claim, or a part of it, was written or made stricter after a run of it."""
    without: str | None = None
    """The verdict without the parts that were; None where no part was, or nothing is left."""
    identity: bool = False
    """Whether it is a statement of mathematics, or a conjunction of nothing but such."""

    @property
    def effect(self) -> Effect | None:
        """The effect at the scale that the verdict speaks of."""
        return self.lengths.get(self.scale or "")


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
    verdict = by_interval(interval.inside(*band), interval.outside(*band), AGREES, DIFFERS)
    if interval.n < cell.n_required:
        verdict = UNDECIDED
    return CellVerdict(cell, verdict, interval, diverged, unresolved(interval))


def claim_verdicts(
    claims: Sequence[Claim],
    records: Mapping[str, Runs],
    families: str = "paper",
    lengths: bool = True,
) -> list[ClaimVerdict]:
    """Judges all claims of one paper; ``records[experiment][scale]`` are the runs to judge them by.

    The highest scale with runs decides. A claim with a gate, one about trained networks, is

    - *not tested at this scale* where the gate is shut, where there is no other length to compare with, where
      the longer one has only begun, or where the two differ in more than their length,
    - *still moving* where short and reduced trainings give different verdicts,

    and has the verdict of its interval else; at paper scale it needs an open gate only. With ``lengths``
    False gates and lengths are left out, and every claim has the verdict of its interval.

    Holm's correction runs over all claims of a family that were tested: those of the ``"paper"``, or with
    ``families`` ``"section"`` those of one experiment. What is `exact` has no p-value and stands.
    """
    single = {c.id: _judge(c, records.get(c.experiment, {}), lengths) for c in claims if c.kind != "all_of"}
    whole = {c.id: _conjunction(c, single) for c in claims if c.kind == "all_of"}
    surviving = survivors(
        (c.claim.experiment if families == "section" else "", c.claim.id, c.p_value)
        for c in single.values()
        if c.p_value is not None and c.verdict != NOT_TESTED
    )

    def stands(judged: ClaimVerdict) -> bool:
        parts = [single[member] for member in judged.claim.members] or [judged]
        stand = [part.claim.kind == "exact" or part.claim.id in surviving for part in parts]
        return survives(judged.verdict, [(p.verdict, s) for p, s in zip(parts, stand, strict=True)])

    judged = [single.get(c.id) or whole[c.id] for c in claims]
    return [dataclasses.replace(v, survives_holm=stands(v)) for v in judged]


def _judge(claim: Claim, by_scale: Runs, lengths: bool) -> ClaimVerdict:
    effects = effects_by_scale(claim, by_scale)
    marks = {"after_run": claim.after_run, "identity": claim.identity}
    if not effects:
        return ClaimVerdict(claim, UNMEASURED, **marks)
    last = list(effects.values())[-1]
    verdict, reason = last.verdict, last.reason
    if lengths and claim.gate:
        verdict, reason = _of_trained(claim, effects, by_scale)
    effect = {"n": last.n, "interval": last.interval, "p_value": last.p_value, "lengths": effects}
    return ClaimVerdict(claim, verdict, last.scale, **effect, reason=reason, **marks)


def _of_trained(claim: Claim, effects: Mapping[str, Effect], by_scale: Runs) -> tuple[str, str]:
    """Verdict and reason of a claim about trained networks, whose effects come in the order of lengths."""
    last = list(effects.values())[-1]
    if last.scale == "short":
        return NOT_TESTED, f"only short trainings; {last.gate_text}"
    if not last.open:
        return NOT_TESTED, last.gate_text
    if last.scale == "paper":
        return last.verdict, last.reason
    if last.n < claim.n_required[last.scale]:
        return NOT_TESTED, f"{last.n} of {claim.n_required[last.scale]} seeds at {last.scale} scale so far"
    if "short" not in effects:
        return NOT_TESTED, "no short trainings to compare with"
    if other := unlike(claim, by_scale["short"], by_scale[last.scale]):
        return NOT_TESTED, other
    if effects["short"].verdict != last.verdict:
        return MOVING, f"{effects['short'].verdict} at short scale, {last.verdict} at {last.scale}"
    return last.verdict, last.reason


def _conjunction(claim: Claim, single: Mapping[str, ClaimVerdict]) -> ClaimVerdict:
    parts = [single[member] for member in claim.members]
    verdict = _joined(parts)
    bearing = [part for part in parts if part.verdict == verdict]
    scales = [part.scale for part in bearing if part.scale]
    before = [part for part in parts if not part.after_run]
    return ClaimVerdict(
        claim,
        verdict,
        min(scales, key=SCALES.index) if scales else None,
        min(part.n for part in bearing),
        reason=next((f"{part.claim.number}: {part.reason}" for part in bearing if part.reason), ""),
        after_run=claim.after_run or len(before) < len(parts),
        without=_joined(before) if 0 < len(before) < len(parts) else None,
        identity=all(part.identity for part in parts),
    )


def _joined(parts: Sequence[ClaimVerdict]) -> str:
    verdicts = {part.verdict for part in parts}
    order = (CONTRADICTED, UNMEASURED, NOT_TESTED, MOVING, UNDECIDED)
    return next((verdict for verdict in order if verdict in verdicts), HOLDS)
