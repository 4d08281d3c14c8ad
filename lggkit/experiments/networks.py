"""A trained network as a value: images, architecture, start, what is minimised, and for how long.

Experiments keep their settings and derive descriptions from them. Equal descriptions are one network, whoever
asks, so that no section needs to know another.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.experiments.ingredients import Architecture, Images
from lggkit.protocol import non_defaults
from lggkit.record import Record, Spec
from lggkit.training import Batch, TrainConfig, TrainResult


@dataclass(frozen=True)
class TrainedNetwork(TrainResult):
    """How a network was trained, its ``key`` (`Network.key`), and the name of the ``device`` that did it."""

    key: str = ""
    device: str = ""


def named(result: TrainResult, key: str, device: str) -> TrainedNetwork:
    """A training's result under the key of what was trained."""
    fields = {entry.name: getattr(result, entry.name) for entry in dataclasses.fields(result)}
    return TrainedNetwork(**fields, key=key, device=device)


ByDepth = Mapping[str, Tensor]
Objective = Callable[[ByDepth, Tensor, Batch, ByDepth], Tensor]
"""From latents, outputs, a batch and a guide's latents to a loss."""


@dataclass(frozen=True)
class Guide:
    """A trained network whose latents at ``depths`` others are trained beside, computed in ``precision``."""

    network: Network
    seed: int
    depths: tuple[str, ...]
    precision: str = "float32"


@dataclass(frozen=True)
class Recipe:
    """What a training minimises; this one, the cross-entropy of the outputs.

    Other recipes derive from it and say what they do otherwise. ``revision`` is raised where their code
    changes what comes out: networks of the lower one are then others. ``guide`` is the network that is needed
    beside the one that is trained.
    """

    revision: int = 1
    guide: Guide | None = None

    @property
    def lockstep(self) -> tuple[Any, ...]:
        """What recipes of one kind must have in common to be trained together."""
        return ()

    def taps(self, model: nn.Module) -> Sequence[str]:
        """The depths whose latents the objective needs."""
        return ()

    def objective(
        self, model: nn.Module, latents: ByDepth, outputs: Tensor, batch: Batch, guide: ByDepth
    ) -> Tensor:
        """The loss, a scalar; ``guide`` has the guide's latents by depth, if there is a guide."""
        return F.cross_entropy(outputs, batch.labels)

    def objective_of(self, model: nn.Module) -> Objective:
        """The objective of one network, which still has the weights that its training begins with."""
        return partial(self.objective, model)

    def after_step(self) -> Callable[[nn.Module], None] | None:
        """What follows every update."""
        return None


@dataclass(frozen=True)
class Network:
    """The description of a trained network but for its seed.

    ``start`` is another described network of the same architecture, whose weights (of the same seed, or of
    ``start_seed``) it begins with: fine-tuning. None begins with random weights, and so do the parts whose
    paths begin with one of ``fresh``, such as a last layer for other classes.
    """

    images: Images
    architecture: Architecture
    schedule: TrainConfig
    recipe: Recipe = field(default_factory=Recipe)
    start: Network | None = None
    start_seed: int | None = None
    fresh: tuple[str, ...] = ()

    def key(self, seed: int) -> str:
        """Sixteen hexadecimal digits that name the trained network of a seed, by content.

        How it is computed (compiled, captured, in which memory layout) is no content.
        """
        text = json.dumps([content(self), seed], sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def needs(self, seed: int) -> list[tuple[Network, int]]:
        """What must have been trained before: the recipe's guide and the start."""
        guide, first = self.recipe.guide, seed if self.start_seed is None else self.start_seed
        guides = [] if guide is None else [(guide.network, guide.seed)]
        return guides if self.start is None else [*guides, (self.start, first)]

    def untrained(self, seed: int, context: Context) -> nn.Module:
        """The network with random weights, on the context's device."""
        data = context.data(self.images.data)
        return self.architecture.build(seed, self.images.classes, data).to(context.device)

    def begun(self, seed: int, context: Context) -> nn.Module:
        """The network as its training begins."""
        model = self.untrained(seed, context)
        if self.start is not None:
            other = seed if self.start_seed is None else self.start_seed
            old = context.network(self.start, other).state_dict()
            new = {n: w for n, w in model.state_dict().items() if n.startswith(self.fresh)}
            model.load_state_dict({n: w for n, w in old.items() if n not in new} | new)
        return model


Seeded = tuple[Network, int]
"""A trained network: its description and its seed."""


@dataclass(frozen=True)
class Observer:
    """What is looked at while networks train: ``look(network, model)`` after ``epochs``, 0 being the start.

    It gives numbers, which become curves, and tensors, which are kept in order, by name. ``name`` says what
    is looked at, with all settings of the look.
    """

    name: str
    look: Callable[[Network, nn.Module], Mapping[str, float | Tensor]]
    epochs: tuple[int, ...]

    @property
    def identity(self) -> str:
        """What tells observers apart: a network that another has seen is trained again for this one."""
        return f"{self.name}, after epochs {', '.join(map(str, self.epochs))}"


class Context(Protocol):
    """What a running study lends to an experiment: data, device, trained networks, stamps for records."""

    device: torch.device
    progress: bool
    checkpoints: Path

    def data(self, name: str, train: bool = True) -> DataSet:
        """A data set on the device, loaded once."""

    def networks(self, wanted: Sequence[Seeded], observe: Observer | None = None) -> list[TrainedNetwork]:
        """Trained networks of descriptions and seeds: loaded by their keys, or trained together and kept."""

    def network(self, description: Network, seed: int) -> torch.nn.Module:
        """One of them, without its history."""

    def precision_of(self, network: Network, seed: int) -> str | None:
        """What a seed's first training was computed in, of the same images and a schedule that is paired."""

    def record(self, spec: Spec, metrics: Mapping[str, Any], **fields: Any) -> Record:
        """A record of a run, stamped with device, precision, versions, commit and date."""


def content(value: Any) -> Any:
    """Plain data that says what a description is; fields that are at their defaults are left out."""
    if isinstance(value, tuple | list):
        return [content(entry) for entry in value]
    if not dataclasses.is_dataclass(value):
        return value
    changed = {name: getattr(value, name) for name in non_defaults(value)}
    if isinstance(value, TrainConfig):
        changed = {name: entry for name, entry in changed.items() if name not in TrainConfig.COMPUTED}
    revision = {"revision": value.revision} if isinstance(value, Recipe) else {}
    return {"is": type(value).__name__, **revision} | {n: content(entry) for n, entry in changed.items()}
