"""Fiedler cuts: a graph in two parts by the sign of one eigenvector, also where edges are negative.

Where all weights are >= 0, the constant vector is the bottom eigenvector of ``L = D - A`` and the second one
is the minimiser of ``vᵀ L v`` over unit vectors that are orthogonal to it (Fiedler, 1973). With negative
weights the second smallest eigenvalue may belong to the constant vector itself, and the cut by it is no cut.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import as_adjacency, one_of, tensor
from lggkit.graph.eigenmaps import check_symmetric, with_sign

FIEDLER_RULES = ("corrected", "as_published")


def fiedler_vector(a: Tensor, rule: str = "corrected") -> tuple[Tensor, Tensor]:
    """The Fiedler value and vector: ``v = argmin vᵀ L v`` over unit v with ``v ⊥ 1``, of ``L = D - A``.

    The same v, for any constant c, of the weights ``A + c``: a shift that makes all of them >= 0 corrects the
    published rule likewise. It waits for the device on CUDA. Differentiable where the value is simple.

    Args:
        a: symmetric weights of any sign (..., n, n), n >= 2; the diagonal does not matter.
        rule: ``"corrected"``, or ``"as_published"``: the second of all eigenvectors of L by eigenvalue
            (article 6, Algorithm 1), the same where no weight is negative.

    Returns:
        The value (...) and the vector (..., n), whose largest entry is positive.

    Raises:
        ValueError: ``a`` is not square, has one vertex, is not finite or not symmetric, or the rule is
            neither.
        TypeError: ``a`` is no tensor, or neither floating point nor Boolean.
    """
    one_of(rule, FIEDLER_RULES, "The rule")
    a = _checked(as_adjacency(a))
    own = torch.diag_embed(torch.diagonal(a, dim1=-2, dim2=-1))
    weights = (a + a.mT) / 2 - own
    laplacian = torch.diag_embed(weights.sum(-1)) - weights
    place = 1
    if rule == "corrected":
        laplacian, place = laplacian + _lift(weights), 0
    values, vectors = torch.linalg.eigh(laplacian)
    return values[..., place], with_sign(vectors[..., place, None])[..., 0]


def fiedler_cut(a: Tensor, rule: str = "corrected") -> Tensor:
    """Which side of the cut each vertex is on: ``v >= 0`` of `fiedler_vector`.

    Args:
        a, rule: as for `fiedler_vector`.

    Returns:
        bool (..., n).

    Raises:
        ValueError, TypeError: as `fiedler_vector`.
    """
    return fiedler_vector(a, rule)[1] >= 0


def cut_accuracy(cut: Tensor, labels: Tensor, balanced: bool = True) -> Tensor:
    """The share of vertices on their class's side, under the better of the two assignments of sides.

    Args:
        cut: bool (..., n).
        labels: which of two classes, bool (..., n).
        balanced: the mean of the shares of the two classes, so that their sizes do not matter; a class
            without vertices counts as half right.

    Returns:
        Shares in [1/2, 1], (...), float64. Labels that have nothing to do with the cut give more than 1/2
        too, because the better assignment is taken: compare with permuted labels.

    Raises:
        ValueError: the shapes do not fit.
        TypeError: a side is no Boolean tensor.
    """
    for name, side in (("cut", cut), ("labels", labels)):
        if tensor(side, name).dtype != torch.bool:
            raise TypeError(f"{name} is {side.dtype}; give truth values, as of labels == 1.")
    if cut.shape[-1:] != labels.shape[-1:] or not cut.ndim:
        raise ValueError(f"cut has shape {tuple(cut.shape)} and labels {tuple(labels.shape)}; give (..., n).")
    right, everyone = cut == labels, torch.ones_like(labels)
    classes = (labels, ~labels) if balanced else (everyone,)
    share = torch.stack([_share(right, members) for members in classes]).mean(0)
    return torch.maximum(share, 1 - share)


def _share(right: Tensor, members: Tensor) -> Tensor:
    count = members.sum(-1).double()
    return torch.where(count > 0, (right & members).sum(-1) / count.clamp(min=1), 0.5)


def _lift(weights: Tensor) -> Tensor:
    """What lifts the constant vector above every eigenvalue of L, which are at most twice the degrees."""
    most = 4 * weights.detach().abs().sum(-1).amax(-1)
    most, n = torch.where(most > 0, most, 1.0), weights.shape[-1]
    return most[..., None, None] * torch.full_like(weights, 1 / n)


def _checked(a: Tensor) -> Tensor:
    if a.shape[-1] < 2:
        raise ValueError("A graph of one vertex has no cut; give at least two.")
    if not bool(a.isfinite().all()):
        raise ValueError("The adjacency has weights that are not finite: take those vertices out.")
    check_symmetric(a)
    return a
