"""How a described network was trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from lggkit.training import TrainResult


@dataclass(frozen=True)
class TrainedNetwork(TrainResult):
    """How a network was trained, its ``key`` (`Network.key`), and the name of the ``device`` that did it."""

    key: str = ""
    device: str = ""


def named(result: TrainResult, key: str, device: str) -> TrainedNetwork:
    """A training's result under the key of what was trained."""
    fields = {entry.name: getattr(result, entry.name) for entry in dataclasses.fields(result)}
    return TrainedNetwork(**fields, key=key, device=device)
