"""From representations to a latent geometry graph (paper 1, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph import similarities
from lggkit.graph._precision import integer, matmul, one_of, tensor
from lggkit.graph.laplacians import normalized_weights
from lggkit.graph.neighbors import SYMMETRIZATIONS, knn_mask, off_diagonal, symmetrize
from lggkit.graph.signs import NEGATIVES, without_negatives

ORDERS = ("mask-first", "normalize-first")


def latent_geometry_graph(
    x: Tensor,
    k: int | None = None,
    similarity: str | similarities.Similarity = "cosine",
    bandwidth: float | Tensor | str | None = None,
    symmetrization: str | None = "or",
    normalized: bool = True,
    order: str = "mask-first",
    exponent: int = 1,
    mask: Tensor | None = None,
    negative: str = "zero",
) -> Tensor:
    """The latent geometry graph of a batch of representations (paper 1, section 3.3).

    The paper's order, ``"mask-first"``: similarity, k nearest neighbours, symmetrise, normalise, exponent.
    That of the authors' code, ``"normalize-first"``: similarity of all pairs, normalise, mask by the k
    largest entries of each row of the result or by ``mask``, symmetrise the mask, exponent.

    Only the weights are differentiated, the mask is constant. NaN in a row reaches all its edges, and what
    these touch when normalised.

    Args:
        x: floating point (..., n, d), n >= 1 samples as rows; feature maps go through ``flatten`` first.
        k: neighbours a vertex, at least 1; None and k >= n are the full graph.
        similarity: ``"cosine"``, ``"rbf"`` or a function, see ``similarity``.
        bandwidth: for ``"rbf"`` only, in the unit of ``x``, see ``rbf_similarity``.
        symmetrization: ``"or"``, ``"and"`` or ``"mean"``, see ``symmetrize``; it acts on the mask, and None
            leaves the mask as it is.
        normalized: take ``D^(-1/2) A D^(-1/2)``, D being the degrees at that step; see
            ``normalize_adjacency``.
        order: ``"mask-first"`` or ``"normalize-first"``.
        exponent: the *matrix* power p >= 1 of the (normalised) adjacency, as in the authors' code.
        mask: bool (..., n, n), true where an edge may be, instead of ``k``: another graph's (a teacher's
            ``knn_mask``) or a ``class_mask``.
        negative: what becomes of negative similarities, such as cosines of latents that no ReLU has left.
            With ``"zero"`` they are no edges and have no gradient. With ``"keep"``, as in the authors' code,
            they are weights: a vertex's degree can be near 0 or below, which isolates it, and normalised
            weights and gradients are huge; the functions on adjacencies refuse such graphs.

    Returns:
        The adjacency (..., n, n), ``[[0]]`` for n = 1. If normalised and symmetric, its weights lie in [0, 1]
        to rounding where none is negative. The diagonal is zero, except for exponent > 1: walks that return.

    Raises:
        ValueError: both ``k`` and ``mask`` are given, an argument is none of the above, or a shape does not
            fit.
        TypeError: ``x`` is no tensor or not floating point, ``mask`` not Boolean, ``k`` or ``exponent`` no
            int.
    """
    _check(order, symmetrization, k, mask)
    one_of(negative, NEGATIVES, "negative")
    exponent = integer(exponent, "exponent")
    weights = without_negatives(similarities.similarity(x, similarity, bandwidth), negative)
    if order == "mask-first":
        return _power(_normalize(_masked(weights, k, mask, symmetrization), normalized), exponent)
    complete = _normalize(_masked(weights, None, None, None), normalized)
    return _power(_masked(complete, k, mask, symmetrization), exponent)


def _check(order: str, symmetrization: str | None, k: int | None, mask: Tensor | None) -> None:
    one_of(order, ORDERS, "The order")
    if symmetrization is not None:
        one_of(symmetrization, SYMMETRIZATIONS, "The symmetrization")
    if mask is not None and k is not None:
        raise ValueError(f"Give either k or mask, got k={k} and a mask: combine masks with & beforehand.")
    if mask is not None and tensor(mask, "The mask").dtype != torch.bool:
        raise TypeError(f"The mask must be Boolean, got {mask.dtype}.")


def _masked(weights: Tensor, k: int | None, mask: Tensor | None, symmetrization: str | None) -> Tensor:
    allowed = knn_mask(weights, k) if mask is None else _own(mask, weights)
    if symmetrization is not None:
        allowed = symmetrize(allowed, symmetrization)
    if allowed.dtype == torch.bool:
        return torch.where(allowed, weights, 0.0)
    return torch.where(allowed > 0, weights * allowed, 0.0)


def _own(mask: Tensor, weights: Tensor) -> Tensor:
    n = weights.shape[-1]
    if mask.shape[-2:] != (n, n):
        raise ValueError(
            f"The mask of {n} vertices must have shape (..., {n}, {n}), got {tuple(mask.shape)}."
        )
    return mask & off_diagonal(n, mask.device)


def _normalize(weights: Tensor, normalized: bool) -> Tensor:
    return normalized_weights(weights) if normalized else weights


def _power(weights: Tensor, exponent: int) -> Tensor:
    result = weights
    for _ in range(exponent - 1):
        result = matmul(result, weights)
    return result
