"""Squared distances of all pairs to the digits of their type, however near a pair and however far an outlier.

The fast way is a Gram matrix, ``‖a‖² + ‖b‖² - 2 a·b``, which cancels where a pair is near and its points are
far from the origin. What is done about it:

- *ordinary* batches, where no pair is near (`NEAR`), take the Gram matrix of the points less their mean;
- others take it in float64, of the points less the median of some of them, which no outlier moves, and the
  pairs that are too near even for that by their differences;
- few points are compared by their differences altogether.

Whether a batch is ordinary is looked at where that makes nothing wait: on the CPU, not in compiled code and
not under vmap. Elsewhere every batch is taken as one of the second kind, but for its last step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lggkit.graph._precision import matmul, may_look, widest

NEAR = 2.0**-9
"""A pair is near where its squared distance is below this share of its squared norms: 5 digits are left."""
NEAR_WIDE = {torch.float32: 2.0**-26, torch.float64: 2.0**-13}
"""The same in float64, for points given in either type: 7 and 12 digits are left."""
ORDINARY = (1e-30, 1e36)
"""Where float32 neither loses digits of squares nor overflows."""
PIVOTS = 9
FEW, CHUNK = 2**20, 2**22


class _Gram(torch.autograd.Function):
    """x xᵀ with one product in the backward pass, where autograd would take two."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return matmul(x, x.mT)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return matmul(grad + grad.mT, ctx.saved_tensors[0])


class _PairSquares(torch.autograd.Function):
    """The squared distances (p,) of the pairs (i, j) of rows of x, by differences, some pairs at a time."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, i: Tensor, j: Tensor) -> Tensor:
        ctx.save_for_backward(x, i, j)
        parts = [(x[a] - x[b]).square_().sum(-1) for a, b in _parts(x, i, j)]
        return torch.cat(parts) if parts else x.new_zeros(0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        x, i, j = ctx.saved_tensors
        slope, start = torch.zeros_like(x), 0
        for a, b in _parts(x, i, j):
            pull = 2 * grad[start : start + len(a)].unsqueeze(-1) * (x[a] - x[b])
            slope, start = slope.index_add(0, a, pull).index_add(0, b, -pull), start + len(a)
        return slope, None, None


def _parts(x: Tensor, i: Tensor, j: Tensor) -> zip:
    pairs = max(1, CHUNK // max(1, x.shape[-1]))
    return zip(i.split(pairs), j.split(pairs), strict=True) if len(i) else zip()


def gram_matrix(x: Tensor) -> Tensor:
    """x xᵀ, shape (..., n, n)."""
    return _Gram.apply(x)


def squared_norms(gram: Tensor) -> Tensor:
    """The diagonal (..., n) of a Gram matrix (..., n, n)."""
    if not torch.compiler.is_compiling():
        return gram.diagonal(dim1=-2, dim2=-1)
    # Compiled, torch 2.15's backward pass overwrites a saved matrix before it has read a saved view of it.
    diagonal = torch.eye(gram.shape[-1], dtype=torch.bool, device=gram.device)
    return torch.where(diagonal, gram, 0.0).sum(-1)


def squared_distances(x: Tensor) -> Tensor:
    """``‖x_i - x_j‖²`` of points (..., n, d) in float32 or float64: (..., n, n), exactly 0 on the diagonal.

    Of the type of ``x`` where that has the digits and the range, else in float64: take what follows in that
    type too, and round its result.
    """
    if x.dtype != widest(x) and may_look(x):
        square, total = _by_products(x - x.detach().mean(-2, keepdim=True))
        if _ordinary(square.detach(), total.detach()):
            return square
    return _wide(x)


def _by_products(x: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distances, and the sums of squared norms that they cancel from."""
    gram = gram_matrix(x)
    norms = squared_norms(gram)
    total = norms.unsqueeze(-1) + norms.unsqueeze(-2)
    return total - 2 * gram, total


def _ordinary(square: Tensor, total: Tensor) -> bool:
    smallest, largest = ORDINARY
    apart = square > (total * NEAR).clamp_(min=smallest)
    apart.diagonal(dim1=-2, dim2=-1).fill_(True)
    return bool(apart.all()) and bool(total.amax() < largest if total.numel() else True)


def _wide(x: Tensor) -> Tensor:
    y = x.to(widest(x))
    if x.numel() * x.shape[-2] <= FEW:
        return (y.unsqueeze(-2) - y.unsqueeze(-3)).square().sum(-1)
    square, total = _by_products(y - center(y))
    if may_look(x):
        return _mended(square, square.detach() < total.detach() * NEAR_WIDE[x.dtype], y)
    return torch.where(square <= 8 * torch.finfo(square.dtype).eps * total, 0.0, square)


def center(x: Tensor) -> Tensor:
    """A place amid most of the points (..., n, d), (..., 1, d): the median of a few; no gradient."""
    some = x.detach()[..., :: -(-x.shape[-2] // PIVOTS), :].sort(-2).values
    return some[..., some.shape[-2] // 2, None, :]


def _mended(square: Tensor, near: Tensor, x: Tensor) -> Tensor:
    """``square`` where no pair is near, else by differences."""
    n = x.shape[-2]
    graph, i, j = (near | near.mT).reshape(-1, n, n).triu(1).nonzero().unbind(-1)
    exact = pair_squares(x.reshape(-1, x.shape[-1]), graph * n + i, graph * n + j)
    flat = square.reshape(-1, n, n)
    return flat.index_put((graph, i, j), exact).index_put((graph, j, i), exact).reshape(square.shape)


def pair_squares(x: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """``‖x_i - x_j‖²`` of the given pairs of rows of x (n, d), shape (p,)."""
    return _PairSquares.apply(x, i, j)
