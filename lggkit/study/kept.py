"""Trained networks on disk, by key: weights as plain tensors, and beside them how they were trained."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lggkit import strict
from lggkit.durable import DRAFT, set_aside, write_whole
from lggkit.networks import load_weights, save_weights
from lggkit.training import TrainResult
from lggkit.training.memory import is_out_of_memory

log = logging.getLogger("lggkit.study")
TYPES = {"curves": dict, "diverged": str | None, "seconds": int | float, "path": str, "steps": int}


@dataclass(frozen=True)
class KeptNetwork:
    """The network of one key in a folder, which is there once its weights and its history are."""

    folder: Path
    key: str

    def __post_init__(self) -> None:
        strict.key(self.key)

    @property
    def files(self) -> tuple[Path, Path]:
        """Weights and history."""
        return self.folder / f"{self.key}.pt", self.folder / f"{self.key}.json"

    def exists(self) -> bool:
        """Whether there is something to load."""
        return all(file.exists() for file in self.files)

    def keep(self, result: TrainResult) -> None:
        """Write weights and history, each whole or not at all."""
        weights, history = self.files
        save_weights(result.model, weights)
        fields = [f.name for f in dataclasses.fields(result) if f.name != "model"]
        write_whole(history, json.dumps({name: getattr(result, name) for name in fields}))

    def load(self, model: torch.nn.Module, device: torch.device) -> TrainResult | None:
        """The network and its history, the weights in ``model``; None where a file was damaged.

        What is damaged is set aside as ``<name>.damaged`` and told of.

        Raises:
            OSError: a damaged file cannot be renamed.
        """
        weights, history = self.files
        try:
            load_weights(model, weights)
            return TrainResult(model=model.to(device), **_history(history))
        except (ValueError, OSError) as error:
            if isinstance(error.__cause__, MemoryError) or is_out_of_memory(error.__cause__ or error):
                raise
            self._set_aside(error)
            return None

    def make_room(self) -> None:
        """Remove what killed writers left, and set aside what is no file, before the network is written."""
        for draft in self.folder.glob(f".{self.key}.*{DRAFT}"):
            draft.unlink(missing_ok=True)
        for draft in (self.folder / "checkpoints").glob(f".{self.key}.*{DRAFT}"):
            draft.unlink(missing_ok=True)
        for file in self.files:
            if file.is_dir():
                set_aside(file)

    def _set_aside(self, error: Exception) -> None:
        kept = [set_aside(file).name for file in self.files if file.exists()]
        reason = str(error).partition("\n")[0]
        log.warning("  %s; set aside as %s, it is trained again", reason, " and ".join(kept))


def _history(file: Path) -> dict[str, Any]:
    """How a network was trained, from its file.

    Raises:
        ValueError: the file is damaged or not a history.
    """
    try:
        held = json.loads(file.read_bytes())
        good = isinstance(held, dict) and held.keys() == TYPES.keys()
        if not good or not all(isinstance(held[name], kind) for name, kind in TYPES.items()):
            raise ValueError("it does not say how a network was trained")
        for name, values in held["curves"].items():
            strict.numbers(name, values)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    return held
