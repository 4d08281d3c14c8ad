"""What records and trainings have cost, each training counted once, and what pending runs are likely to."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lggkit.record import Record
from lggkit.study.records.ledger import Ledger
from lggkit.study.records.network_ledger import Training
from lggkit.study.running.units import Unit

THREADS = re.compile(r", ([0-9]{1,4}) threads?$")


@dataclass
class Spent:
    """What an experiment has cost at a scale on a device, in seconds: of records, with their trainings.

    ``runs`` has the seconds of each record, with those of the training that it is the first to name;
    ``apart`` those of trainings on another device than their record's.
    """

    experiment: str
    scale: str
    device: str
    runs: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    trainings: int = 0

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(self.runs) + sum(self.apart)

    @property
    def core_hours(self) -> float:
        """The same in hours of all threads in use, on a GPU in hours of the GPU."""
        match = THREADS.search(self.device)
        return self.seconds / 3600 * (int(match[1]) if match else 1)


def spent(ledger: Ledger) -> list[Spent]:
    """What a ledger's records and trainings have cost, by experiment, scale and device.

    A training counts where a record is the first to name its network, the others without an experiment.
    Records that name no network have the seconds of their training in their own.
    """
    trainings: dict[str, list[Training]] = defaultdict(list)
    for training in ledger.trainings.lines():
        trainings[training.key].append(training)
    rows: dict[tuple[str, str, str], Spent] = {}
    for place in ledger.places():
        for record in ledger.records(*place):
            _add(rows, record, trainings.pop(record.network, ()))
    for training in (one for left in trainings.values() for one in left):
        _add_training(rows, ("", "", training.device), training)
    return list(rows.values())


def _add(rows: dict[tuple[str, str, str], Spent], record: Record, trainings: Iterable[Training]) -> None:
    place = (record.experiment, record.scale, record.device.replace(", 1 threads", ", 1 thread"))
    seconds = record.seconds
    for training in trainings:
        if training.device == record.device:
            seconds += training.seconds
            rows.setdefault(place, Spent(*place)).trainings += 1
        else:
            _add_training(rows, (*place[:2], training.device), training)
    rows.setdefault(place, Spent(*place)).runs.append(seconds)


def _add_training(
    rows: dict[tuple[str, str, str], Spent], place: tuple[str, str, str], training: Training
) -> None:
    row = rows.setdefault(place, Spent(*place))
    row.trainings += 1
    row.apart.append(training.seconds)


def typical(ledgers: Sequence[Ledger], experiment: str, scale: str, device: str) -> dict[str, float]:
    """The median seconds of a run of each arm that was measured on a device, its training included.

    Of records that share a network the first has its training.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    for ledger in ledgers:
        trainings = {one.key: one.seconds for one in ledger.trainings.lines() if one.device == device}
        for record in ledger.records(experiment, scale):
            if record.device == device and record.seconds > 0:
                seen[record.arm].append(record.seconds + trainings.pop(record.network, 0.0))
    return {arm: statistics.median(seconds) for arm, seconds in seen.items()}


def estimate(unit: Unit, known: Mapping[str, float]) -> float:
    """Seconds that a unit is likely to take, by what is `typical` of its experiment and scale.

    An arm of which nothing is known takes as long as its siblings of the unit's group, else what the
    experiment declares.
    """
    siblings = [known[arm] for arm in unit.arms if arm in known]
    other = statistics.median(siblings) if siblings else 60 * unit.experiment.minutes[unit.scale]
    return sum(known.get(spec.arm, other) for spec in unit.specs)
