"""The network ledger: a line for each training, so that lengths, losses and costs are counted once."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lggkit import strict
from lggkit.experiments.lockstep import alike, paired
from lggkit.experiments.networks import Network, TrainedNetwork, content
from lggkit.study.records.finite import finite_or_none
from lggkit.study.records.ledger_files import append_line, writing
from lggkit.study.records.ledger_lines import understood

FILE = "networks.jsonl"


@dataclass(frozen=True)
class Training:
    """How a described network was trained.

    ``network`` is the description as plain data, ``first_loss`` that of the first batch at random weights,
    ``last_loss`` the mean of the last epoch; ``device``, ``precision``, ``path`` and ``torch`` say what
    computed it, ``seconds`` what it took.
    """

    key: str
    network: dict[str, Any]
    seed: int
    steps: int
    seconds: float
    curves: dict[str, list[float | None]]
    first_loss: float | None
    last_loss: float | None
    device: str
    precision: str
    path: str
    torch: str = ""
    commit: str = ""
    date: str = ""
    diverged: str | None = None

    @classmethod
    def of(cls, network: Network, seed: int, result: TrainedNetwork, **stamp: str) -> Training:
        """The line of a training that has ended."""
        losses = result.curves.get("train_loss", [])
        return cls(
            key=result.key,
            network=content(network),
            seed=seed,
            steps=result.steps,
            seconds=result.seconds,
            curves=result.curves,
            first_loss=result.first_loss,
            last_loss=losses[-1] if losses else None,
            device=result.device,
            precision=result.precision,
            path=str(result.path),
            diverged=result.diverged,
            **stamp,
        )

    def to_json(self) -> str:
        """One line of JSON, keys sorted; numbers that are not finite as null."""
        return json.dumps(finite_or_none(dataclasses.asdict(self)), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, line: bytes) -> Training:
        """The training of one line; a ValueError where it is not strict JSON, or not a training's."""
        training = strict.made(cls, strict.loads(line))
        strict.key(training.key)
        strict.text("device", training.device)
        strict.number("seconds", training.seconds)
        if training.seconds < 0:
            raise ValueError(f"seconds is {training.seconds}; give 0 or more")
        return training


@dataclass(frozen=True)
class NetworkLedger:
    """Trainings in a file of lines, which are only ever appended; a network trained twice has two lines."""

    path: Path

    def append(self, training: Training) -> None:
        """Add a line; a LedgerError, and nothing changed, where the disk refuses."""
        with writing(self.path):
            append_line(self.path, training.to_json())

    def read(self) -> dict[str, Training]:
        """The last training of each key; lines that cannot be understood are left out and told of."""
        return {training.key: training for training in self.lines()}

    def lines(self) -> list[Training]:
        """All trainings in the order in which they were written."""
        return understood(self.path, Training.from_json, "training")

    def precision_of(self, network: Network, seed: int) -> str | None:
        """What a seed's first training was computed in, of those it is paired with; most alike first."""
        described = content(network)
        known = [line for line in self.lines() if line.seed == seed and paired(described, line.network)]
        nearest = [line for line in known if alike(described, line.network)]
        return next((line.precision for line in (*nearest, *known)), None)

    def merge(self, other: NetworkLedger) -> None:
        """Take over the lines of another folder that are not here."""
        written = {training.to_json() for training in self.lines()}
        for training in other.lines():
            if training.to_json() not in written:
                written.add(training.to_json())
                self.append(training)
