"""Nearest neighbours and symmetry: steps 2 and 3 of a latent geometry graph (paper 1, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import as_adjacency, integer, one_of

SYMMETRIZATIONS = ("or", "and", "mean")


def off_diagonal(n: int, device: torch.device) -> Tensor:
    """The mask of the full graph, (n, n): every pair but a vertex with itself."""
    return ~torch.eye(n, dtype=torch.bool, device=device)


def knn_mask(similarity: Tensor, k: int | None) -> Tensor:
    """Who is among whose k nearest neighbours (paper 1, section 3.3, step 2).

    Each row has exactly min(k, n - 1) neighbours; a vertex is never its own. Among equal similarities the
    lower index wins, on every device. NaN counts as the largest similarity, so that it reaches the graph and
    is not hidden. Constant under differentiation.

    Args:
        similarity: (..., n, n), larger is nearer.
        k: neighbours a vertex, at least 1; None and k >= n give the full graph.

    Returns:
        The mask, bool (..., n, n): entry (i, j) is true where j is one of i's neighbours.

    Raises:
        ValueError: k < 1, or ``similarity`` is not square.
        TypeError: ``k`` is no int, or ``similarity`` is neither floating point nor Boolean.
    """
    similarity = as_adjacency(similarity).detach()
    n = similarity.shape[-1]
    others = off_diagonal(n, similarity.device)
    k = n if k is None else integer(k, "k")
    if k >= n - 1:
        return others.expand(similarity.shape).clone()
    ranked = torch.where(similarity.isnan(), torch.inf, similarity).masked_fill(~others, -torch.inf)
    kth = ranked.topk(k, dim=-1).values[..., -1:]
    nearer = ranked > kth
    # topk breaks ties as it likes: take the remaining places in the order of the indices.
    tied = (ranked == kth) & others
    return nearer | (tied & (tied.cumsum(-1) <= k - nearer.sum(-1, keepdim=True)))


def symmetrize(a: Tensor, mode: str = "or") -> Tensor:
    """Make a mask or an adjacency symmetric (paper 1, section 3.3, step 3).

    Args:
        a: mask or adjacency (..., n, n); zero means "no edge".
        mode: ``"or"`` (the paper's) keeps an edge that exists in either direction, ``"and"`` in both; the
            weight is the mean of the existing directions. ``"mean"`` is ``(a + aᵀ) / 2``, so that an edge in
            one direction counts half.

    Returns:
        The same shape; a Boolean mask stays Boolean with "or" and "and", and becomes float32 with "mean".

    Raises:
        ValueError: ``mode`` is none of these, or weights are not square.
        TypeError: ``a`` is neither floating point nor Boolean.
    """
    one_of(mode, SYMMETRIZATIONS, "The symmetrization")
    mask, a = a, as_adjacency(a)
    if mask.dtype == torch.bool and mode != "mean":
        return (mask | mask.mT) if mode == "or" else (mask & mask.mT)
    if mode == "mean":
        return (a + a.mT) / 2
    directions = (a != 0).to(a.dtype) + (a.mT != 0)
    if mode == "and":
        return torch.where(directions < 2, 0.0, (a + a.mT) / 2)
    return (a + a.mT) / directions.clamp(min=1)
