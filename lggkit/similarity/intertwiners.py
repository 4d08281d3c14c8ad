"""Intertwiners of an activation: matrices that pass through it and come out as matrices."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, matmul


def intertwiner_residual(matrix: Tensor, activation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``min_B ‖σ(x Aᵀ) - σ(x) Bᵀ‖ / ‖σ(x Aᵀ)‖``: how far a matrix is from being an intertwiner on samples.

    Args:
        matrix: A, floating point (d, d).
        activation: σ, entry by entry.
        x: samples (n, d); with n much larger than d, so that 0 is no accident.

    Returns:
        A scalar in [0, 1]; 0 for members of the group ``G_σ = {A : σ∘A = B∘σ for some B}``.

    Raises:
        ValueError: shapes do not fit together, or there are fewer samples than features.
        TypeError: a tensor is not floating point.

    Source: Godfrey et al., "On the symmetries of deep learning models and their internal representations"
    (2022), Definition 3.1; García-Castellanos et al. (2024), section 2.
    """
    matrix, x = accumulating(matrix, "matrix"), accumulating(x)
    if x.ndim != 2 or matrix.shape != (x.shape[1],) * 2 or len(x) < x.shape[1]:
        raise ValueError(
            f"matrix has shape {tuple(matrix.shape)} and x {tuple(x.shape)}; give (d, d) and (n, d), n >= d"
        )
    after, before = activation(matmul(x, matrix.mT)), activation(x)
    best = torch.linalg.lstsq(before, after).solution
    return (after - matmul(before, best)).norm() / after.norm()


def permutation_diagonal(scales: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """A random permutation matrix times ``diag(scales)``, (d, d).

    Args:
        scales: the diagonal, floating point (d,); none may be 0.
        generator: of the permutation.

    Raises:
        ValueError: a scale is 0, so that the matrix has no inverse.
        TypeError: scales are no tensor or not floating point.
    """
    if accumulating(scales, "scales").ndim != 1 or not bool((scales != 0).all()):
        raise ValueError(
            f"scales have shape {tuple(scales.shape)} or a 0 among them; give (d,), none of them 0"
        )
    order = torch.randperm(len(scales), generator=generator).to(scales.device)
    return torch.diag(scales)[order]


def random_rotation(
    d: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """A uniformly random orthogonal matrix (d, d), reflections included."""
    q, r = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=dtype))
    return q * r.diagonal().sign()
