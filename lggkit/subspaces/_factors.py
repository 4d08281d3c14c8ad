"""Polar factors and leading eigenvectors, with gradients that are finite where values are equal."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lggkit.graph._precision import matmul


def polar(m: Tensor) -> Tensor:
    """The nearest matrix with orthonormal columns: ``U Vᵀ`` of ``M = U S Vᵀ`` (..., n, k), n >= k.

    Its gradient divides by sums of singular values, where that of the SVD divides by differences.
    """
    return _Polar.apply(m)[0]


class _Polar(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(m: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        u, s, vh = torch.linalg.svd(m, full_matrices=False)
        return matmul(u, vh), u, s, vh

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*output[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *rest: Tensor) -> Tensor:
        u, s, vh = ctx.saved_tensors
        turned = matmul(gradient, vh.mT)
        inside = matmul(u.mT, turned)
        least = torch.finfo(s.dtype).tiny
        sums = (s[..., :, None] + s[..., None, :]).clamp(min=least)
        outside = (turned - matmul(u, inside)) / s.clamp(min=least)[..., None, :]
        return matmul(matmul(u, (inside - inside.mT) / sums) + outside, vh)


def top_vectors(gram: Tensor, c: int) -> Tensor:
    """Eigenvectors (..., d, c) of the c largest eigenvalues of symmetric (..., d, d), largest first.

    Between eigenvalues that are equal to rounding, where no derivative exists, the gradient has 0.
    """
    if gram.shape[-1] == 1:
        return torch.ones_like(gram)
    return _TopVectors.apply(gram, c)[0]


class _TopVectors(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(gram: Tensor, c: int) -> tuple[Tensor, Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(gram)
        return vectors[..., -c:].flip(-1), values, vectors

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: tuple[Tensor, ...]) -> None:
        ctx.c = inputs[1]
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*output[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *rest: Tensor) -> tuple[Tensor, None]:
        values, vectors = ctx.saved_tensors
        top = vectors[..., -ctx.c :]
        gaps = values[..., None, -ctx.c :] - values[..., :, None]
        rounding = values.shape[-1] * torch.finfo(values.dtype).eps * values.abs().amax(-1)[..., None, None]
        apart = gaps.abs() > rounding
        weights = matmul(vectors.mT, gradient.flip(-1)) * torch.where(apart, 1 / gaps, 0.0)
        return matmul(matmul(vectors, weights), top.mT), None
