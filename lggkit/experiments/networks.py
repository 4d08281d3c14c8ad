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
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import DATASETS, DataSet
from lggkit.networks import Bottleneck, build, with_embedding, with_normalization
from lggkit.protocol import non_defaults
from lggkit.training import Batch, TrainConfig

if TYPE_CHECKING:
    from lggkit.experiments.base import Context

SPLIT_SEED = 43_000
ByDepth = Mapping[str, Tensor]


@dataclass(frozen=True)
class Images:
    """The training images of a data set: ``held_out`` of them left out, of the first classes only.

    ``classes_kept`` None is all classes. Which images are held out depends on their number alone.
    """

    data: str
    classes_kept: int | None = None
    held_out: int = 0

    @property
    def classes(self) -> int:
        """The number of classes that are trained on."""
        return self.classes_kept or len(DATASETS[self.data].classes)

    def split(self, context: Context) -> tuple[DataSet, DataSet]:
        """Images of all classes: those that a network may see, and those held out."""
        data = context.data(self.data)
        if not self.held_out:
            return data, data.subset([])
        order = torch.randperm(len(data), generator=torch.Generator().manual_seed(SPLIT_SEED))
        places = order[self.held_out :].sort().values, order[: self.held_out].sort().values
        return data.subset(places[0]), data.subset(places[1])

    def training(self, context: Context) -> DataSet:
        """What a network is trained on."""
        seen, _ = self.split(context)
        return seen if self.classes_kept is None else seen.first_classes(self.classes_kept)


@dataclass(frozen=True)
class Architecture:
    """A network of `lggkit.networks` with its ``size``, options such as ``(("width", 8),)``.

    With ``embedding`` it gives that many outputs, normalised by ``normalization``, and with ``bottleneck``
    a linear layer behind them gives logits. Without, its outputs are logits.
    """

    name: str
    size: tuple[tuple[str, Any], ...] = ()
    embedding: int | None = None
    normalization: str | None = None
    bottleneck: bool = False

    def build(self, seed: int, classes: int, data: DataSet) -> nn.Module:
        """The network before training, for [0, 1] images of a data set, its normalisation inside."""
        outputs = self.embedding or classes
        shape = {"classes": outputs, "channels": data.images.shape[1], **dict(self.size)}
        inner = build(self.name, seed=seed, **shape)
        if self.embedding is not None:
            inner = with_embedding(inner, self.normalization, self.embedding)
        if self.bottleneck:
            inner = Bottleneck(inner, outputs, classes, seed)
        return with_normalization(inner, data.mean, data.std)


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

    def after_step(self) -> Callable[[nn.Module], None] | None:
        """What follows every update."""
        return None


@dataclass(frozen=True)
class Network:
    """The description of a trained network but for its seed.

    ``start`` is another described network of the same architecture, whose weights (of the same seed, or of
    ``start_seed``) it begins with: fine-tuning. None begins with random weights.
    """

    images: Images
    architecture: Architecture
    schedule: TrainConfig
    recipe: Recipe = field(default_factory=Recipe)
    start: Network | None = None
    start_seed: int | None = None

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
            model.load_state_dict(context.network(self.start, other).state_dict())
        return model


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
