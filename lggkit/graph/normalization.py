"""Degrees and the symmetric normalisation: step 4 of a latent geometry graph (paper 1, section 3.3)."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph._precision import as_adjacency, inverse_sqrt


def degree(a: Tensor) -> Tensor:
    """D_ii = Σ_j A_ij, shape (..., n) (paper 1, eq. 2)."""
    return as_adjacency(a).sum(-1)


def normalize_adjacency(a: Tensor) -> Tensor:
    """Â = D^(-1/2) A D^(-1/2), shape (..., n, n) (paper 1, section 3.3, step 4).

    An isolated vertex has a zero row and column and zero gradient. So has a vertex whose degree is negative,
    which only negative weights can cause (cosine of data with negative entries): D^(-1/2) does not exist
    there. For non-negative `a` the eigenvalues lie in [-1, 1]. A NaN weight makes its row, its column and all
    vertices that are joined to it NaN.
    """
    a = as_adjacency(a)
    scale = inverse_sqrt(degree(a))
    return a * (scale.unsqueeze(-1) * scale.unsqueeze(-2))
