"""The queue of what is still to be measured, and the run through it within a time budget."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lggkit.record import Record, Spec
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.running import costs
from lggkit.study.running.context import StudyContext, device_name
from lggkit.study.running.failures import Failure, free_memory, sentence_of
from lggkit.study.running.turns import Turn
from lggkit.study.running.units import Unit, check_arms, chosen, joined, missing, only_arms, pending, shard
from lggkit.training.memory import is_out_of_memory, out_of_memory
from lggkit.training.pace import OutOfTime, time_is_up, until

__all__ = [
    "Outcome",
    "Unit",
    "check_arms",
    "chosen",
    "estimate",
    "joined",
    "only_arms",
    "pending",
    "probe",
    "run",
    "seconds",
    "shard",
]
TOO_SHORT_TO_BEGIN = 60.0
log = logging.getLogger("lggkit.study")


@dataclass
class Outcome:
    """What a run through the queue did: records written, units left for lack of time, units that failed."""

    measured: list[Record] = field(default_factory=list)
    left: list[Unit] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def run(
    units: Iterable[Unit],
    ledger: Ledger,
    context: StudyContext,
    budget: float | None = None,
    known: Sequence[Ledger] = (),
) -> Outcome:
    """Measures units in order, writing each record as it comes; begins none after ``budget`` seconds.

    A unit is begun where a minute is left, or less if it is likely to take less by the records of ``ledger``
    and of the ``known`` ones. A training that takes longer writes its checkpoints when the budget is spent,
    and goes on from there in the next run. Other processes may be at the same queue: each takes the next unit
    that nobody is at, and waits for those that others are at, in case they are left.

    A unit that fails (data missing, disk full, a bug) is named and the queue goes on: nothing is recorded
    for it, so that the next run tries again. One that runs out of memory is first tried with fewer runs
    together. A diverged run is a record.

    Raises:
        LedgerError: nothing was measured, as records or networks could not be written.
    """
    waiting, outcome, ledgers = list(units), Outcome(), [ledger, *known]
    probe(waiting, ledger, context)
    if context.trainings is None:
        context.trainings = ledger.trainings
    end = math.inf if budget is None else time.monotonic() + budget
    with until(end):
        while waiting and not time_is_up(()):
            try:
                turn = _next(waiting, context)
            except OutOfTime as error:
                log.warning("  %s", error)
                break
            unit = next(unit for unit in waiting if unit.key == turn.key)
            waiting.remove(unit)
            try:
                _take_up(missing(unit, ledgers), ledgers, context, end, outcome)
            finally:
                turn.give()
    outcome.left += waiting
    return outcome


def _next(units: Sequence[Unit], context: StudyContext) -> Turn:
    """The turn of the first unit that nobody is at; where there is none, that of the first is waited for."""
    turns = [Turn(context.weights, unit.key, f"measure {_name(unit)}") for unit in units]
    for turn in turns:
        if turn.take():
            return turn
    turns[0].wait()
    return turns[0]


def _take_up(
    unit: Unit, ledgers: Sequence[Ledger], context: StudyContext, end: float, outcome: Outcome
) -> None:
    left = end - time.monotonic()
    if unit.specs and left < TOO_SHORT_TO_BEGIN and estimate(unit, ledgers, context) > left:
        outcome.left.append(unit)
    elif unit.specs:
        _run_unit(unit, unit.specs, ledgers[0], context, outcome)


def _name(unit: Unit) -> str:
    return f"{unit.experiment.name}, {unit.title}, {unit.seeds}"


def probe(units: Sequence[Unit], ledger: Ledger, context: StudyContext) -> None:
    """Make sure, before anything is measured, that records and networks can be written: else LedgerError."""
    ledger.probe([(unit.experiment.name, unit.scale) for unit in units])
    if units:
        try:
            context.probe()
        except OSError as error:
            raise LedgerError(str(error)) from error


def _run_unit(unit: Unit, specs: list[Spec], ledger: Ledger, context: StudyContext, outcome: Outcome) -> None:
    """Measures the runs together; where memory runs out, half as many at a time, down to one."""
    together = len(specs)
    while specs:
        part = unit.part(specs[:together])
        failure = _measure(part, ledger, context, outcome)
        if failure is None:
            specs = specs[together:]
            continue
        free_memory()
        measured = {record.key for record in outcome.measured}
        left = [spec for spec in part.specs if spec.key not in measured]
        if failure.memory and len(part.specs) > 1:
            specs, together = left + specs[together:], max(1, len(part.specs) // 2)
            log.warning("  %s; going on with %d at a time", failure.sentence, together)
            continue
        if failure.time:
            rest = left + specs[together:]
            outcome.left += [unit.part(rest)] if rest else []
            log.warning("  %s", failure.sentence)
            return
        outcome.failed.append(f"{_name(unit.part(left or part.specs))}: {failure.sentence}")
        log.error("  stopped: %s", failure.sentence)
        specs = specs[together:] if failure.memory else []


def _measure(unit: Unit, ledger: Ledger, context: StudyContext, outcome: Outcome) -> Failure | None:
    log.info("%s, %s scale", _name(unit), unit.scale)
    try:
        for record in unit.experiment.measure(unit.specs, context):
            ledger.append(record)
            outcome.measured.append(record)
            log.info("  %s, seed %d %s in %.0f s", record.arm, record.seed, record.status, record.seconds)
    except OutOfTime as error:
        return Failure(str(error), time=True)
    except Exception as error:  # whatever it is, it must not cost the units that are still to come
        if is_out_of_memory(error):
            return Failure(out_of_memory(error), memory=True)
        return Failure(sentence_of(error))
    return None


def estimate(unit: Unit, ledgers: Sequence[Ledger], context: StudyContext) -> float:
    """Seconds that a unit is likely to take on the device (`lggkit.study.running.costs.estimate`)."""
    device = device_name(context.device)
    return costs.estimate(unit, costs.typical(ledgers, unit.experiment.name, unit.scale, device))


def seconds(text: str) -> float:
    """Seconds of a duration such as ``90s``, ``9m``, ``1h30m``.

    Raises:
        ValueError: the text is no such duration, or is zero.
    """
    match = re.fullmatch(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?", text.strip())
    total = (
        sum(int(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True))
        if match
        else 0
    )
    if not total:
        raise ValueError(f"budget is {text!r}; write hours, minutes, seconds as in 1h30m, 9m or 90s")
    return float(total)
