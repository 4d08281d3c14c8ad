"""What a network is built of and sees: images and an architecture, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import nn

from lggkit.data import DATASETS, DataSet
from lggkit.networks import Bottleneck, build, with_embedding, with_normalization

SPLIT_SEED = 43_000


class DataLender(Protocol):
    """Whoever has data sets at hand; a `lggkit.experiments.Context` does."""

    def data(self, name: str, train: bool = True) -> DataSet:
        """A data set on the device, loaded once."""


@dataclass(frozen=True)
class Images:
    """The training images of a data set: ``held_out`` of them left out, of the first classes only.

    ``classes_kept`` None is all classes. Which images are held out depends on their number alone. Of every
    class as many as ``per_class`` are trained on, always the same ones, or with ``drawn`` each seed's own;
    None is all of them. With ``sub_batch`` a batch has as many of each class, side by side.
    """

    data: str
    classes_kept: int | None = None
    held_out: int = 0
    per_class: int | None = None
    drawn: bool = False
    sub_batch: int | None = None

    @property
    def classes(self) -> int:
        """The number of classes that are trained on."""
        return self.classes_kept or len(DATASETS[self.data].classes)

    def split(self, context: DataLender) -> tuple[DataSet, DataSet]:
        """Images of all classes: those that a network may see, and those held out."""
        data = context.data(self.data)
        if not self.held_out:
            return data, data.subset([])
        order = torch.randperm(len(data), generator=torch.Generator().manual_seed(SPLIT_SEED))
        places = order[self.held_out :].sort().values, order[: self.held_out].sort().values
        return data.subset(places[0]), data.subset(places[1])

    def training(self, context: DataLender, seed: int = 0) -> DataSet:
        """What the network of a seed is trained on."""
        seen, _ = self.split(context)
        seen = seen if self.classes_kept is None else seen.first_classes(self.classes_kept)
        if self.per_class is not None:
            source = torch.Generator().manual_seed(SPLIT_SEED + self.split_of(seed))
            seen = seen.per_class(self.per_class, source)
        return seen if self.sub_batch is None else replace(seen, sub_batch=self.sub_batch)

    def split_of(self, seed: int) -> int:
        """Which draw of images a seed has: networks of one draw may be trained together."""
        return seed if self.drawn else 0


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
