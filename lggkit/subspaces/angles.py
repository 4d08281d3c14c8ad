"""Principal angles, and what a Schubert variety makes of the smallest of them (article 5, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import matmul, number, one_of
from lggkit.subspaces._given import basis, meeting, same_space, vectors

MEASURES = {"angle": lambda angles: angles, "sine": torch.sin}
OBJECTIVES = ("cos2", "cos")


def principal_angles(x: Tensor, y: Tensor) -> Tensor:
    """The angles ``0 <= θ_1 <= … <= θ_min(l,k) <= π/2`` between subspaces, in radians, ascending.

    Their cosines are the singular values of ``XᵀY``, from which angles below 1e-4 cannot be told in float32.
    Angles below π/4 are therefore those of the sines, the singular values of what of one basis the other
    leaves over (Björck and Golub, 1973).

    Args:
        x, y: orthonormal bases (..., n, l) and (..., n, k); leading dimensions are broadcast.

    Returns:
        (..., min(l, k)); gradients are finite everywhere.

    Raises:
        ValueError: a basis is not orthonormal (seen on the CPU only), or the spaces differ.
        TypeError: a tensor is none or not floating point.
    """
    x, y = basis(x, "x"), basis(y, "y")
    same_space(x, y)
    small, large = (x, y) if x.shape[-1] <= y.shape[-1] else (y, x)
    small, large = (one.to(torch.promote_types(x.dtype, y.dtype)) for one in (small, large))
    product = matmul(large.mT, small)
    cosines = torch.linalg.svdvals(product).clamp(max=1)
    sines = torch.linalg.svdvals(small - matmul(large, product)).clamp(max=1).flip(-1)
    near = cosines.square() >= 0.5
    return torch.where(near, torch.where(near, sines, 0).asin(), torch.where(near, 0, cosines).acos())


def schubert_distance(x: Tensor, y: Tensor, c: int = 1, measure: str = "angle", norm: float = 2) -> Tensor:
    """How far subspaces are from meeting another in c dimensions: the norm of their c smallest angles.

    ``d(V, Ω_c(W)) = ‖(θ_1, …, θ_c)‖``, or of the sines; zero exactly where ``dim(V ∩ W) >= c``.

    Args:
        x: orthonormal bases (..., n, l) of V.
        y: an orthonormal basis (..., n, k) of W.
        c: dimensions in which V should meet W, 1 to min(l, k).
        measure: ``"angle"`` in radians, or ``"sine"``.
        norm: p of the norm over the c angles, from 1 to infinity.

    Returns:
        (...), >= 0.

    Raises:
        ValueError: c is larger than the number of angles, an option is unknown, or see `principal_angles`.
    """
    one_of(measure, tuple(MEASURES), "measure")
    if not number(norm, "norm") >= 1:
        raise ValueError(f"norm is {norm!r}; give a number from 1 on, such as 2")
    x, y = vectors(x), vectors(y, "y")
    c = meeting(c, y.shape[-1], x.shape[-1])
    return torch.linalg.vector_norm(MEASURES[measure](principal_angles(x, y)[..., :c]), norm, dim=-1)


def schubert_fit(x: Tensor, y: Tensor, c: int = 1, objective: str = "cos2") -> Tensor:
    """How well one subspace meets r others: ``1/(rc) Σ_i Σ_{j<=c} cos² θ_ij``, or of the cosines.

    Args:
        x: orthonormal bases (r, n, l) of the others.
        y: an orthonormal basis (n, k).
        c: angles that count, 1 to min(l, k).
        objective: ``"cos2"`` (equation 1) or ``"cos"`` (equation 2).

    Returns:
        A scalar in [0, 1].

    Raises:
        ValueError: as for `schubert_distance`, or there is no basis.
    """
    one_of(objective, OBJECTIVES, "objective")
    x, y = basis(x, "x"), basis(y, "y")
    same_space(x, y)
    if not x.numel():
        raise ValueError(f"x has shape {tuple(x.shape)}; give at least one basis, as (r, n, l)")
    cosines = torch.linalg.svdvals(matmul(x.mT, y))[..., : meeting(c, y.shape[-1], x.shape[-1])].clamp(max=1)
    return (cosines.square() if objective == "cos2" else cosines).mean()
