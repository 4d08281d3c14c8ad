"""Means of subspaces, which have to be near the whole of each: the flag mean and the flag median."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import integer, matmul, number
from lggkit.subspaces._given import dimension, subspaces


def flag_mean(x: Tensor | Sequence[Tensor], k: int, weights: Tensor | None = None) -> Tensor:
    """The k-dimensional subspace that maximises ``Σ_i w_i ‖X_iᵀ K‖²``, the sum of all cosines squared.

    Its basis are the first k left singular vectors of ``[√w_1 X_1, …, √w_r X_r]``. With l = 1 this is PCA
    without centring of vectors of length one.

    Args:
        x: r orthonormal bases (r, n, l), or a list of (n, l).
        k: its dimension, 1 to n.
        weights: (r,), >= 0; None is one each.

    Returns:
        An orthonormal basis (n, k), in the order of how much it explains.

    Raises:
        ValueError: the bases are of unequal sizes or not orthonormal, k does not fit, or there is another
            number of weights.
        TypeError: a tensor is none or not floating point, or k is no int.

    Source: Draper, Kirby, Marks, Marrinan, Peterson, "A flag representation for finite collections of
    subspaces of mixed dimensions" (2014).
    """
    x = subspaces(x)
    k = dimension(k, x.shape[1])
    if weights is not None:
        if weights.shape != x.shape[:1]:
            raise ValueError(f"weights have shape {tuple(weights.shape)}; give one for each of {len(x)} sets")
        x = x * weights.to(x).sqrt()[:, None, None]
    joined = x.transpose(0, 1).reshape(x.shape[1], -1)
    whole = k > min(joined.shape)
    return torch.linalg.svd(joined, full_matrices=whole).U[:, :k]


def flag_median(
    x: Tensor | Sequence[Tensor], k: int, iterations: int = 100, tolerance: float = 1e-7
) -> Tensor:
    """The k-dimensional subspace with the least sum of chordal distances ``Σ_i (Σ_j sin² θ_ij)^{1/2}``.

    Found from the flag mean by reweighting: the flag mean with weights of one over each distance, again and
    again. Unlike the mean, it is not drawn away by a few outliers. The maximum of equation (2) of article 5
    with c = min(l, k), which the article calls by this name, is another subspace; see `SchubertBestFit`.

    Args:
        x, k: as for `flag_mean`.
        iterations: the most, at least 1.
        tolerance: stop when the sum falls by no more than this share of it.

    Returns:
        An orthonormal basis (n, k).

    Raises:
        ValueError, TypeError: as for `flag_mean`.

    Source: Mankovich, King, Peterson, Kirby, "The flag median and FlagIRLS" (2022).
    """
    x, before = subspaces(x), None
    median = flag_mean(x, k)
    tolerance = number(tolerance, "tolerance")
    angles, least = min(k, x.shape[-1]), torch.finfo(x.dtype).eps ** 0.5
    for _ in range(integer(iterations, "iterations")):
        squares = (angles - matmul(x.mT, median).square().sum((-2, -1))).clamp(min=0)
        distances = squares.sqrt().clamp(min=least)
        total = distances.sum()
        if before is not None and before - total <= tolerance * total:
            break
        before, median = total, flag_mean(x, k, distances.reciprocal())
    return median
