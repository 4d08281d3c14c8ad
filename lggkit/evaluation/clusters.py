"""The shape of an embedding: clusters and spread of its classes, and what is left of its first distances.

All are deterministic and look at a bounded number of points.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from torch import Tensor

from lggkit.evaluation._arrays import directions, draw, labelled, rows
from lggkit.graph._precision import one_of

CORE = 10
PRINCIPAL = 3
WIDEST = 1e6


def clusters_per_class(
    embeddings: Tensor, labels: Tensor, *, per_class: int = 500, share: float = 0.1, seed: int = 0
) -> list[int]:
    """How many clusters each class forms: the dense groups that hold at least ``share`` of it, 1 at least.

    Each class is projected on its first three principal components, then HDBSCAN (Campello et al., 2013;
    scikit-learn) with a single cluster allowed and cores of 10 points. A group counts when it is denser than
    the gap that parts it from the rest of its class; its form is free, so that a ray is one cluster (k-means,
    whose silhouette or gap statistic chooses k, cuts it to pieces), and the few of a class that lie among
    other classes are noise, no clusters.

    The projection makes embeddings of different dimension comparable: in ten dimensions and more all
    distances of a group are about equal, and HDBSCAN alone finds one cluster whatever there is. Normal
    groups are told apart from about eight standard deviations between their centers on, in any dimension. A
    class needs some twenty points to show two.

    Args:
        embeddings: (n, d); Euclidean distance.
        labels: classes (n,).
        per_class: points of a class that are looked at, at most.
        share: of these, the least that a cluster holds.
        seed: of the draw of points.

    Returns:
        One number for each class that occurs, by label; the metric of this name is their mean.
    """
    x, y = labelled(embeddings, labels)
    parts = (x[y == label] for label in np.unique(y))
    return [_clusters(_principal(part[draw(len(part), per_class, seed)]), share) for part in parts]


def _principal(x: np.ndarray) -> np.ndarray:
    """The coordinates of points on the few directions in which they vary most."""
    centered = x - x.mean(0)
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    return centered @ directions[:PRINCIPAL].T


def _clusters(x: np.ndarray, share: float) -> int:
    from sklearn.cluster import HDBSCAN

    least = max(2, ceil(share * len(x)))
    if len(x) < 2 * least:
        return 1
    clustering = HDBSCAN(least, min_samples=min(CORE, len(x)), allow_single_cluster=True, copy=True).fit(x)
    return 1 + int(clustering.labels_.max())


def class_elongation(embeddings: Tensor, labels: Tensor) -> float:
    """How far the classes are lines rather than balls: the median over classes of a ratio, 1 for a ball.

    It is a class's largest over its smallest principal standard deviation (10⁶ where it is more), 1 for a
    class whose points coincide. Meant for two dimensions: in many, some direction is always empty.

    Args:
        embeddings: (n, d).
        labels: classes (n,).
    """
    x, y = labelled(embeddings, labels)
    return float(np.median([_elongation(x[y == label]) for label in np.unique(y)]))


def _elongation(x: np.ndarray) -> float:
    spread = np.linalg.svd(x - x.mean(0), compute_uv=False)
    return float(spread[0] / max(spread[-1], spread[0] / WIDEST)) if spread[0] > 0 else 1.0


def silhouette(
    embeddings: Tensor, labels: Tensor, *, metric: str = "euclidean", subset: int = 2000, seed: int = 0
) -> float:
    """Mean silhouette of the classes, -1 to 1 (Rousseeuw, 1987; scikit-learn).

    Args:
        embeddings: (n, d).
        labels: classes (n,).
        metric: ``"euclidean"`` or ``"cosine"``.
        subset: points that are looked at, at most.
        seed: of the draw of points.

    Raises:
        ValueError: there is only one class (scikit-learn's message), subset is below 1, or there is no such
            metric.
    """
    one_of(metric, ("euclidean", "cosine"), "metric")
    from scipy.spatial.distance import pdist, squareform
    from sklearn.metrics import silhouette_score

    x, y = labelled(embeddings, labels, subset, seed)
    if metric == "cosine":
        return float(silhouette_score(directions(x), y, metric="cosine"))
    # scikit-learn's own distances are by products, which cancel where clusters are far and tight.
    return float(silhouette_score(squareform(pdist(x)), y, metric="precomputed"))


def scatter_ratio(embeddings: Tensor, labels: Tensor, *, subset: int = 2000, seed: int = 0) -> float:
    """Mean distance between points of one class over that between points of two classes.

    0 where each class is a point, 1 where classes make no difference (also where all points coincide).

    Args:
        embeddings: (n, d).
        labels: classes (n,).
        subset: points that are looked at, at most.
        seed: of the draw of points.

    Raises:
        ValueError: there is only one class, no class has two points, or distances overflow float64.
    """
    from scipy.spatial.distance import pdist

    x, y = labelled(embeddings, labels, subset, seed)
    i, j = np.triu_indices(len(x), 1)
    within, distances = y[i] == y[j], pdist(x)
    if not 0 < within.sum() < len(within):
        raise ValueError(f"{len(x)} points of {len(set(y))} classes lack pairs within or between; give more")
    between = distances[~within].mean()
    if not distances.any():
        return 1.0
    if not 0 < between < np.inf:
        raise ValueError(f"the mean distance between classes is {between:g}; rescale the embeddings")
    return float(distances[within].mean() / between)


def initial_distance_correlation(
    before: Tensor, after: Tensor, *, subset: int = 1000, seed: int = 0
) -> float:
    """Spearman's rank correlation between the pairwise distances before and after training, -1 to 1.

    0 where all distances of one embedding are equal: nothing is left of an order.

    Args:
        before, after: embeddings of the same images in the same order, (n, d) and (n, d').
        subset: images that are looked at, at most.
        seed: of the draw of images.

    Raises:
        ValueError: the two differ in their number of images, or there are fewer than three.
    """
    from scipy.spatial.distance import pdist

    if len(before) != len(after) or len(before) < 3:
        raise ValueError(
            f"there are {len(before)} embeddings before and {len(after)} after; give as many, 3 up"
        )
    indices = draw(len(before), subset, seed)
    return rank_correlation(*(pdist(rows(x)[indices]) for x in (before, after))) or 0.0


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Spearman's rank correlation of two sequences, -1 to 1; None where one is constant and has no order.

    Raises:
        ValueError: they differ in length, are shorter than two, or hold what is not finite.
    """
    from scipy.stats import spearmanr

    values = np.array([x, y], dtype=float) if len(x) == len(y) else np.empty((2, 0))
    if values.shape[1] < 2 or not np.isfinite(values).all():
        raise ValueError(f"there are {len(x)} and {len(y)} values; give as many, 2 up, all finite")
    return float(spearmanr(*values).statistic) if np.ptp(values, axis=1).all() else None
