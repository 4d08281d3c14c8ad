"""The network ledger: a line for each training, so that lengths, losses and costs are counted once."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lggkit.experiments.lockstep import TrainedNetwork
from lggkit.experiments.networks import Network, content

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
    curves: dict[str, list[float]]
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
            path=result.path,
            diverged=result.diverged,
            **stamp,
        )

    def to_json(self) -> str:
        """One line of JSON, keys sorted; numbers that are not finite as null."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


@dataclass(frozen=True)
class NetworkLedger:
    """Trainings in a file of lines, which are only ever appended."""

    path: Path

    def append(self, training: Training) -> None:
        """Adds a line; a network that was trained twice has two."""
        with open(self.path, "a") as f:
            f.write(training.to_json() + "\n")
