"""What experiments may ask of a running study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from lggkit.data import DataSet
from lggkit.record import Record, Spec


class Context(Protocol):
    """What a running study lends to an experiment: data, device, trained networks, stamps for records.

    Descriptions are `lggkit.experiments.networks.Network`, observers and trained networks those of
    `lggkit.experiments.lockstep`.
    """

    device: torch.device
    progress: bool
    checkpoints: Path

    def data(self, name: str, train: bool = True) -> DataSet:
        """A data set on the device, loaded once."""

    def networks(self, wanted: Sequence[tuple[Any, int]], observe: Any = None) -> list[Any]:
        """Trained networks of descriptions and seeds: loaded by their keys, or trained together and kept."""

    def network(self, description: Any, seed: int) -> torch.nn.Module:
        """One of them, without its history."""

    def precision_of(self, network: Any, seed: int) -> str | None:
        """What a seed's first training was computed in, of the same images and schedule but for epochs."""

    def record(self, spec: Spec, metrics: Mapping[str, Any], **fields: Any) -> Record:
        """A record of a run, stamped with device, precision, versions, commit and date."""
