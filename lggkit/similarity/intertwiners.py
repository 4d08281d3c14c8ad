"""Intertwiners of an activation: matrices that pass through it and come out as matrices."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, inverse_sqrt, matmul
from lggkit.similarity._scale import in_own_unit


def intertwiner_residual(matrix: Tensor, activation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``min_B ‖σ(x Aᵀ) - σ(x) Bᵀ‖ / ‖σ(x Aᵀ)‖``: how far a matrix is from being an intertwiner on samples.

    Args:
        matrix: A, floating point (d, d).
        activation: σ, entry by entry.
        x: samples (n, d); with n much larger than d, so that 0 is no accident.

    Returns:
        A scalar in [0, 1]; 0 for members of the group ``G_σ = {A : σ∘A = B∘σ for some B}`` and where
        ``σ(x Aᵀ)`` is zero. Columns of σ(x) that depend on each other, such as those of dead units, count
        once. It waits for a GPU. Differentiable where σ(x) has full rank.

    Raises:
        ValueError: shapes do not fit together, there are fewer samples than features, or σ gives entries that
            are not finite.
        TypeError: a tensor is not floating point, or σ cannot be called.

    Source: Godfrey et al., "On the symmetries of deep learning models and their internal representations"
    (2022), Definition 3.1; García-Castellanos et al. (2024), section 2.
    """
    matrix, x = accumulating(matrix, "matrix"), accumulating(x)
    if x.ndim != 2 or matrix.shape != (x.shape[1],) * 2 or len(x) < x.shape[1]:
        raise ValueError(
            f"matrix has shape {tuple(matrix.shape)} and x {tuple(x.shape)}; give (d, d) and (n, d), n >= d"
        )
    if not callable(activation):
        raise TypeError(f"the activation is {activation!r}; give a function such as torch.relu")
    after, before = activation(matmul(x, matrix.mT)), activation(x)
    if not all(bool(side.isfinite().all()) for side in (before, after)):
        raise ValueError("σ(x) or σ(x Aᵀ) has entries that are not finite; leave those samples out")
    after, before = (in_own_unit(z, (0, 1)) for z in (after, before))
    rest = after - matmul(before, matmul(torch.linalg.pinv(before), after))
    length = after.square().sum()
    return rest.norm() * inverse_sqrt(length, 0.0)


def permutation_diagonal(scales: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """A random permutation matrix times ``diag(scales)``, (d, d).

    Args:
        scales: the diagonal, floating point (d,), finite; none may be 0.
        generator: of the permutation.

    Raises:
        ValueError: a scale is 0, so that the matrix has no inverse, or not finite.
        TypeError: scales are no tensor or not floating point.
    """
    if accumulating(scales, "scales").ndim != 1 or not bool(((scales != 0) & scales.isfinite()).all()):
        raise ValueError(
            f"scales have shape {tuple(scales.shape)} or a 0 among them; give (d,), finite, none of them 0"
        )
    order = torch.randperm(len(scales), generator=generator).to(scales.device)
    return torch.diag(scales)[order]


def random_rotation(
    d: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """A uniformly random orthogonal matrix (d, d), reflections included.

    Args:
        d: width, at least 1.
        generator: of the entries; torch's own by default.
        dtype: torch's default type if left out; float16 and bfloat16 give float32.

    Raises:
        ValueError: ``d`` is below 1.
        TypeError: ``d`` is no int, or the type is not floating point.
    """
    d, dtype = integer(d, "d"), torch.get_default_dtype() if dtype is None else dtype
    kind = accumulating(torch.empty(0, dtype=dtype), "dtype").dtype
    q, r = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=kind))
    return q * r.diagonal().sign()
