"""Relational knowledge distillation by distances, RKD-D: the method that paper 1 compares itself with."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from lggkit.graph import pairwise_distance
from lggkit.objectives.pairs import Latents, paired


def rkd_distance(student: Latents, teacher: Latents) -> Tensor:
    """``1/|Λ| Σ_{l ∈ Λ} mean_ij h(d_S^l(i, j) / μ_S^l - d_T^l(i, j) / μ_T^l)``, RKD-D.

    ``d(i, j)`` is the Euclidean distance of two samples' latents, ``μ`` the mean of a batch's positive
    distances, and h the smooth L1 (Huber) function with threshold 1. The mean is over all n² ordered pairs,
    the zero diagonal included, as in Park et al.'s code; that of paper 1 leaves out pairs at distance 0 and
    so weighs n/(n - 1) times as much. A batch whose samples all coincide has distances 0.

    Args:
        student, teacher: latents (n, ...) of the same batch, layer by layer, see `paired`; no gradient
            reaches the teacher.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit, see `paired`.
        TypeError: latents are not floating point.

    Source: Park, Kim, Lu, Cho, "Relational knowledge distillation" (2019), eq. 4-6; paper 1, section 4.1.
    """
    pairs = paired(student, teacher, in_order=False)
    losses = [F.smooth_l1_loss(relative_distance(s), relative_distance(t)) for s, t in pairs]
    return sum(losses) / len(losses)


def relative_distance(x: Tensor) -> Tensor:
    """Distances of all pairs in units of their mean over the pairs that differ.

    Args:
        x: floating point (n, d).

    Returns:
        Distances >= 0 without unit, (n, n), zero diagonal.
    """
    distance = pairwise_distance(x)
    return distance * ((distance > 0).sum() / distance.sum().clamp_min(1e-12))
