"""Relational knowledge distillation by distances, RKD-D: the method that paper 1 compares itself with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.graph._squares import squared_distances
from lggkit.graph.distances import root, vertices
from lggkit.objectives.pairs import Latents, paired

MEANS = ("all", "positive")


def rkd_distance(student: Latents, teacher: Latents, *, mean_over: str = "all") -> Tensor:
    """``1/|Λ| Σ_{l ∈ Λ} mean_ij h(d_S^l(i, j) / μ_S^l - d_T^l(i, j) / μ_T^l)``, RKD-D.

    ``d(i, j)`` is the Euclidean distance of two samples' latents, ``μ`` the mean of a batch's distances, and
    h the smooth L1 (Huber) function with threshold 1. The outer mean is over all n² ordered pairs, the zero
    diagonal included, as in Park et al.'s code; that of paper 1 leaves out pairs at distance 0 and so weighs
    n/(n - 1) times as much. A batch whose samples all coincide has distances 0.

    Args:
        student, teacher: latents (n, ...) of the same batch, layer by layer, see `paired`; no gradient
            reaches the teacher.
        mean_over: the pairs that μ counts: ``"all"`` n(n - 1) of distinct samples, as Park et al. define it,
            or those at a ``"positive"`` distance, as both codes have it. It matters where samples coincide,
            and the second jumps where they part.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit, see `paired`, or ``mean_over`` is none of these.
        TypeError: latents are no tensors or not floating point.

    Source: Park, Kim, Lu, Cho, "Relational knowledge distillation" (2019), eq. 4-6; paper 1, section 4.1.
    """
    pairs = paired(student, teacher, in_order=False)
    losses = [F.smooth_l1_loss(*(relative_distance(x, mean_over) for x in pair)) for pair in pairs]
    return sum(losses) / len(losses)


def relative_distance(x: Tensor, mean_over: str = "all") -> Tensor:
    """Distances of all pairs in units of their mean over the pairs of distinct samples.

    Args:
        x: floating point (n, d).
        mean_over: ``"all"`` such pairs, or those at a ``"positive"`` distance.

    Returns:
        Distances >= 0 without unit, (n, n), zero diagonal.

    Raises:
        ValueError: ``mean_over`` is neither, or ``x`` has another shape.
        TypeError: ``x`` is no tensor or not floating point.
    """
    if mean_over not in MEANS:
        raise ValueError(f"mean_over is {mean_over!r}; choose one of {', '.join(MEANS)}")
    x = vertices(x)
    distance = root(squared_distances(x))
    n, total = x.shape[-2], distance.sum((-2, -1), keepdim=True)
    pairs = n * (n - 1) if mean_over == "all" else (distance > 0).sum((-2, -1), keepdim=True)
    nothing = total == 0
    return torch.where(nothing, 0.0, distance * (pairs / torch.where(nothing, 1.0, total))).to(x.dtype)
