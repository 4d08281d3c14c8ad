"""The graph smoothness loss a pair: what random points give, the least there is, and its two forms."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from lggkit import graph
from lggkit.objectives.graph_smoothness import graph_smoothness


def random_pair_loss(d: int, alpha: float = 2.0, points: int = 100_000) -> float:
    """The mean of ``exp(-alpha ‖u - v‖)`` over independent uniform points u and v of the unit sphere in R^d.

    The angle θ between them has a density proportional to sin(θ)^(d-2), and their distance is 2 sin(θ/2); the
    integral is taken by the midpoint rule.

    Raises:
        ValueError: d is below 2.
    """
    if d < 2:
        raise ValueError(f"d is {d}; a sphere of points needs at least 2 dimensions")
    angles = (np.arange(points) + 0.5) * (np.pi / points)
    return float(np.average(np.exp(-2 * alpha * np.sin(angles / 2)), weights=np.sin(angles) ** (d - 2)))


def least_pair_loss(classes: int, alpha: float = 2.0) -> float:
    """The least mean edge weight over pairs of distinct classes of equal size, on the unit sphere.

    All pairs are joined, and there are ``classes - 1`` dimensions or more: every class can be a corner of a
    regular simplex.

    Raises:
        ValueError: there are fewer than two classes.
    """
    if classes < 2:
        raise ValueError(f"classes is {classes}; distances between classes need at least 2")
    return math.exp(-alpha * math.sqrt(2 * classes / (classes - 1)))


def pair_sum_violation(generator: torch.Generator, n: int = 100, d: int = 10, classes: int = 10) -> float:
    """Largest relative deviation of the loss from Σ_c s_cᵀ L s_c (paper 2, definition 1), in float64.

    On random outputs, for all pairs and few neighbours, and for several alpha.

    Raises:
        ValueError: no pair of samples has two classes, and there is nothing to compare with.
    """
    outputs = torch.randn(n, d, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (n,), generator=generator)
    deviations = []
    for k, alpha in ((None, 2.0), (5, 2.0), (20, 0.5), (None, 10.0)):
        trace = _trace(outputs, labels, classes, k, alpha)
        loss = graph_smoothness(outputs, labels, alpha=alpha, k=k)
        if not trace > 0:
            raise ValueError(f"the {n} samples of {classes} classes make no pair across classes; take more")
        deviations.append(float((loss - trace).abs() / trace))
    return max(deviations)


def _trace(outputs: Tensor, labels: Tensor, classes: int, k: int | None, alpha: float) -> Tensor:
    distances = torch.cdist(outputs, outputs, compute_mode="donot_use_mm_for_euclid_dist")
    joined = graph.symmetrize(graph.knn_mask(-distances, k))
    signals = graph.class_indicators(labels, classes, outputs.dtype)
    return torch.trace(signals.T @ graph.laplacian(torch.exp(-alpha * distances) * joined) @ signals)
