"""Laplacian eigenmaps: a place for every vertex (Belkin and Niyogi, 2003; paper 1, Figure 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import as_adjacency, integer, inverse_sqrt, least_degree
from lggkit.graph.laplacians import degree, laplacian
from lggkit.graph.signs import nonnegative

# The normalised Laplacian's eigenvalues end at 2: what is not to be chosen is lifted above.
ISOLATED, TRIVIAL = 3.0, 4.0


def laplacian_eigenmaps(a: Tensor, dim: int = 2) -> Tensor:
    """Coordinates for a drawing: Laplacian eigenmaps (Belkin and Niyogi, 2003; paper 1, Figure 2).

    The solutions of ``L y = λ D y`` with the smallest λ, the constant one left out. In a graph of several
    components only the constant over the *whole* graph is left out, so the first columns are constant on each
    component and tell the components apart (which basis of these, when there are more than two components, is
    the solver's choice); an isolated vertex lies at 0. Differentiable where the eigenvalues are simple. For
    figures: it waits for the device.

    Args:
        a: symmetric, non-negative adjacency with zero diagonal, (..., n, n).
        dim: number of coordinates, 1 <= dim < n.

    Returns:
        Coordinates (..., n, dim), scaled as scikit-learn's SpectralEmbedding, ``yᵀ D y = 1``; each column's
        largest entry is positive.

    Raises:
        ValueError: ``dim`` is out of range, ``a`` is not square, not symmetric, or has weights that are not
            finite or negative.
        TypeError: ``dim`` is no int, or ``a`` is neither floating point nor Boolean.
    """
    a = as_adjacency(a)
    n, dim = a.shape[-1], integer(dim, "dim")
    if dim >= n:
        raise ValueError(f"dim must be less than the number of vertices, {n}, got {dim}.")
    if not bool(a.isfinite().all()):
        raise ValueError(
            "The adjacency has weights that are not finite: look for NaN in the representations."
        )
    a = nonnegative(a, wait=True)
    check_symmetric(a)
    vectors = torch.linalg.eigh(_lifted(a)).eigenvectors[..., :dim]
    return with_sign(vectors * inverse_sqrt(degree(a)).unsqueeze(-1))


def _lifted(a: Tensor) -> Tensor:
    total = degree(a)
    constant = total.clamp(min=0).sqrt() * inverse_sqrt(total.sum(-1, keepdim=True))
    outer = constant.unsqueeze(-1) * constant.unsqueeze(-2)
    return (
        laplacian(a, normalized=True)
        + TRIVIAL * outer
        + ISOLATED * torch.diag_embed((total <= least_degree(a.dtype)).to(a.dtype))
    )


def check_symmetric(a: Tensor) -> None:
    """Raises ValueError where a finite adjacency (..., n, n) is not symmetric to rounding."""
    apart = (a - a.mT).detach().abs().sum((-2, -1))
    if not bool((apart <= 1e-4 * a.detach().abs().sum((-2, -1))).all()):
        raise ValueError("The adjacency is not symmetric: symmetrize it.")


def with_sign(columns: Tensor) -> Tensor:
    """Columns (..., n, c), each turned so that its largest entry is positive."""
    largest = columns.abs().argmax(-2, keepdim=True)
    return torch.where(columns.gather(-2, largest) < 0, -columns, columns)
