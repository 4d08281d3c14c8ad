"""The orthogonality loss: the blocks of an image's code are orthogonal to one another."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, matmul, one_of, unit_rows
from lggkit.graph.distances import root

NORMS, REDUCTIONS = ("fro", "spectral"), ("mean", "none")


def orthonormality(z: Tensor, blocks: int, norm: str = "fro", reduction: str = "mean") -> Tensor:
    """``‖Z Zᵀ - I‖`` of the blocks of each code, divided by their lengths; the mean over the batch.

    0 where the blocks are orthogonal, ``sqrt(k (k - 1))`` where all k are one (Frobenius). The article does
    not say which norm it takes, nor how images are averaged. A block of zeros counts as orthogonal.

    Args:
        z: floating point codes (n, blocks · d).
        blocks: how many blocks of equal width a code has, at least 2.
        norm: ``"fro"`` or ``"spectral"``.
        reduction: ``"mean"``, or ``"none"`` for the loss of each code, (n,).

    Returns:
        The loss >= 0 in at least float32, a scalar or (n,).

    Raises:
        ValueError: there are fewer than two blocks, the width is no multiple of them, or there is no such
            norm or reduction.
        TypeError: ``z`` is no floating point tensor, or ``blocks`` no int.

    Source: "Geometries of learning", article 10, equation 1.
    """
    one_of(norm, NORMS, "norm")
    one_of(reduction, REDUCTIONS, "reduction")
    cosines = block_cosines(z, blocks)
    each = root(cosines.square().sum((-2, -1))) if norm == "fro" else torch.linalg.matrix_norm(cosines, 2)
    return each.mean() if reduction == "mean" else each


def block_cosines(z: Tensor, blocks: int) -> Tensor:
    """Cosines of all pairs of blocks of codes (n, blocks · d), as (n, blocks, blocks) with a zero diagonal.

    Raises:
        ValueError, TypeError: as `orthonormality`.
    """
    z = accumulating(z, "z")
    blocks = integer(blocks, "blocks", 2)
    if z.ndim != 2 or z.shape[1] < blocks or z.shape[1] % blocks:
        raise ValueError(
            f"codes have shape {tuple(z.shape)}, which {blocks} blocks do not divide; give (n, blocks · d)"
        )
    unit = unit_rows(z.unflatten(1, (blocks, -1)))
    between = 1 - torch.eye(blocks, dtype=z.dtype, device=z.device)
    return matmul(unit, unit.mT) * between
