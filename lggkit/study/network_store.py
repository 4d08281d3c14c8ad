"""Trained networks on disk: weights, history and what was seen on the way, in one file each."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lggkit.experiments.base import Context
from lggkit.experiments.lockstep import Observer, TrainedNetwork
from lggkit.experiments.networks import Network
from lggkit.training import CheckpointDamaged, read_checkpoint, write_checkpoint
from lggkit.training.checkpoint import set_aside


@dataclass(frozen=True)
class NetworkStore:
    """A folder of networks, ``<key>.pt`` each, readable by nobody halfway through a write."""

    folder: Path

    def load(
        self, network: Network, seed: int, context: Context, observe: Observer | None = None
    ) -> TrainedNetwork | None:
        """A network as it was kept, on the context's device; None where it is not, or was not seen so."""
        file = self._file(network.key(seed))
        held = _read(file)
        if held is None or (observe is not None and observe.name not in held["observers"]):
            return None
        model = network.untrained(seed, context)
        model.load_state_dict(held["weights"])
        layout = torch.channels_last if network.schedule.channels_last else torch.contiguous_format
        return TrainedNetwork(model=model.to(memory_format=layout).eval(), **held["history"])

    def keep(self, result: TrainedNetwork, observe: Observer | None = None) -> None:
        """Keeps a network, unless its training diverged."""
        if result.diverged is None:
            names = (entry.name for entry in dataclasses.fields(result) if entry.name != "model")
            state: dict[str, Any] = {
                "weights": {name: value.detach().cpu() for name, value in result.model.state_dict().items()},
                "history": {name: getattr(result, name) for name in names},
                "observers": [] if observe is None else [observe.name],
            }
            write_checkpoint(self._file(result.key), state)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.pt"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        return read_checkpoint(file)
    except FileNotFoundError:
        return None
    except CheckpointDamaged as error:
        aside = set_aside(file)
        warnings.warn(f"{error}; kept as {aside.name}, trained again", RuntimeWarning, stacklevel=2)
        return None
