"""Orthonormal bases: of given vectors, and of subspaces at random."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import integer, matmul, may_look, one_of
from lggkit.similarity._scale import in_own_unit
from lggkit.subspaces._factors import polar
from lggkit.subspaces._given import dimension, finite, vectors


def orthonormal_basis(x: Tensor, method: str = "qr") -> Tensor:
    """An orthonormal basis of the span of l vectors: ``X = Q R``, or the left singular vectors of X.

    Which basis does not matter to anything that is a function of the subspace. The gradient is that of such
    a function: ``"svd"`` has that of Q, turned by a constant. How long the vectors are does not matter.

    Args:
        x: vectors as columns, floating point (..., n, l), l <= n, linearly independent.
        method: ``"qr"``, or ``"svd"``, whose columns come in the order of their singular values.

    Returns:
        (..., n, l) with ``QᵀQ = I``.

    Raises:
        ValueError: the shape is another, entries are not finite or vectors linearly dependent to rounding
            (both seen on the CPU only), or there is no such method.
        TypeError: ``x`` is no tensor or not floating point.
    """
    one_of(method, ("qr", "svd"), "method")
    x = vectors(x)
    if may_look(x):
        _check_rank(x.detach())
    q = torch.linalg.qr(in_own_unit(x, -2)).Q
    return q if method == "qr" else _turned(q, x.detach())


def _turned(q: Tensor, x: Tensor) -> Tensor:
    """``q`` turned to the left singular vectors of ``x``, by a constant: they may have no derivative."""
    u = torch.linalg.svd(in_own_unit(x, (-2, -1)), full_matrices=False).U
    return matmul(q, polar(matmul(q.detach().mT, u)))


def _check_rank(x: Tensor) -> None:
    values = torch.linalg.svdvals(torch.linalg.qr(in_own_unit(finite(x), -2), mode="r").R)
    least = values[..., -1] > x.shape[-2] * torch.finfo(x.dtype).eps * values[..., 0]
    if not bool(least.all()):
        bad = (values / values[..., :1]).reshape(-1, x.shape[-1])[int((~least).reshape(-1).int().argmax())]
        rank = int((bad > x.shape[-2] * torch.finfo(x.dtype).eps).sum())
        raise ValueError(
            f"a set of {x.shape[-1]} vectors has rank {rank}; leave out vectors that depend on others, or "
            "that are zero"
        )


def haar_subspaces(
    r: int,
    n: int,
    l: int,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """r subspaces of dimension l of R^n, independent and uniform (the Haar measure), as bases (r, n, l).

    Raises:
        ValueError: a number is below 1, or l above n.
        TypeError: a number is no int.
    """
    r, n = integer(r, "r"), integer(n, "n")
    drawn = torch.randn(r, n, dimension(l, n, "l"), generator=generator, dtype=dtype, device=generator.device)
    return torch.linalg.qr(drawn).Q
