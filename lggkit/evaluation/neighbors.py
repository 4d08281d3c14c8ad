"""How easily neighbours classify at a depth: the k-NN error of latents, by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.evaluation._arrays import rows
from lggkit.evaluation.accuracy import error_rate, evaluating
from lggkit.latents import latents


def neighbor_error(
    base: Tensor, base_labels: Tensor, queries: Tensor, labels: Tensor, k: int, metric: str = "cosine"
) -> float:
    """Percentage of ``queries`` that a majority vote among their ``k`` nearest ``base`` latents gets wrong.

    Args:
        base, queries: latents (n, d...), flattened here.
        base_labels, labels: their classes, (n,).
        metric: ``"cosine"``, as in the graphs, or ``"euclidean"``.

    Raises:
        ValueError: k is not between 1 and the size of the base (scikit-learn's message).
    """
    return error_rate(neighbor_classes(base, base_labels, queries, k, metric), labels.cpu())


def neighbor_classes(
    base: Tensor, base_labels: Tensor, queries: Tensor, k: int, metric: str = "cosine"
) -> Tensor:
    """The classes (n,) of the vote of `neighbor_error`, on the CPU; of equal votes the first class wins."""
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(n_neighbors=k, metric=metric, algorithm="brute")
    classifier.fit(rows(base), base_labels.cpu().numpy())
    return torch.from_numpy(classifier.predict(rows(queries)))


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

    The model takes images in [0, 1]; ``depth`` is a name for `lggkit.latents`, ``chunk`` images go at once,
    to the model's device, in channels_last, the faster layout for convolutions.
    """
    device = next((p.device for p in model.parameters()), images.device)
    parts = (to_float(part.to(device)) for part in images.split(chunk))
    batches = (part.contiguous(memory_format=torch.channels_last) for part in parts)
    with evaluating(model):
        found = (latents(model, batch, [depth])[depth] for batch in batches)
        return torch.cat([part.flatten(1).cpu() for part in found])
