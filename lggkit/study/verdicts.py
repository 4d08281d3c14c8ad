"""Rules that turn records into verdicts; each rule was declared in ``data/paper`` before the first run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lggkit.record import Record
from lggkit.study import statistics
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


def by_seed(records: Sequence[Record], arm: str, metric: str) -> dict[int, float | list[float]]:
    """A metric of an arm's complete runs, by seed."""
    return {
        r.seed: r.metrics[metric]
        for r in records
        if r.arm == arm and r.status == "complete" and metric in r.metrics
    }


def cell_verdict(cell: Cell, records: Sequence[Record]) -> CellVerdict:
    """Judges one cell by records at ``paper`` scale.

    *agrees* where the whole interval lies within the tolerance around the paper's value, *differs* where all
    of it lies outside, *undecided* else, and always before the number of seeds fixed beforehand is reached.
    """
    if not cell.available:
        return CellVerdict(cell, UNAVAILABLE)
    values = list(by_seed(records, cell.arm, cell.metric).values()) if cell.metric else []
    diverged = sum(r.arm == cell.arm and r.status == "diverged" for r in records)
    if not values:
        return CellVerdict(cell, UNMEASURED, diverged=diverged)
    interval = statistics.t_interval(values)
    band = (cell.value - cell.tolerance, cell.value + cell.tolerance)
    verdict = _by_interval(interval.inside(*band), interval.outside(*band), AGREES, DIFFERS)
    if interval.n < cell.n_required:
        verdict = UNDECIDED
    return CellVerdict(cell, verdict, interval, diverged)


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
    rule = {"greater": _effects, "equivalent": _effects, "trend": _slopes, "exact": _violations}[claim.kind]
    for scale in DECIDING_SCALES if claim.experiment else ():
        values = rule(claim, by_scale.get(scale, ()))
        if values:
            return _decide(claim, scale, values)
    return ClaimVerdict(claim, UNMEASURED)


def _effects(claim: Claim, records: Sequence[Record]) -> list[float]:
    left, right = (_side(side, claim.metric) for side in (claim.left, claim.right))
    comparable = _comparable(records, left[0], right[0])
    ours, theirs = (
        {s: v for s, v in by_seed(records, *side).items() if s in comparable} for side in (left, right)
    )
    return statistics.paired_differences(ours, theirs)


def _comparable(records: Sequence[Record], left: str, right: str) -> set[int]:
    """Seeds whose runs of both arms share device, precision and torch version."""
    conditions = {(r.arm, r.seed): _conditions(r) for r in records}
    seeds = {r.seed for r in records if r.arm == left}
    return {s for s in seeds if conditions.get((left, s)) == conditions.get((right, s))}


def _conditions(record: Record) -> tuple[str, str, str]:
    """Device without its number of threads, precision, torch version without its build."""
    return record.device.split(",")[0], record.precision, record.torch.split("+")[0]


def _side(side: str, metric: str) -> tuple[str, str]:
    """``arm`` with the claim's metric, or ``arm:metric`` where the two sides have metrics of their own."""
    arm, _, own = side.partition(":")
    return arm, own or metric


def _slopes(claim: Claim, records: Sequence[Record]) -> list[float]:
    names = [name.strip() for name in claim.metric.split(";")]
    columns = [by_seed(records, claim.left, name) for name in names]
    seeds = sorted(set.intersection(*(set(column) for column in columns)))
    return [_trend_of([column[seed] for column in columns]) for seed in seeds]


def _trend_of(values: list[float | list[float]]) -> float:
    """Slope over ordered metrics or over one list; a single number is a correlation already."""
    if len(values) > 1:
        return statistics.slope(values)
    return statistics.slope(values[0]) if isinstance(values[0], list) else float(values[0])


def _violations(claim: Claim, records: Sequence[Record]) -> list[float]:
    return list(by_seed(records, claim.left, claim.metric).values())


def _decide(claim: Claim, scale: str, values: list[float]) -> ClaimVerdict:
    if claim.kind == "exact":
        worst = max(values)
        verdict = HOLDS if worst <= (claim.margin or 0.0) else CONTRADICTED
        if len(values) < claim.n_required[scale]:
            verdict = UNDECIDED
        return ClaimVerdict(claim, verdict, scale, len(values), Interval(worst, worst, worst, len(values)))
    interval = statistics.t_interval(values)
    verdict, p_value = _verdict_of(claim, interval, values)
    if interval.n < claim.n_required[scale]:
        verdict = UNDECIDED
    return ClaimVerdict(claim, verdict, scale, interval.n, interval, p_value)


def _verdict_of(claim: Claim, interval: Interval, values: list[float]) -> tuple[str, float]:
    if claim.kind == "equivalent":
        margin = claim.margin or 0.0
        verdict = _by_interval(
            interval.inside(-margin, margin), interval.outside(-margin, margin), HOLDS, CONTRADICTED
        )
        return verdict, statistics.p_value_of_equivalence(values, margin)
    falling = claim.kind == "trend" and claim.direction == "decreasing"
    above, below = interval.low > 0, interval.high < 0
    verdict = _by_interval(*((below, above) if falling else (above, below)), HOLDS, CONTRADICTED)
    return verdict, statistics.p_value_of_mean(values)


def _by_interval(yes: bool, no: bool, positive: str, negative: str) -> str:
    return positive if yes else negative if no else UNDECIDED


def _conjunction(claim: Claim, single: Mapping[str, ClaimVerdict]) -> ClaimVerdict:
    parts = [single[member] for member in claim.members]
    verdicts = {part.verdict for part in parts}
    verdict = next((v for v in (CONTRADICTED, UNMEASURED, UNDECIDED) if v in verdicts), HOLDS)
    bearing = [part for part in parts if part.verdict == verdict]
    scales = [part.scale for part in bearing if part.scale]
    lowest = min(scales, key=("smoke", "reduced", "paper").index) if scales else None
    return ClaimVerdict(claim, verdict, lowest, min(part.n for part in bearing))
