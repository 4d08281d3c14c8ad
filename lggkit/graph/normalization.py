"""Degrees and the symmetric normalisation: step 4 of a latent geometry graph (paper 1, section 3.3)."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph._precision import inverse_sqrt
from lggkit.graph.signs import nonnegative


def degree(a: Tensor) -> Tensor:
    """The degrees ``D_ii = Σ_j A_ij`` (paper 1, eq. 2).

    Args:
        a: adjacency (..., n, n); a Boolean mask counts as weights 0 and 1.

    Returns:
        Degrees (..., n).

    Raises:
        ValueError: ``a`` is not square, or has negative weights; these are seen on the CPU only, not in
            compiled code or under vmap, since elsewhere it would wait for the device.
        TypeError: ``a`` is neither floating point nor Boolean.
    """
    return nonnegative(a).sum(-1)


def normalize_adjacency(a: Tensor) -> Tensor:
    """``Â = D^(-1/2) A D^(-1/2)`` (paper 1, section 3.3, step 4).

    An isolated vertex has a zero row and column and zero gradient. So has one of degree below 5e-26 in
    float32 (8e-206 in float64), such as a far outlier under a Gaussian kernel: beyond that the gradient would
    overflow. A NaN weight makes its row, its column and all vertices that are joined to it NaN.

    Args:
        a: symmetric, non-negative adjacency (..., n, n).

    Returns:
        Â, shape (..., n, n); its eigenvalues lie in [-1, 1].

    Raises:
        ValueError, TypeError: as ``degree``.
    """
    return normalized_weights(nonnegative(a))


def normalized_weights(a: Tensor) -> Tensor:
    """``normalize_adjacency`` whatever the signs: a vertex of negative degree counts as isolated."""
    scale = inverse_sqrt(a.sum(-1))
    return a * (scale.unsqueeze(-1) * scale.unsqueeze(-2))
