"""The graph smoothness loss: outputs of distinct classes shall be no neighbours (paper 2, section 3.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lggkit.graph import knn_mask, symmetrize
from lggkit.graph._precision import widest
from lggkit.graph.classes import labelled
from lggkit.graph.distances import vertices

REDUCTIONS = ("sum", "mean")


def graph_smoothness(
    outputs: Tensor, labels: Tensor, *, alpha: float = 2.0, k: int | None = None, reduction: str = "sum"
) -> Tensor:
    """``Σ_{i,j: y_i ≠ y_j, W_ij ≠ 0} exp(-α ‖f_i - f_j‖)`` over ordered pairs, the labels' variation on W.

    W joins each sample with its ``k`` nearest by Euclidean distance and has the weights
    ``W_ij = exp(-α ‖f_i - f_j‖)``. The loss equals ``Σ_c s_cᵀ L s_c`` for its Laplacian L and the class
    indicators s_c. The paper does not say how the nearest neighbours are made symmetric: an edge is kept
    where either end has it. Nothing pulls samples of one class together. The graph is chosen anew at every
    call and is constant under differentiation.

    Nothing holds outputs together: normalise them first (the paper: to unit length), or they are scattered
    without end. Samples that coincide have weight 1 and push each other in no direction. The nearer a pair,
    the harder its push, up to α at distance 0, so distances are taken from differences, in float64. That
    costs n² d operations without a matrix product and, for the gradient on CUDA, as many numbers of memory.

    Args:
        outputs: f, floating point (..., n, d); leading dimensions are independent batches.
        labels: y, integers (..., n).
        alpha: α > 0, per unit of distance.
        k: neighbours a sample, at least 1; None and k >= n are all pairs.
        reduction: ``"sum"`` is the paper's and grows with n²; ``"mean"`` divides by the number of ordered
            pairs of distinct classes, joined or not, so that it lies in [0, 1] (0 where there are none).

    Returns:
        The loss (...), a scalar for one batch, >= 0, in float32 (float64 for outputs in float64).

    Raises:
        ValueError: ``alpha`` is not positive and finite, k < 1, ``reduction`` is none of these, or there is
            not one label a sample.
        TypeError: ``outputs`` are not floating point, ``labels`` no integers, or ``k`` no int.

    Source: Bontonou et al., "Introducing graph smoothness loss for training deep learning architectures"
    (2019), Definition 1; paper 1, section 4.2.
    """
    if not (math.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha is {alpha!r}; give a positive number.")
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(REDUCTIONS)}.")
    outputs = vertices(outputs)
    # float32's squares would leave its range at distances of 1e-20 and 1e19.
    wide = outputs.to(widest(outputs))
    distances = torch.cdist(wide, wide, compute_mode="donot_use_mm_for_euclid_dist")
    distinct = labelled(distances, labels)
    pairs = symmetrize(knn_mask(-distances, k)) & distinct
    total = torch.where(pairs, torch.exp(-alpha * distances), 0.0).sum((-2, -1))
    total = total.to(outputs.dtype)
    return total if reduction == "sum" else total / distinct.sum((-2, -1)).clamp(min=1)
