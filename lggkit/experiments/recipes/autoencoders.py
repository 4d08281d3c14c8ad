"""Autoencoders of pictures, several a seed, and decoders of coordinates trained on their frozen encoders."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.experiments.recipes.stitched import coordinates
from lggkit.networks.autoencoders import dense
from lggkit.networks.seeds import derive
from lggkit.similarity import Statistics
from lggkit.training.vectors import VectorTraining, minimise, shuffled_batches

Names = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Pictures:
    """Vectors of pixels in [0, 1], (n, p): what is trained on, anchors, and what is tested."""

    train: Tensor
    pool: Tensor
    test: Tensor
    shape: tuple[int, int, int]

    @classmethod
    def drawn(cls, train: DataSet, test: DataSet, sizes: tuple[int, int, int], seed: int) -> Pictures:
        """``sizes`` of each; the first two are drawn from the training split, what is tested stays."""
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(derive(seed, "pictures")))
        parts = [train.subset(part) for part in order[: sum(sizes[:2])].split(list(sizes[:2]))]
        vectors = (to_float(part.images).flatten(1).cpu() for part in (*parts, test.first(sizes[2])))
        return cls(*vectors, train.shape)

    @property
    def variance(self) -> float:
        """Mean squared distance of tested pixels from the mean training picture."""
        return (self.test - self.train.mean(0)).square().mean().item()

    def explained(self, drawn: Tensor) -> float:
        """Percent of that variance which pictures (n, p) explain of those tested; may be negative."""
        return 100 * (1 - (drawn - self.test).square().mean().item() / self.variance)

    def as_bytes(self, vectors: Tensor) -> Tensor:
        """Vectors (n, p) as uint8 pictures (n, c, h, w)."""
        return (255 * vectors.clamp(0, 1)).round().byte().unflatten(1, self.shape)


def fit(
    model: Callable[[Tensor], Tensor],
    parts: list[nn.Module],
    inputs: Tensor,
    wanted: Tensor,
    training: VectorTraining,
    seed: int,
) -> float:
    """Lowers the squared error of ``model(inputs)`` to what is wanted; gives the last epoch's mean."""
    generator = torch.Generator().manual_seed(derive(seed, "order"))
    return minimise(
        [weight for part in parts for weight in part.parameters()],
        lambda: shuffled_batches(len(inputs), training.batch_size, generator),
        lambda at: (model(inputs[at]) - wanted[at]).square().mean(),
        training,
    )[-1]


def encoders(
    pictures: Pictures, hidden: tuple[int, ...], width: int, training: VectorTraining, seed: int
) -> list[nn.Module]:
    """An encoder (n, p) -> (n, width) for each width of a hidden layer, each with a decoder that is left."""
    trained = []
    for place, units in enumerate(hidden):
        size, own = pictures.train.shape[1], derive(seed, f"autoencoder {place}")
        encoder = dense((size, units, width), derive(own, "encoder"))
        decoder = dense((width, units, size), derive(own, "decoder"))
        whole = nn.Sequential(encoder, decoder)
        fit(whole, [whole], pictures.train, pictures.train, training, own)
        trained.append(encoder.requires_grad_(False))
    return trained


def decoded(
    name: str, pictures: Pictures, held: list[nn.Module], units: int, training: VectorTraining, seed: int
) -> list[list[Tensor]]:
    """Tested pictures (n, p) as the decoder of each encoder (rows) draws them from each one's coordinates.

    Args:
        name: of a map, as of `lggkit.experiments.recipes.stitched.coordinates`.
        pictures: of the seed.
        held: the encoders.
        units: of the decoders' hidden layer.
        training: of the decoders.
        seed: of their weights and the order; decoders of one place share them whatever the map.
    """
    train, test = zip(*(_coordinates(name, pictures, encoder) for encoder in held), strict=True)
    rows = []
    for place, inputs in enumerate(train):
        own = derive(seed, f"decoder {place}")
        decoder = dense((inputs.shape[1], units, pictures.train.shape[1]), own)
        fit(decoder, [decoder], inputs, pictures.train, training, own)
        with torch.no_grad():
            rows.append([decoder(x) for x in test])
    return rows


def _coordinates(name: str, pictures: Pictures, encoder: nn.Module) -> tuple[Tensor, Tensor]:
    train, pool, test = (encoder(x) for x in (pictures.train, pictures.pool, pictures.test))
    of = functools.partial(coordinates, name, anchors=pool, statistics=Statistics.of(train))
    return of(train), of(test)
