"""What sections on stitching share: coordinates by a map's name, scores by what two encoders differ in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor

from lggkit.evaluation.stitching import stitched_scores
from lggkit.experiments.recipes.bilingual import Encoded, source
from lggkit.similarity import (
    Statistics,
    mean_reciprocal_rank,
    neighbour_jaccard,
    paired_cosine,
    relative_map,
)
from lggkit.training.vectors import VectorTraining, train_heads

RETRIEVED = 1000
"""Passages that look for themselves in another space."""
Names = Sequence[tuple[str, str]]
"""The language and the kind of each encoder, both languages of a kind side by side."""


def coordinates(
    name: str, latents: Tensor, anchors: Tensor, statistics: Statistics, own: Statistics | None = None
) -> Tensor:
    """Latents (e, n, d) by a map's name; ``own`` are statistics of the anchors, where they are not shared.

    The square root of the number of anchors divides where the name ends in ``scaled``.
    """
    if name == "absolute":
        return latents
    kind, _, scaled = name.partition("_")
    if kind == "centred":
        latents, anchors = latents - statistics.mean, anchors - statistics.mean
    if kind == "robust":
        latents, anchors = statistics.normalize(latents), (own or statistics).normalize(anchors)
    return relative_map(latents, anchors, root_scaled=bool(scaled))


def decoder_of(weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    """One of several stacked heads, (c, k) and (c, 1), as a function."""
    return lambda x: x @ weight.T + bias.mT


def relation(one: tuple[str, str], other: tuple[str, str]) -> str:
    """What two encoders differ in: ``own``, ``seed``, ``language``, ``kind`` or ``both``.

    Networks of two seeds are one kind.
    """
    if one == other:
        return "own"
    language, kind = one[0] != other[0], one[1].split()[0] != other[1].split()[0]
    return "both" if language and kind else "language" if language else "kind" if kind else "seed"


def kind_apart(one: tuple[str, str], other: tuple[str, str]) -> str:
    """What two networks, (kind, seed), differ in: ``own``, ``seed``, or ``kind``, whatever their seeds."""
    return "own" if one == other else "seed" if one[0] == other[0] else "kind"


def by_pair(
    scores: Tensor, names: Names, metric: str, differ: Callable[..., str] = relation
) -> dict[str, float]:
    """Means over pairs: with the own decoder, a foreign one, and by what the pair differs in."""
    by_relation: dict[str, list[float]] = {}
    for (i, one), (j, other) in product(enumerate(names), repeat=2):
        by_relation.setdefault(differ(one, other), []).append(scores[i, j].item())
        if i != j:
            by_relation.setdefault("stitched", []).append(scores[i, j].item())
    return {f"{metric}_{name}": sum(values) / len(values) for name, values in by_relation.items()}


def scored(
    scores: Mapping[str, Tensor], names: Names, differ: Callable[..., str] = relation
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """What a record keeps of scores by name: means over pairs as metrics, and all pairs as arrays."""
    metrics = {}
    for score, matrix in scores.items():
        metrics |= by_pair(matrix, names, score, differ)
    arrays = {score: matrix.float().numpy() for score, matrix in scores.items()}
    return metrics, arrays | {"names": np.array([" ".join(name) for name in names])}


def retrieval(test: Tensor, names: Names) -> dict[str, float]:
    """Whether passages find themselves in the space of another language, and of another view or seed."""
    other = relation(names[0], names[2])
    pairs = {"language": [(i, i + 1) for i in range(0, len(names), 2)], other: [(0, 2), (1, 3)]}
    places = torch.arange(0, test.shape[1], max(1, test.shape[1] // RETRIEVED))[:RETRIEVED]
    measures = {"mrr": mean_reciprocal_rank, "cosine": paired_cosine, "jaccard": neighbour_jaccard}
    return {
        f"{name}_{relation_}": sum(f(test[i, places], test[j, places]).item() for i, j in couples)
        / len(couples)
        for relation_, couples in pairs.items()
        for name, f in measures.items()
    }


def stitched(
    name: str, held: Encoded, anchors: int | Tensor, training: VectorTraining, seed: int
) -> tuple[dict[str, Tensor], Tensor]:
    """Scores of all pairs (decoders, encoders) by name, and the coordinates of what was tested.

    Args:
        name: of a map, as of `coordinates`; with ``_own`` anchors have their own statistics.
        held: the encoders.
        anchors: how many of the pool, its first ones, or their places.
        training: of the heads.
        seed: of the heads.
    """
    chosen = held.pool[:, :anchors] if isinstance(anchors, int) else held.pool[:, anchors]
    own, name = name.endswith("_own"), name.removesuffix("_own")
    statistics, other = Statistics.of(held.train), Statistics.of(chosen) if own else None
    train, test = (coordinates(name, x, chosen, statistics, other) for x in (held.train, held.test))
    heads = train_heads(train, held.train_labels, len(held.classes), training, source(seed, "heads"))
    decoders = [decoder_of(weight, bias) for weight, bias in zip(heads.weight, heads.bias, strict=True)]
    scores = stitched_scores(list(test), decoders, held.test_labels, len(held.classes), held.ordered)
    return scores, test


def sweep(
    maps: Sequence[str], variants: Sequence[tuple[Encoded, int | Tensor, VectorTraining]], seed: int
) -> dict[str, list[float]]:
    """Own and stitched accuracy of each map over variants of encoders, anchors and training."""
    accuracies: dict[str, list[float]] = {}
    for name, (encoders, anchors, training) in product(maps, variants):
        accuracy = stitched(name, encoders, anchors, training, seed)[0]["accuracy"]
        scores = by_pair(accuracy, encoders.names, "accuracy")
        for part in ("own", "stitched"):
            accuracies.setdefault(f"{part}_{name}", []).append(scores[f"accuracy_{part}"])
    return accuracies
