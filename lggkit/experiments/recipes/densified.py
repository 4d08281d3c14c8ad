"""Networks on frozen features, trained with their heads under topological densification."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lggkit.data import class_batches
from lggkit.experiments.recipes.bilingual import Bilingual, Encoded, source
from lggkit.networks.text import StackedLinear, StackedNetworks
from lggkit.objectives import densification
from lggkit.similarity import Statistics, relative_map
from lggkit.training.vectors import VectorTraining, minimise, stacked_cross_entropy


@dataclass(frozen=True)
class Settings(Bilingual):
    """``before`` and ``after`` weigh the penalty on latents and on coordinates, within ``weight``.

    ``label_share`` is how many of the labelled passages are used, ``momentum`` that of the running
    statistics, ``refresh`` the steps after which anchors are encoded anew.
    """

    relative: bool = True
    label_share: float = 1.0
    weight: float = 0.02
    before: float = 0.0
    after: float = 0.0
    beta: float = 3.0
    sub_batch: int = 16
    epochs: int = 20
    learning_rate: float = 1e-3
    momentum: float = 0.3
    refresh: int = 10
    held_out: int = 40

    @property
    def training(self) -> VectorTraining:
        """That of networks and heads together; a batch has a sub-batch of each class."""
        return VectorTraining(self.epochs, self.sub_batch, self.learning_rate)


class Tuned:
    """Encoders of a seed with their heads, as one arm trains them."""

    def __init__(self, settings: Settings, held: Encoded, seed: int) -> None:
        generator = source(seed, "tuning")
        self.settings, self.held, self.generator = settings, _fewer(held, settings.label_share), generator
        encoders, _, width = held.train.shape
        self.network = StackedNetworks(encoders, width, width, generator)
        inputs = settings.anchors if settings.relative else width
        self.heads = StackedLinear(encoders, inputs, len(held.classes), generator)
        self.pool = held.pool[:, : settings.anchors]
        self._look(self.held.train)

    @torch.no_grad()
    def _look(self, features: Tensor) -> None:
        """Statistics of these features' latents, and the anchors' latents as they are now."""
        self.statistics, self.anchors = Statistics.of(self.network(features)), self.network(self.pool)

    def coordinates(self, latents: Tensor, statistics: Statistics) -> Tensor:
        """What the heads read: robust relative coordinates, or the latents where there is no map."""
        if not self.settings.relative:
            return latents
        return relative_map(statistics.normalize(latents), self.statistics.normalize(self.anchors))

    def train(self) -> list[float]:
        """Minimises cross-entropy and the penalties; gives the mean loss of each epoch."""
        parameters = [*self.network.parameters(), *self.heads.parameters()]
        settings, labels = self.settings, self.held.train_labels
        batches = lambda: class_batches(labels, settings.sub_batch, self.generator)  # noqa: E731
        curve = minimise(parameters, batches, self._loss, settings.training, self._after_step)
        self._look(self.held.train)
        return curve

    def _loss(self, places: Tensor) -> Tensor:
        latents = self.network(self.held.train[:, places.flatten()])
        batch = Statistics.of(latents)
        self.statistics = self.statistics.moved(batch, self.settings.momentum)
        mapped = self.coordinates(latents, batch)
        loss = stacked_cross_entropy(self.heads(mapped), self.held.train_labels[places.flatten()])
        for share, x in ((self.settings.before, latents), (self.settings.after, mapped)):
            if share:
                loss = loss + self.settings.weight * share * self._penalty(x, places)
        return loss

    def _penalty(self, x: Tensor, places: Tensor) -> Tensor:
        """The sum over encoders of that of their sub-batches."""
        return len(x) * densification(x.unflatten(1, places.shape).flatten(0, 1), self.settings.beta)

    def _after_step(self, done: int) -> None:
        if self.settings.relative and done % self.settings.refresh == 0:
            with torch.no_grad():
                self.anchors = self.network(self.pool)

    @torch.no_grad()
    def tested(self) -> tuple[Tensor, Tensor]:
        """Latents and coordinates of what is tested."""
        latents = self.network(self.held.test)
        return latents, self.coordinates(latents, self.statistics)


def _fewer(encoders: Encoded, share: float) -> Encoded:
    """The first of the labelled passages of each class."""
    labels = encoders.train_labels
    by_class = [(labels == c).nonzero()[:, 0] for c in range(len(encoders.classes))]
    places = torch.cat([one[: round(share * len(one))] for one in by_class])
    return replace(encoders, train=encoders.train[:, places], train_labels=labels[places])
