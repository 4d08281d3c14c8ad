"""Gram matrices and L2 distances between the samples of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, matmul


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


def vertices(x: Tensor) -> Tensor:
    """``x`` as (..., n, d) in its accumulating type; ValueError where it has no vertices."""
    if x.ndim < 2 or x.shape[-2] == 0:
        raise ValueError(f"x must have shape (..., n, d) with n >= 1 vertices, got {tuple(x.shape)}.")
    return accumulating(x)


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


def pairwise_distance(x: Tensor, squared: bool = False) -> Tensor:
    """L2 distances ``‖x_i - x_j‖`` of all pairs, or their squares.

    By the Gram matrix of the centred points, so two points closer than the rounding of their squared norms
    (about 1e-3 of their distance from the batch's mean in float32, 4e-8 in float64) count as coinciding:
    distance 0 and zero gradient. NaN anywhere makes the whole graph's distances NaN (by the mean).

    Args:
        x: floating point (..., n, d), n >= 1.
        squared: whether to return the squares.

    Returns:
        Distances >= 0 in the unit of ``x`` (or its square), shape (..., n, n), zero diagonal.

    Raises:
        ValueError: ``x`` has another shape.
        TypeError: ``x`` is not floating point.
    """
    x = vertices(x)
    # Distances do not depend on the origin, so the mean needs no gradient.
    gram = gram_matrix(x - x.detach().mean(-2, keepdim=True))
    norms = squared_norms(gram)
    total = norms.unsqueeze(-1) + norms.unsqueeze(-2)
    square = total - 2 * gram
    coincide = square <= 8 * torch.finfo(square.dtype).eps * total
    if squared:
        return torch.where(coincide, 0.0, square)
    return torch.where(coincide, 0.0, torch.where(coincide, 1.0, square).sqrt())


def median_bandwidth(x: Tensor) -> Tensor:
    """The median of the distances between vertices that do not coincide.

    Args:
        x: floating point (..., n, d), n >= 1.

    Returns:
        One a graph, shape (...), in the unit of ``x``, > 0, detached; 1 where no two vertices differ (also n
        = 1).

    Raises:
        ValueError: ``x`` has another shape.
        TypeError: ``x`` is not floating point.
    """
    return median_of_distances(pairwise_distance(x.detach(), squared=True))


def median_of_distances(square: Tensor) -> Tensor:
    """``median_bandwidth`` from the squared distances (..., n, n)."""
    # No torch.median: it has no deterministic kernel on CUDA, and takes the lower of two middle values.
    # The diagonal is taken along, because nothing can be picked from no pairs; its zeros do not count.
    row, column = torch.triu_indices(*square.shape[-2:], device=square.device)
    pairs = square[..., row, column]
    distances = torch.where(pairs > 0, pairs, torch.inf).sort(-1).values.sqrt()
    count = (pairs > 0).sum(-1, keepdim=True)
    middle = torch.cat(((count - 1) // 2, count // 2), -1).clamp(0, distances.shape[-1] - 1)
    return torch.where(count.squeeze(-1) > 0, distances.gather(-1, middle).mean(-1), 1.0)
