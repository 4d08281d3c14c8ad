"""Networks that embed images, as settings that sections share: what they are and how they are trained.

Networks trained with cross-entropy embed by their penultimate depth (or their bottleneck), all others by
their output.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.evaluation.embeddings import Labelled
from lggkit.evaluation.neighbors import latents_at
from lggkit.experiments.networks import Architecture, Images, Network, Recipe
from lggkit.experiments.recipes.embedding import Embedded, EmbeddingLoss
from lggkit.protocol import Part, Protocol
from lggkit.training import MultiStep, OneCycle, TrainConfig, TrainResult

PAPER_TRAINING = TrainConfig(
    epochs=200, batch_size=100, nesterov=True, weight_decay=1e-4, schedule=MultiStep((100, 150), 0.1)
)
SHORT_TRAINING = replace(PAPER_TRAINING, epochs=4, schedule=OneCycle())
REDUCED_TRAINING = replace(SHORT_TRAINING, epochs=16, precision="auto")
SMOKE_TRAINING = replace(SHORT_TRAINING, epochs=1, augment=False)
PAPER_SWEEP_TRAINING = replace(PAPER_TRAINING, epochs=60, schedule=MultiStep((30, 45), 0.1))
SMOKE_SWEEP_TRAINING = replace(SMOKE_TRAINING, epochs=1)
CROSS_ENTROPY = EmbeddingLoss(loss="cross_entropy")
# Of sweeps at shorter schedules: all at the paper's defaults, and the best of four sizes at short scale. The
# paper's own schedule takes the paper's own sum.
GRAPH_SMOOTHNESS = EmbeddingLoss(loss="graph_smoothness", reduction="mean", weight=10.0)
# Of tables at shorter schedules: what a search at reduced length chose (paper 2, section 4.3, ``SEARCH``).
TUNED = (("alpha", 0.5), ("weight", 100.0))
AS_IN_SWEEPS: dict[str, Any] = {"loss_chosen": ()}
"""What an arm changes whose loss no search has chosen options of."""


@dataclass(frozen=True)
class Embedder(Part):
    """What an embedding network is and what its training depends on.

    ``stand_in`` is the data set that is used in place of ``dataset`` (digits, at smoke scale).
    ``loss_chosen`` are entries of ``loss`` that a search chose, ``loss_changes`` those in which an arm
    differs. ``dimension`` is the embedding's, by default the number of classes trained on; a network
    trained with cross-entropy has a bottleneck of that dimension before its last layer, and none by
    default. ``normalization`` is the embedding's; with cross-entropy that of a bottleneck.
    ``training_changes`` are entries of `TrainConfig` that differ from ``training``. An arm of a ``sweep``
    leaves ``held_out`` training images for validation and may have a shorter ``sweep_training``. The
    classes below ``classes_kept`` are trained on, by default all. Arms that train no network are not
    ``trained``.
    """

    dataset: str = "cifar10"
    stand_in: str | None = None
    network: str = "preact_resnet18"
    width: int = 64
    loss: EmbeddingLoss = field(default_factory=EmbeddingLoss)
    loss_chosen: tuple[tuple[str, Any], ...] = ()
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
        return replace(self.loss, **dict((*self.loss_chosen, *self.loss_changes)))

    @property
    def own_training(self) -> TrainConfig:
        """How the network is trained; without augmentation ``flip`` has no effect and is off."""
        chosen = (self.sweep_training or self.training) if self.sweep else self.training
        config = replace(chosen, **dict(self.training_changes))
        return replace(config, flip=config.flip and config.augment)

    @property
    def images(self) -> Images:
        """Which images are trained on, and which held out."""
        return Images(self.data_name, self.classes_kept, self.held_out if self.sweep else 0)

    @property
    def own_dimension(self) -> int | None:
        """The dimension of the embedding, None for the penultimate depth of a network with cross-entropy."""
        return self.dimension or (None if self.by_cross_entropy else self.images.classes)

    @property
    def description(self) -> Network:
        """The trained network."""
        d = self.own_dimension
        architecture = Architecture(
            self.network,
            (("width", self.width),),
            embedding=d,
            normalization=None if d is None else self.normalization,
            bottleneck=self.by_cross_entropy and d is not None,
        )
        recipe = Recipe() if self.by_cross_entropy else Embedded(loss=self.own_loss)
        return Network(self.images, architecture, self.own_training, recipe)

    @property
    def embedding_depth(self) -> str:
        """The depth, for `lggkit.latents`, that is the embedding."""
        if not self.by_cross_entropy:
            return "output"
        return "penultimate" if self.own_dimension is None else "bottleneck"

    def embeddings(self, model: nn.Module, images: Tensor) -> Tensor:
        """The embeddings (n, d) of uint8 images (n, c, h, w), float32 on the CPU."""
        return latents_at(model, images, self.embedding_depth)

    def embedded(self, model: nn.Module, data: DataSet) -> Labelled:
        """The embeddings of a data set's images and their labels, on the CPU."""
        return self.embeddings(model, data.images), data.labels.cpu()

    def final_loss(self, result: TrainResult) -> float:
        """The mean training loss of the last epoch, without its weight."""
        return result.curves["train_loss"][-1] / self.own_loss.weight


@dataclass(frozen=True)
class OfEmbedder(Protocol):
    """Base of settings whose trained network is that of an `Embedder`."""

    embedder: Embedder = field(default_factory=Embedder)

    @property
    def description(self) -> Network:
        """The trained network."""
        return self.embedder.description


SMOKE_EMBEDDER = Embedder(
    stand_in="digits",
    loss=GRAPH_SMOOTHNESS,
    network="small_net",
    width=4,
    training=SMOKE_TRAINING,
    sweep_training=SMOKE_SWEEP_TRAINING,
    held_out=200,
)
SHORT_EMBEDDER = Embedder(loss=GRAPH_SMOOTHNESS, loss_chosen=TUNED, width=8, training=SHORT_TRAINING)
REDUCED_EMBEDDER = replace(SHORT_EMBEDDER, training=REDUCED_TRAINING)
PAPER_EMBEDDER = Embedder(sweep_training=PAPER_SWEEP_TRAINING)
