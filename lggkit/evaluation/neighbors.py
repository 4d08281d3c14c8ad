"""How neighbours classify: the k-NN error of latents, by scikit-learn, and networks that answer so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.data.checks import as_integer
from lggkit.evaluation._arrays import classes, directions, rows
from lggkit.evaluation.accuracy import error_rate, evaluating
from lggkit.graph._precision import one_of
from lggkit.latents import latents

NEAR = 1e-6


def neighbor_error(
    base: Tensor, base_labels: Tensor, queries: Tensor, labels: Tensor, k: int, metric: str = "cosine"
) -> float:
    """Percentage of ``queries`` that a majority vote among their ``k`` nearest ``base`` latents gets wrong.

    Args:
        base, queries: latents (n, d...), flattened here.
        base_labels, labels: their classes, (n,).
        metric: ``"cosine"``, as in the graphs, or ``"euclidean"``.

    Raises:
        ValueError: k is not between 1 and the size of the base (scikit-learn's message), base and queries
            differ in width, or there is no such metric.
        TypeError: latents or labels are no tensors, or k or labels no integers.
    """
    voted = neighbor_classes(base, base_labels, queries, k, metric)
    return error_rate(voted, torch.from_numpy(classes(labels)))


def neighbor_classes(
    base: Tensor, base_labels: Tensor, queries: Tensor, k: int, metric: str = "cosine"
) -> Tensor:
    """The classes (n,) of the vote of `neighbor_error`, on the CPU; of equal votes the first class wins."""
    from sklearn.neighbors import KNeighborsClassifier

    one_of(metric, ("cosine", "euclidean"), "metric")
    known, asked, y, k = rows(base), rows(queries), classes(base_labels), as_integer("k", k, 1)
    if known.shape[1] != asked.shape[1]:
        raise ValueError(
            f"the base has {known.shape[1]} features and queries {asked.shape[1]}; give the same"
        )
    voters = partial(KNeighborsClassifier, n_neighbors=k, metric=metric)
    if metric == "cosine":
        known, asked = directions(known), directions(asked)
        return torch.from_numpy(voters(algorithm="brute").fit(known, y).predict(asked))
    middle = np.median(known, axis=0).astype(np.float64)
    known, asked = known - middle, asked - middle
    classifier = voters(algorithm="brute").fit(known, y)
    voted, near = classifier.predict(asked), _near(classifier, known, asked)
    if near.any():
        voted[near] = voters(algorithm="kd_tree").fit(known, y).predict(asked[near])
    return torch.from_numpy(voted)


def _near(classifier: Any, known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Which queries have neighbours too near for brute force, which takes distances by products.

    A k-th neighbour's squared distance is compared with the rounding of the squared norms it comes from.
    """
    distances, places = classifier.kneighbors(asked)
    norms = (asked**2).sum(1) + (known**2).sum(1)[places].max(1)
    return distances[:, -1] ** 2 <= NEAR * norms


def neighbor_errors(
    model: nn.Module, base: DataSet, queries: DataSet, depths: Sequence[str], k: int
) -> dict[str, float]:
    """`neighbor_error` of a network at several depths, in percent; one depth is in memory at a time."""
    errors = {}
    for depth in depths:
        known, asked = (latents_at(model, data.images, depth) for data in (base, queries))
        errors[depth] = neighbor_error(known, base.labels, asked, queries.labels, k)
    return errors


@torch.no_grad()
def latents_at(model: nn.Module, images: Tensor, depth: str, chunk: int = 500) -> Tensor:
    """The latents of uint8 images (n, c, h, w) at one depth, (n, d) on the CPU; evaluation mode and back.

    The model takes images in [0, 1]; ``depth`` is a name for `lggkit.latents`, ``chunk`` images go at once,
    to the model's device, in channels_last, the faster layout for convolutions.
    """
    device = next((p.device for p in model.parameters()), images.device)
    parts = (to_float(part.to(device)) for part in images.split(chunk))
    batches = (part.contiguous(memory_format=torch.channels_last) for part in parts)
    with evaluating(model):
        per_batch = (latents(model, batch, [depth])[depth] for batch in batches)
        return torch.cat([part.flatten(1).cpu() for part in per_batch])


@dataclass(frozen=True)
class NeighborVote:
    """Images (n, c, h, w), uint8, embedded by ``embed`` (n, d) among ``base`` (m, d) with ``labels`` (m,)."""

    embed: Callable[[Tensor], Tensor]
    base: Tensor
    labels: Tensor

    def of(self, places: Tensor, k: int) -> Tensor:
        """Classes (n,) of embeddings (n, d), by their k nearest of the base in Euclidean distance."""
        return neighbor_classes(self.base, self.labels, places, k, metric="euclidean")

    def of_images(self, images: Tensor, k: int) -> Tensor:
        """Classes (n,) of images."""
        return self.of(self.embed(images), k)
