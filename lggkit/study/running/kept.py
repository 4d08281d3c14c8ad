"""Trained networks on disk, by key: weights, how they were trained and what was seen, in one file."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lggkit import strict
from lggkit.durable import DRAFT, set_aside
from lggkit.experiments.networks import TrainedNetwork
from lggkit.networks.weights import lay_out
from lggkit.training import CheckpointError, read_checkpoint, write_checkpoint
from lggkit.training.memory import is_out_of_memory

log = logging.getLogger("lggkit.study")


@dataclass(frozen=True)
class KeptNetwork:
    """The network of one key in a folder; ``observer`` names what it must have been seen by, if anything."""

    folder: Path
    key: str
    observer: str = ""

    def __post_init__(self) -> None:
        strict.key(self.key)

    @property
    def file(self) -> Path:
        """Where it is, if it is kept."""
        return self.folder / f"{self.key}.pt"

    def keep(self, result: TrainedNetwork) -> None:
        """Write the network, whole or not at all."""
        weights = {name: value.detach().cpu() for name, value in result.model.state_dict().items()}
        history = {entry.name: getattr(result, entry.name) for entry in dataclasses.fields(result)}
        history |= {"path": result.path.plain()}
        del history["model"]
        write_checkpoint(self.file, {"weights": weights, "history": history, "observer": self.observer})

    def load(self, model: torch.nn.Module) -> TrainedNetwork | None:
        """The network and its history, the weights in ``model``; None where there is none to load.

        They lie in memory as those that were kept did, so that the network computes the same bits.
        What was damaged is set aside as ``<name>.damaged`` and told of; what another observer has seen counts
        as missing.

        Raises:
            OSError: a damaged file cannot be renamed.
        """
        state = self._state()
        if state is None:
            return None
        try:
            lay_out(model, state["weights"])
            model.load_state_dict(state["weights"])
            return TrainedNetwork(model=model.eval(), **state["history"])
        except (RuntimeError, KeyError, TypeError, AttributeError) as error:
            if is_out_of_memory(error):
                raise
            self._set_aside(f"{self.file} is damaged: {error}")
            return None

    def make_room(self) -> None:
        """Remove what killed writers left, and set aside what is no file, before the network is written."""
        for folder in (self.folder, self.folder / "checkpoints"):
            for draft in folder.glob(f".{self.key}.*{DRAFT}"):
                draft.unlink(missing_ok=True)
        if self.file.is_dir():
            set_aside(self.file)

    def _state(self) -> dict[str, Any] | None:
        try:
            state = read_checkpoint(self.file)
        except FileNotFoundError:
            return None
        except (CheckpointError, OSError) as error:
            self._set_aside(str(error))
            return None
        return state if self.observer in ("", state.get("observer", "")) else None

    def _set_aside(self, reason: str) -> None:
        aside = set_aside(self.file).name
        log.warning("  %s; set aside as %s, it is trained again", reason.partition("\n")[0], aside)
