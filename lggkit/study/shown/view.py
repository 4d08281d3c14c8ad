"""What a notebook asks of the study: measure at a scale, and show the highest scale recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lggkit import experiments
from lggkit.durable import write_whole
from lggkit.record import SCALES, Record
from lggkit.study import paths
from lggkit.study.judging.scorecard import ledger_of, records_at
from lggkit.study.judging.statistics import Interval, paired_differences, t_interval
from lggkit.study.judging.verdicts import by_seed
from lggkit.study.records.finite import finite
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.records.words import class_count as class_count
from lggkit.study.records.words import data_name as data_name
from lggkit.study.records.words import data_title as data_title
from lggkit.study.records.words import epochs_text as epochs_text
from lggkit.study.records.words import network_title as network_title
from lggkit.study.records.words import sentence as sentence
from lggkit.study.running import queue
from lggkit.study.running.context import StudyContext

ENOUGH = 3
"""Seeds from which on a scale is shown before a lower one."""


@dataclass(frozen=True)
class Shown:
    """The records of one section at one scale, with their arrays."""

    experiment: str
    scale: str
    records: tuple[Record, ...]
    ledger: Ledger

    def arm(self, name: str) -> list[Record]:
        """The complete records of an arm, by seed."""
        return sorted(
            (r for r in self.records if r.arm == name and r.status == "complete"), key=lambda r: r.seed
        )

    def values(self, arm: str, metric: str) -> list[float]:
        """A metric of an arm, one value a seed."""
        return list(by_seed(self.arm(arm), arm, metric).values())

    def interval(self, arm: str, metric: str) -> Interval:
        """Mean and 95 % t-interval of a metric over an arm's seeds.

        Raises:
            ValueError: no complete run has the metric, or a value is no finite number.
        """
        return _interval(self.values(arm, metric), f"{self._place}, {arm}, {metric}")

    def paired(self, left: str, right: str, metric: str) -> Interval:
        """Mean and 95 % t-interval of left - right over the seeds that both arms have.

        Raises:
            ValueError: no seed has both, or a value is no finite number.
        """
        place = f"{self._place}, {left} less {right}, {metric}"
        sides = [by_seed(self.arm(arm), arm, metric) for arm in (left, right)]
        shared = [side[seed] for side in sides for seed in sides[0].keys() & sides[1].keys()]
        magnitude = max((abs(finite(value, place)) for value in shared), default=0.0)
        return _interval(paired_differences(*sides), place, magnitude)

    def protocol(self, arm: str) -> Any:
        """The settings that an arm has today at this scale, whether it was run or not."""
        return experiments.get(self.experiment).spec(arm, self.scale).protocol

    @property
    def _place(self) -> str:
        return f"{self.experiment} at {self.scale} scale"

    def arrays(self, arm: str, seed: int = 0) -> Mapping[str, np.ndarray]:
        """The arrays of one run.

        Raises:
            LedgerError: no such run is recorded.
        """
        for record in self.arm(arm):
            if record.seed == seed:
                return self.ledger.arrays(record)
        raise LedgerError(f"{self.experiment} has no run of {arm}, seed {seed}, at {self.scale} scale")

    @property
    def devices(self) -> str:
        """What the records were measured on, for sentences."""
        return "; ".join(sorted({r.device.split(",")[0] for r in self.records}))


def _interval(values: Sequence[float], place: str, magnitude: float = 0.0) -> Interval:
    try:
        return t_interval(values, magnitude=magnitude)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def measure(name: str, scale: str) -> Shown:
    """Measures what is missing of a section at a scale; ``smoke`` is measured anew each time.

    Raises:
        LedgerError: a run failed; the message is the first failure's one sentence.
        ValueError: the scale is unknown.
    """
    if scale not in SCALES:
        raise ValueError(f"scale is {scale!r}; choose one of {', '.join(SCALES)}")
    experiment = experiments.get(name)
    return _live(experiment) if scale == "smoke" else _resumed(experiment, scale)


def _resumed(experiment: experiments.Experiment, scale: str) -> Shown:
    ledger = ledger_of(scale)
    _run(experiment, scale, ledger, StudyContext())
    return at(experiment.name, scale)


def _live(experiment: experiments.Experiment) -> Shown:
    """Measures in a folder of its own, then puts file and arrays in the place of the last live ones."""
    paths.live_results().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.live_results()) as folder:
        fresh = Ledger(Path(folder))
        _run(experiment, "smoke", fresh, StudyContext(weights=Path(folder) / "weights"))
        target = Path(paths.live_results()) / experiment.paper
        target.mkdir(exist_ok=True)
        for file in sorted((Path(folder) / experiment.paper).glob("[!.]*"), key=lambda f: f.suffix != ".npz"):
            write_whole(target / file.name, file.read_bytes())
    return at(experiment.name, "smoke")


def _run(experiment: experiments.Experiment, scale: str, ledger: Ledger, context: StudyContext) -> None:
    every = [arm.name for arm in experiment.arms]
    outcome = queue.run(queue.pending([ledger], scale, experiment.name, every), ledger, context)
    if outcome.failed:
        raise LedgerError(outcome.failed[0])


def at(name: str, scale: str) -> Shown:
    """The records of a section at one scale; none is no error."""
    ledger = ledger_of(scale)
    return Shown(name, scale, tuple(records_at(name, scale)), ledger)


def highest(name: str, arms: Sequence[str] = ()) -> Shown:
    """The records of a section at the highest scale at which every table arm has its seeds, three at most.

    A scale that a time budget has only begun is thus not shown yet, unless no other above smoke has more.
    With ``arms``, these instead must have been run, where a run that diverged counts as well.

    Raises:
        LedgerError: there is no such scale.
    """
    chosen = set(map(str, [arms] if isinstance(arms, str) else arms))
    needed = chosen or {arm.name for arm in experiments.get(name).arms if arm.table}
    *above, smoke = (at(name, scale) for scale in reversed(SCALES))
    for shown, seeds in (*((one, ENOUGH) for one in above), *((one, 1) for one in (*above, smoke))):
        runs = [r for r in shown.records if chosen or r.status == "complete"]
        if all(_enough(name, arm, shown.scale, runs, seeds) for arm in needed):
            return shown
    raise LedgerError(f"no scale of {name} is complete; run `python -m lggkit study run --experiment {name}`")


def _enough(name: str, arm: str, scale: str, runs: Sequence[Record], seeds: int) -> bool:
    """Whether an arm has so many runs, or all that are planned and at least one."""
    experiment = experiments.get(name)
    planned = experiment.seed_count(experiment.arm(arm), scale)
    return sum(r.arm == arm for r in runs) >= max(1, min(seeds, planned))


def glue(values: Mapping[str, Any]) -> None:
    """Hands numbers to the prose of the page as plain text, by name.

    Raises:
        ValueError: a value is neither text nor a finite number; nothing is handed over then.
    """
    from myst_nb import glue as hand_over

    numbers = {name: v if isinstance(v, str) else finite(v, f"{name} to glue") for name, v in values.items()}
    for name, value in numbers.items():
        hand_over(name, value, display=False)
