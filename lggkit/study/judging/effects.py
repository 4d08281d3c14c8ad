"""What a claim is judged by: one number a seed, from the records of its arms."""

from __future__ import annotations

from collections.abc import Sequence

from lggkit.record import Record
from lggkit.study.entered.paper import Claim
from lggkit.study.judging import statistics
from lggkit.study.records.finite import finite

Effects = tuple[list[float], float]
"""One value a seed, and the magnitude of the largest number that they were computed from."""


def by_seed(records: Sequence[Record], arm: str, metric: str) -> dict[int, float | list[float]]:
    """A metric of an arm's complete runs, by seed."""
    return {
        r.seed: r.metrics[metric]
        for r in records
        if r.arm == arm and r.status == "complete" and metric in r.metrics
    }


def effects(claim: Claim, records: Sequence[Record]) -> Effects:
    """left − right of the claim's metric, paired by seed, of runs under the same conditions."""
    left, right = (_side(side, claim.metric) for side in (claim.left, claim.right))
    comparable = _comparable(records, left[0], right[0])
    ours, theirs = (
        {s: v for s, v in by_seed(records, *side).items() if s in comparable} for side in (left, right)
    )
    return statistics.paired_differences(ours, theirs), _largest([*ours.values(), *theirs.values()])


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


def slopes(claim: Claim, records: Sequence[Record]) -> Effects:
    """The slope of ordered metrics or of one list, or a correlation as it stands.

    Raises:
        ValueError: a list has fewer than two values, or a value is no finite number.
    """
    names = [name.strip() for name in claim.metric.split(";")]
    columns = [by_seed(records, claim.left, name) for name in names]
    seeds = sorted(set.intersection(*(set(column) for column in columns)))
    rows = [_ordered([column[seed] for column in columns]) for seed in seeds]
    per_seed = [row[0] if len(row) == 1 else statistics.slope(row) for row in rows]
    return per_seed, _largest([value for row in rows for value in row])


def _ordered(values: list[float | list[float]]) -> list[float]:
    """Ordered metrics, or one list of two and more; a single number is a correlation already."""
    if len(values) > 1 or not isinstance(values[0], list):
        return values
    if len(values[0]) < 2:
        raise ValueError(f"a trend needs at least two values; got {len(values[0])}")
    return values[0]


def violations(claim: Claim, records: Sequence[Record]) -> Effects:
    """The claim's metric as it stands."""
    values = by_seed(records, claim.left, claim.metric)
    return [finite(value, f"{claim.metric} of seed {seed}") for seed, value in values.items()], 0.0


def _largest(values: Sequence[float]) -> float:
    return max((abs(finite(value)) for value in values), default=0.0)
