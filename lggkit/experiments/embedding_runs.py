"""Networks that embed images, as settings: what they are, how several train together, who shares which.

Networks trained with cross-entropy embed by their penultimate depth (or their bottleneck), all others by
their output. Sections ask for networks through `trained`, so that equal ones are trained once in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import DATASETS, DataSet
from lggkit.evaluation.neighbors import latents_at
from lggkit.experiments import base
from lggkit.experiments.base import Context
from lggkit.experiments.embedding import EmbeddingLoss, first_classes
from lggkit.networks import build, with_embedding, with_normalization
from lggkit.networks.normalization import prefixed
from lggkit.record import Protocol, Spec
from lggkit.training import MultiStep, OneCycle, TrainConfig, TrainResult, train_many
from lggkit.training.seeds import derive

Labelled = tuple[Tensor, Tensor]
"""Embeddings (n, d) and their labels (n,), on the CPU."""

SPLIT_SEED = 43_000
PAPER_TRAINING = TrainConfig(
    epochs=200, batch_size=100, nesterov=True, weight_decay=1e-4, schedule=MultiStep((100, 150), 0.1)
)
REDUCED_TRAINING = replace(PAPER_TRAINING, epochs=4, schedule=OneCycle())
SMOKE_TRAINING = replace(REDUCED_TRAINING, epochs=2, augment=False)
PAPER_SWEEP_TRAINING = replace(PAPER_TRAINING, epochs=60, schedule=MultiStep((30, 45), 0.1))
SMOKE_SWEEP_TRAINING = replace(SMOKE_TRAINING, epochs=1)
CROSS_ENTROPY = EmbeddingLoss(loss="cross_entropy")
# The size that a search chose for short schedules; the paper's own schedule takes the paper's own sum.
GRAPH_SMOOTHNESS = EmbeddingLoss(loss="graph_smoothness", reduction="mean", weight=10.0)


@dataclass(frozen=True)
class EmbeddingSettings(Protocol):
    """What a network's training depends on; a section's own settings add how it is measured.

    ``stand_in`` is the data set that is used in place of ``dataset`` (digits, at smoke scale).
    ``loss_changes`` are entries of ``loss`` that differ. ``dimension`` is the embedding's, by default the
    number of classes trained on; a network trained with cross-entropy has a bottleneck of that dimension
    before its last layer, and none by default. ``normalization`` is the embedding's; with cross-entropy
    that of a bottleneck. ``training_changes`` are entries of `TrainConfig` that differ from ``training``.
    An arm of a ``sweep`` leaves ``held_out`` training images for validation and may have a shorter
    ``sweep_training``. The classes below ``classes_kept`` are trained on, by default all. Arms that train
    no network are not ``trained``.
    """

    dataset: str = "cifar10"
    stand_in: str | None = None
    network: str = "preact_resnet18"
    width: int = 64
    loss: EmbeddingLoss = field(default_factory=EmbeddingLoss)
    loss_changes: tuple[tuple[str, Any], ...] = ()
    dimension: int | None = None
    normalization: str | None = "l2"
    training: TrainConfig = field(default_factory=lambda: PAPER_TRAINING)
    training_changes: tuple[tuple[str, Any], ...] = ()
    sweep: bool = False
    sweep_training: TrainConfig | None = None
    held_out: int = 5000
    classes_kept: int | None = None
    trained: bool = True

    @property
    def data_name(self) -> str:
        """The data set that is read."""
        return self.stand_in or self.dataset

    @property
    def by_cross_entropy(self) -> bool:
        """Whether the network classifies by itself."""
        return self.loss.loss == "cross_entropy"

    @property
    def own_loss(self) -> EmbeddingLoss:
        """The loss that the network is trained with."""
        return replace(self.loss, **dict(self.loss_changes))

    @property
    def own_training(self) -> TrainConfig:
        """How the network is trained; without augmentation ``flip`` has no effect and is off."""
        chosen = (self.sweep_training or self.training) if self.sweep else self.training
        config = replace(chosen, **dict(self.training_changes))
        return replace(config, flip=config.flip and config.augment)

    @property
    def trained_classes(self) -> int:
        """The number of classes that the network is trained on."""
        return self.classes_kept or len(DATASETS[self.data_name].classes)

    @property
    def own_dimension(self) -> int | None:
        """The dimension of the embedding, None for the penultimate depth of a network with cross-entropy."""
        return self.dimension or (None if self.by_cross_entropy else self.trained_classes)

    @property
    def own_held_out(self) -> int:
        """The number of training images that the network never sees."""
        return self.held_out if self.sweep else 0

    @property
    def identity(self) -> tuple[Any, ...]:
        """Everything that the trained network depends on but its seed."""
        normalization = None if self.own_dimension is None else self.normalization
        shape = (self.network, self.width, self.own_dimension, normalization)
        return (*shape, self.own_loss, self.own_training, *self.images_trained_on)

    @property
    def images_trained_on(self) -> tuple[Any, ...]:
        """What decides which images are trained on."""
        return self.data_name, self.classes_kept, self.own_held_out

    @property
    def embedding_depth(self) -> str:
        """The depth, for `lggkit.latents`, that is the embedding."""
        if not self.by_cross_entropy:
            return "output"
        return "penultimate" if self.own_dimension is None else "bottleneck"


def build_network(spec: Spec, context: Context) -> nn.Module:
    """The untrained network of a spec; images in [0, 1] -> embeddings (n, d), logits with cross-entropy."""
    settings, data = spec.protocol, context.data(spec.protocol.data_name)
    d, channels = settings.own_dimension, data.images.shape[1]
    outputs = d or settings.trained_classes
    inner = build(settings.network, seed=spec.seed, classes=outputs, width=settings.width, channels=channels)
    if d is not None:
        inner = with_embedding(inner, settings.normalization, d)
    if d is not None and settings.by_cross_entropy:
        inner = Bottleneck(inner, d, settings.trained_classes, spec.seed)
    return with_normalization(inner, data.mean, data.std).to(context.device)


class Bottleneck(nn.Module):
    """A network's embedding (n, d), the depth ``bottleneck``, and a linear layer from it to the classes."""

    def __init__(self, inner: nn.Module, d: int, classes: int, seed: int) -> None:
        super().__init__()
        self.inner = inner
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derive(seed, "bottleneck"))
            self.classifier = nn.Linear(d, classes)
        self.depths = prefixed(inner, "depths", "inner") | {"bottleneck": "inner"}
        self.relu_depths = prefixed(inner, "relu_depths", "inner")

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.inner(x))


def train_networks(specs: Sequence[Spec], context: Context) -> list[TrainResult]:
    """The trained networks of specs, in lockstep where they see the same images under the same schedule."""

    def together(spec: Spec) -> tuple[Any, ...]:
        return spec.protocol.own_training, *spec.protocol.images_trained_on

    results: dict[Spec, TrainResult] = {}
    for key in dict.fromkeys(map(together, specs)):
        same = [spec for spec in specs if together(spec) == key]
        results |= dict(zip(same, _train_together(same, context), strict=True))
    return [results[spec] for spec in specs]


def _train_together(specs: Sequence[Spec], context: Context) -> list[TrainResult]:
    settings = specs[0].protocol
    return train_many(
        [build_network(spec, context) for spec in specs],
        training_images(settings, context),
        settings.own_training,
        seeds=[spec.seed for spec in specs],
        objectives=[spec.protocol.own_loss.objective() for spec in specs],
        device=context.device,
        checkpoints=[context.checkpoints / f"{spec.key}.pt" for spec in specs],
        progress=context.progress,
        tags=[spec.key for spec in specs],
    )


def split_images(settings: EmbeddingSettings, context: Context) -> tuple[DataSet, DataSet]:
    """Training images of all classes: those that an arm may use, and those it holds out, the same for all."""
    data, held = context.data(settings.data_name), settings.own_held_out
    if not held:
        return data, data.subset([])
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(SPLIT_SEED))
    return data.subset(order[held:].sort().values), data.subset(order[:held].sort().values)


def training_images(settings: EmbeddingSettings, context: Context) -> DataSet:
    """The images that a network is trained on: not held out, of the classes kept."""
    return first_classes(split_images(settings, context)[0], settings.classes_kept)


def network_of(spec: Spec) -> Spec:
    """The run under whose key the network of a spec is kept: the first arm, over all sections, like it.

    Alike are arms with the same training settings (`EmbeddingSettings.identity`), of the same scale and seed.
    Sections come in the order of the queue.
    """
    for experiment in base.all_experiments():
        if isinstance(experiment.protocols[spec.scale], EmbeddingSettings):
            for arm in experiment.arms:
                other = experiment.spec(arm.name, spec.scale, spec.seed)
                if other.protocol.trained and other.protocol.identity == spec.protocol.identity:
                    return other
    return spec


def trained(specs: Sequence[Spec], context: Context) -> dict[Spec, TrainResult]:
    """The training behind each spec, whichever section's it is; what is missing is trained together."""
    owners = {spec: network_of(spec) for spec in specs}
    found: dict[Spec, TrainResult] = {}
    for section in dict.fromkeys(owner.experiment for owner in owners.values()):
        wanted = [owner for owner in dict.fromkeys(owners.values()) if owner.experiment == section]
        found |= dict(zip(wanted, context.trainings(wanted), strict=True))
    return {spec: found[owner] for spec, owner in owners.items()}


def history(spec: Spec, result: TrainResult, measuring: float) -> dict[str, Any]:
    """What a record says of how it came about, ``measuring`` being the seconds after training.

    Arms that use another arm's network count no seconds for its training.
    """
    training = result.seconds if network_of(spec) == spec else 0.0
    return {**base.how_trained(result), "seconds": training + measuring}


def final_loss(spec: Spec, result: TrainResult) -> float:
    """The mean training loss of the last epoch, without its weight."""
    return result.curves["train_loss"][-1] / spec.protocol.own_loss.weight


def embeddings(model: nn.Module, images: Tensor, settings: EmbeddingSettings) -> Tensor:
    """The embeddings (n, d) of uint8 images (n, c, h, w), float32 on the CPU."""
    return latents_at(model, images, settings.embedding_depth)


def embedded(model: nn.Module, data: DataSet, settings: EmbeddingSettings) -> Labelled:
    """The embeddings of a data set's images and their labels."""
    return embeddings(model, data.images, settings), data.labels.cpu()
