"""Graph Laplacians and their powers (paper 1, definition 5)."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, inverse_sqrt, least_degree, matmul, tensor
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


def laplacian(a: Tensor, normalized: bool = False) -> Tensor:
    """The combinatorial Laplacian ``L = D - A`` (paper 1, definition 5), or the normalised one.

    Args:
        a: symmetric, non-negative adjacency (..., n, n).
        normalized: take ``L = I - D^(-1/2) A D^(-1/2)``.

    Returns:
        L, shape (..., n, n), positive semi-definite. The row of an isolated vertex is zero in both (the
        normalised one has 0 and not 1 on the diagonal there, as in scipy).

    Raises:
        ValueError: ``a`` is not square, or has negative weights (where they are seen, see ``degree``).
        TypeError: ``a`` is neither floating point nor Boolean.
    """
    diagonal, weights = _parts(nonnegative(a), normalized)
    return torch.diag_embed(diagonal) - weights


def laplacian_power_product(a: Tensor, signal: Tensor, power: int, normalized: bool = False) -> Tensor:
    """``L^power S``, by ``power`` products with the signals S: neither L nor L^power is formed.

    Args:
        a: symmetric, non-negative adjacency (..., n, n).
        signal: S, floating point (..., n, s); its leading dimensions and those of ``a`` broadcast.
        power: at least 0, which returns the signal.
        normalized: take the normalised Laplacian, see ``laplacian``.

    Returns:
        The product, shape (..., n, s).

    Raises:
        ValueError: ``power`` is negative, the signal has another length, ``a`` is not square or has negative
            weights (where they are seen, see ``degree``).
        TypeError: ``power`` is no int, ``signal`` is not floating point, or ``a`` neither that nor Boolean.
    """
    return power_product(nonnegative(a), signal, power, normalized)


def power_product(a: Tensor, signal: Tensor, power: int, normalized: bool) -> Tensor:
    """``laplacian_power_product`` whatever the signs of the weights."""
    signal, power = _signal(signal, a.shape[-1]), integer(power, "power", 0)
    diagonal, weights = _parts(a, normalized)
    for _ in range(power):
        signal = diagonal.unsqueeze(-1) * signal - matmul(weights, signal)
    return signal


def _parts(a: Tensor, normalized: bool) -> tuple[Tensor, Tensor]:
    """L as (diagonal, what is subtracted from it)."""
    total = a.sum(-1)
    if not normalized:
        return total, a
    return (total > least_degree(a.dtype)).to(a.dtype), normalized_weights(a)


def _signal(signal: Tensor, n: int) -> Tensor:
    if tensor(signal, "The signal").ndim < 2 or signal.shape[-2] != n:
        raise ValueError(f"Signals on {n} vertices must have shape (..., {n}, s), got {tuple(signal.shape)}.")
    return accumulating(signal, "The signal")
