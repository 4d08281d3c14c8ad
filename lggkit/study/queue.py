"""The queue of what is still to be measured, and the run through it within a time budget."""

from __future__ import annotations

import contextlib
import difflib
import gc
import logging
import math
import re
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch

from lggkit import experiments
from lggkit.experiments import Experiment
from lggkit.record import Record, Spec
from lggkit.study.context import StudyContext, device_name
from lggkit.study.ledger import Ledger
from lggkit.training.memory import is_out_of_memory, out_of_memory
from lggkit.training.pace import OutOfTime, until

log = logging.getLogger("lggkit.study")


@dataclass
class Unit:
    """The runs of an arm, or of arms that are measured together, that the ledgers lack; seed by seed."""

    experiment: Experiment
    arms: tuple[str, ...]
    scale: str
    specs: list[Spec]

    @property
    def title(self) -> str:
        """The arms that it has runs of, as a line of a list shows them."""
        return " + ".join(dict.fromkeys(spec.arm for spec in self.specs))

    @property
    def table(self) -> bool:
        """Whether an arm of it is in a table."""
        return any(self.experiment.arm(name).table for name in self.arms)

    def part(self, specs: list[Spec]) -> Unit:
        """The same unit with these runs only."""
        return replace(self, specs=specs)


@dataclass
class Outcome:
    """What a run through the queue did: records written, units left for lack of time, units that failed."""

    measured: list[Record] = field(default_factory=list)
    left: list[Unit] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def pending(ledgers: Sequence[Ledger], scale: str, only: str | None = None) -> list[Unit]:
    """Units that no ledger holds, table arms of every chapter before any ablation.

    Raises:
        KeyError: ``only`` names no experiment.
    """
    units = [unit for experiment in chosen(only) for unit in _missing(experiment, scale, ledgers)]
    ordered = sorted(units, key=lambda unit: not unit.table)
    return [unit for unit in ordered if unit.specs]


def chosen(only: str | None = None) -> list[Experiment]:
    """The experiment of that name, or all in the order of the queue.

    Raises:
        KeyError: there is no such experiment.
    """
    return [experiments.get(only)] if only else list(experiments.all_experiments())


def check_arm(arm: str | None, only: str | None = None) -> None:
    """Makes sure that an experiment has an arm of this name, measured or not.

    Raises:
        ValueError: none has; the message names what there is.
        KeyError: ``only`` names no experiment.
    """
    arms = list(dict.fromkeys(a.name for experiment in chosen(only) for a in experiment.arms))
    if arm is not None and arm not in arms:
        near = difflib.get_close_matches(arm, arms, n=5, cutoff=0.4) or arms[:12]
        raise ValueError(
            f"no arm is named {arm!r}; did you mean one of {', '.join(near)}? `study list` names all"
        )


def _missing(experiment: Experiment, scale: str, ledgers: Sequence[Ledger]) -> list[Unit]:
    """A unit for each group of arms, with the runs that no ledger holds; it may be empty."""
    held = {r.key for ledger in ledgers for r in ledger.records(experiment.name, scale)}
    units = []
    for arms in experiment.groups():
        specs = [spec for arm in arms for spec in experiment.specs(scale, arm) if spec.key not in held]
        units.append(Unit(experiment, arms, scale, sorted(specs, key=lambda spec: spec.seed)))
    return units


def run(
    units: Iterable[Unit],
    ledger: Ledger,
    context: StudyContext,
    budget: float | None = None,
    known: Sequence[Ledger] = (),
) -> Outcome:
    """Measures units in order, writing each record as it comes; starts only what fits ``budget`` seconds.

    How long a unit takes is judged by the records of ``ledger`` and of the ``known`` ones. A training that
    takes longer writes its checkpoints when the budget is spent, and its runs are left.

    A unit that fails (data missing, disk full, a bug) is named and the queue goes on: nothing is recorded
    for it, so that the next run tries again. One that runs out of memory is first tried with fewer runs
    together. A diverged run is a record.
    """
    outcome, ledgers = Outcome(), [ledger, *known]
    end = math.inf if budget is None else time.monotonic() + budget
    for unit in units:
        left = max(end - time.monotonic(), 0)
        room = len(unit.specs) if budget is None else int(left // estimate(unit, ledgers, context))
        fits = unit.specs[:room]
        if len(fits) < len(unit.specs):
            outcome.left.append(unit.part(unit.specs[len(fits) :]))
        if fits:
            with until(end):
                _run_unit(unit, fits, ledger, context, outcome)
    return outcome


def _run_unit(unit: Unit, specs: list[Spec], ledger: Ledger, context: StudyContext, outcome: Outcome) -> None:
    """Measures the runs together; where memory runs out, half as many at a time, down to one."""
    together = len(specs)
    while specs:
        part = unit.part(specs[:together])
        failure = _measure(part, ledger, context, outcome)
        if failure is None:
            specs = specs[together:]
            continue
        _free_memory()
        held = {record.key for record in outcome.measured}
        left = [spec for spec in part.specs if spec.key not in held]
        if failure.memory and len(part.specs) > 1:
            specs, together = left + specs[together:], max(1, len(part.specs) // 2)
            log.warning("  %s; going on with %d at a time", failure.sentence, together)
            continue
        if failure.time:
            outcome.left.append(unit.part(left + specs[together:]))
            log.warning("  %s", failure.sentence)
            return
        outcome.failed.append(
            f"{unit.experiment.name}, {unit.part(left or part.specs).title}: {failure.sentence}"
        )
        log.error("  stopped: %s", failure.sentence)
        specs = specs[together:] if failure.memory else []


@dataclass(frozen=True)
class Failure:
    """Why runs were not measured, in a sentence, and whether for lack of memory or of time."""

    sentence: str
    memory: bool = False
    time: bool = False


def _measure(unit: Unit, ledger: Ledger, context: StudyContext, outcome: Outcome) -> Failure | None:
    log.info("%s, %s: %s, %d runs", unit.experiment.name, unit.scale, unit.title, len(unit.specs))
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
        return Failure(_sentence(error))
    return None


def _sentence(error: Exception) -> str:
    """The first line of an error, with its type where the line was not written for a user."""
    line, name = str(error).strip().partition("\n")[0], type(error).__name__
    if isinstance(error, RuntimeError | OSError):
        return line or name
    return f"{name}: {line}" if line else name


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        with contextlib.suppress(RuntimeError):  # the allocator after a capture that failed
            torch.cuda.empty_cache()


def estimate(unit: Unit, ledgers: Sequence[Ledger], context: StudyContext) -> float:
    """Seconds one seed of a unit is likely to take: the median on this device, else the declared guess."""
    name = device_name(context.device)
    seen = [
        r.seconds
        for ledger in ledgers
        for r in ledger.records(unit.experiment.name, unit.scale)
        if r.arm in unit.arms and r.device == name and r.seconds > 0
    ]
    return statistics.median(seen) if seen else 60 * unit.experiment.minutes[unit.scale]


def seconds(text: str) -> float:
    """Seconds of a duration such as ``90s``, ``9m``, ``1h30m``.

    Raises:
        ValueError: the text is no such duration, or is zero.
    """
    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text.strip())
    total = (
        sum(int(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True))
        if match
        else 0
    )
    if not total:
        raise ValueError(f"budget is {text!r}; write hours, minutes, seconds as in 1h30m, 9m or 90s")
    return float(total)


def only_arm(units: Sequence[Unit], arm: str) -> list[Unit]:
    """What of the units belongs to one arm."""
    cut = [unit.part([spec for spec in unit.specs if spec.arm == arm]) for unit in units]
    return [unit for unit in cut if unit.specs]


def shard(units: Sequence[Unit], text: str) -> list[Unit]:
    """The ``i``-th of ``n`` parts of the queue, for ``n`` processes that run at once: every n-th seed.

    Raises:
        ValueError: the text is not ``i/n`` with 0 ≤ i < n.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    index, parts = (int(group) for group in match.groups()) if match else (0, 0)
    if not index < parts:
        raise ValueError(f"shard is {text!r}; write i/n with i from 0 to n - 1, as in 0/2")
    cut = [unit.part([spec for spec in unit.specs if spec.seed % parts == index]) for unit in units]
    return [unit for unit in cut if unit.specs]
