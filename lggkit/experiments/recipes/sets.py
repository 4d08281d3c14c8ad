"""Images as points, sets of them as subspaces: what a chapter about subspaces classifies, and how well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.experiments.networks import Context
from lggkit.subspaces import orthonormal_basis

PIXELS = ("unit", "centred", "image")
"""Grey levels as [-1, 1]; the same less the mean image; each image stretched to [-1, 1] by itself."""


@dataclass(frozen=True)
class Points:
    """Vectors (n, p) of float64 in the frame (d, p) of their span, with labels (n,)."""

    vectors: Tensor
    labels: Tensor
    frame: Tensor

    def of(self, chosen: Tensor) -> Points:
        """Some of them."""
        return Points(self.vectors[chosen], self.labels[chosen], self.frame)

    def by_class(self) -> list[Tensor]:
        """The vectors of each class."""
        return [self.vectors[self.labels == label] for label in (0, 1)]

    def split(self, share: float, generator: torch.Generator) -> tuple[Points, Points]:
        """A random part of each class for training, the rest for testing, each in random order."""
        parts: tuple[list[Tensor], list[Tensor]] = [], []
        for label in (0, 1):
            (own,) = (self.labels == label).nonzero(as_tuple=True)
            own = own[torch.randperm(len(own), generator=generator)]
            cut = round(share * len(own))
            parts[0].append(own[:cut])
            parts[1].append(own[cut:])
        return self.of(torch.cat(parts[0])), self.of(torch.cat(parts[1]))


@dataclass(frozen=True)
class Sets:
    """Sets of size l of one class each: bases (r, p, l), labels (r,), and which points (r, l) they are of."""

    bases: Tensor
    labels: Tensor
    members: Tensor

    def of(self, label: int) -> Tensor:
        """The bases of one class."""
        return self.bases[self.labels == label]


def points(context: Context, dataset: str, classes: tuple[int, int], per_class: int, pixels: str) -> Points:
    """The first images of two classes of a data set, whatever its split, in the frame of their span.

    Angles, norms and all that is made of them are those of the pixels.
    """
    parts = [context.data(dataset, train) for train in (True, False)]
    images = torch.cat([part.images for part in parts]).cpu().double().flatten(1)
    labels = torch.cat([part.labels for part in parts]).cpu()
    chosen = torch.cat([(labels == label).nonzero()[:per_class, 0] for label in classes])
    grey = scaled(images[chosen], pixels)
    frame = torch.linalg.qr(grey.T).Q if len(grey) < grey.shape[1] else torch.eye(grey.shape[1]).double()
    return Points(grey @ frame, (labels[chosen] == classes[1]).long(), frame)


def scaled(images: Tensor, pixels: str) -> Tensor:
    """Grey levels (n, d) from 0 to 255 in the reading of "the range from -1 to 1" that ``pixels`` names.

    Raises:
        ValueError: there is no such reading.
    """
    if pixels not in PIXELS:
        raise ValueError(f"pixels is {pixels!r}; choose one of {', '.join(PIXELS)}")
    unit = images / 127.5 - 1
    if pixels == "centred":
        return unit - unit.mean(0)
    if pixels == "image":
        low, high = unit.amin(1, keepdim=True), unit.amax(1, keepdim=True)
        return 2 * (unit - low) / (high - low).clamp(min=1e-9) - 1
    return unit


def grouped(given: Points, size: int, generator: torch.Generator) -> Sets:
    """Disjoint random sets of ``size`` points of one class; points that are left over are dropped."""
    members = []
    for label in (0, 1):
        (own,) = (given.labels == label).nonzero(as_tuple=True)
        own = own[torch.randperm(len(own), generator=generator)]
        members.append(own[: len(own) // size * size].reshape(-1, size))
    chosen = torch.cat(members)
    return Sets(orthonormal_basis(given.vectors[chosen].mT), given.labels[chosen[:, 0]], chosen)


def closeness(bases: Tensor, prototype: Tensor) -> Tensor:
    """The cosine (r,) of the first principal angle of each set with a subspace (p, k)."""
    product = bases.mT @ prototype
    gram = product @ product.mT if product.shape[-2] < product.shape[-1] else product.mT @ product
    return torch.linalg.eigvalsh(gram)[..., -1].clamp(min=0).sqrt()


def accuracy(predict: Callable[[Sets], Tensor], tests: Iterable[Sets]) -> float:
    """The share of sets that a function gives the right label, in percent, over all groupings together."""
    right = [predict(one) == one.labels for one in tests]
    return 100 * torch.cat(right).double().mean().item()


def mean_by(values: Mapping[tuple[int, ...], Sequence[float]], axis: int) -> list[float]:
    """Means of all that have one entry of their keys in common, by that entry, ascending."""
    groups: dict[int, list[float]] = {}
    for key, own in sorted(values.items()):
        groups.setdefault(key[axis], []).extend(own)
    return [sum(own) / len(own) for _, own in sorted(groups.items())]


def mean_of(values: Iterable[Sequence[float]]) -> float:
    """The mean of all entries of lists."""
    every = [value for own in values for value in own]
    return sum(every) / len(every)
