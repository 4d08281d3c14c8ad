"""How easily neighbours classify at a depth: the k-NN error of latents, by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.evaluation.accuracy import evaluating
from lggkit.latents import latents


def neighbor_error(base: Tensor, base_labels: Tensor, queries: Tensor, labels: Tensor, k: int) -> float:
    """Percentage of ``queries`` that a majority vote among their ``k`` nearest ``base`` latents gets wrong.

    Args:
        base, queries: latents (n, d...), flattened here; cosine distance, as in the graphs.
        base_labels, labels: their classes, (n,).

    Raises:
        ValueError: k is not between 1 and the size of the base (scikit-learn's message).
    """
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(n_neighbors=k, metric="cosine", algorithm="brute")
    classifier.fit(base.flatten(1).cpu().numpy(), base_labels.cpu().numpy())
    accuracy = classifier.score(queries.flatten(1).cpu().numpy(), labels.cpu().numpy())
    return 100 * (1 - float(accuracy))


def neighbor_errors(
    model: nn.Module, base: DataSet, queries: DataSet, depths: Sequence[str], k: int
) -> dict[str, float]:
    """`neighbor_error` of a network at several depths, in percent; one depth is in memory at a time."""
    errors = {}
    for depth in depths:
        held, asked = (latents_at(model, data.images, depth) for data in (base, queries))
        errors[depth] = neighbor_error(held, base.labels, asked, queries.labels, k)
    return errors


@torch.no_grad()
def latents_at(model: nn.Module, images: Tensor, depth: str, chunk: int = 500) -> Tensor:
    """The latents of uint8 images (n, c, h, w) at one depth, (n, d) on the CPU; evaluation mode and back.

    The model takes images in [0, 1]; ``depth`` is a name for `lggkit.latents`, ``chunk`` images go at once.
    """
    with evaluating(model):
        found = (latents(model, to_float(part), [depth])[depth] for part in images.split(chunk))
        return torch.cat([part.flatten(1).cpu() for part in found])
