"""Costs: how far apart two sets of points are, or the neurons of two layers."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, broadcast, matmul, may_look, tensor, widest
from lggkit.graph._squares import FEW, NEAR_WIDE, center, pair_squares
from lggkit.graph.distances import root
from lggkit.graph.similarities import directions

METRICS = ("euclidean", "sqeuclidean", "cosine")
POOLS = ("mean", "positions")


def cost_matrix(x: Tensor, y: Tensor, metric: str = "euclidean") -> Tensor:
    """``M_ij = d(x_i, y_j)`` of all pairs of a point of one set and one of another (paper 3, eq. 3).

    Distances are right to about seven digits in float32 and twelve in float64 however near a pair is and
    however far another point. Only where values cannot be looked at (on a GPU, in compiled code, under vmap)
    pairs of more than 2^20 / (n m) numbers that are nearer than 4e-8 of their distance from the points'
    middle count as coinciding. Points that coincide have distance 0 with gradient zero.

    Args:
        x, y: points, floating point (..., n, k) and (..., m, k); see `neurons` for those of a layer.
        metric: ``"euclidean"``, the paper's, ``"sqeuclidean"``, its square, or ``"cosine"``, one minus the
            cosine, which is 1 where a point is zero (norm <= 1e-12).

    Returns:
        Costs >= 0, (..., n, m), in the unit of the points, of its square, or without and in [0, 2]; float32
        (float64 where a side is in float64).

    Raises:
        ValueError: a side is empty or no (..., n, k), the widths k or the leading dimensions
            differ, or the metric is none of these.
        TypeError: a side is no tensor or not floating point.
    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; choose one of {', '.join(METRICS)}")
    x, y = _points(x, "x"), _points(y, "y")
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; give points of the same width: of "
            "neurons, their activations on the same samples"
        )
    broadcast({"x": x.shape[:-2], "y": y.shape[:-2]}, "problems")
    dtype = torch.promote_types(x.dtype, y.dtype)
    wide = torch.promote_types(dtype, widest(x))
    costs = _METRICS[metric](x.to(wide), y.to(wide), NEAR_WIDE[dtype])
    return costs.to(dtype)


def neurons(x: Tensor, pool: str = "mean") -> Tensor:
    """The neurons of a layer as points: each is the vector of its activations on the batch (paper 3, 2.1).

    Args:
        x: activations (n, d) or maps (n, d, ...), whose channels are the neurons.
        pool: what a channel is on one sample: the ``"mean"`` of its map, so that layers of any resolution
            compare, or all its ``"positions"``, so that maps of one resolution compare place by place. The
            paper does not say what it does. Without effect on (n, d).

    Returns:
        (d, n), or (d, n · positions), of the type of ``x``.

    Raises:
        ValueError: ``x`` has no neurons or ``pool`` is neither.
        TypeError: ``x`` is no tensor or not floating point.
    """
    if pool not in POOLS:
        raise ValueError(f"pool is {pool!r}; choose one of {', '.join(POOLS)}")
    if tensor(x, "x").ndim < 2 or 0 in x.shape:
        raise ValueError(f"x has shape {tuple(x.shape)}; give activations (n, d) or maps (n, d, ...)")
    x = accumulating(x)
    if pool == "mean" and x.ndim > 2:
        x = x.flatten(2).mean(-1)
    return x.transpose(0, 1).flatten(1)


def _points(x: Tensor, name: str) -> Tensor:
    if tensor(x, name).ndim < 2 or 0 in x.shape:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; give points (..., n, k) with n, k >= 1")
    return accumulating(x, name)


def _square(x: Tensor, y: Tensor, near: float) -> Tensor:
    """``‖x_i - y_j‖²``; of few points and of pairs below a share of their squared norms by differences."""
    if x.numel() * y.shape[-2] <= FEW:
        return (x.unsqueeze(-2) - y.unsqueeze(-3)).square().sum(-1)
    # Distances are those of the points less a place amid them, whose norms are smaller.
    middle = center(x)
    a, b = x - middle, y - middle
    total = a.square().sum(-1).unsqueeze(-1) + b.square().sum(-1).unsqueeze(-2)
    square = total - 2 * matmul(a, b.mT)
    if may_look(x) and may_look(y):
        return _mended(square, square.detach() < total.detach() * near, x, y)
    nothing = square <= 8 * torch.finfo(square.dtype).eps * total
    return torch.where(nothing, 0.0, square)


def _mended(square: Tensor, near: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """``square`` where no pair is near, else by differences."""
    n, m = square.shape[-2:]
    graph, i, j = near.reshape(-1, n, m).nonzero().unbind(-1)
    if not len(graph):
        return square
    x, y = (z.expand(*square.shape[:-2], *z.shape[-2:]).reshape(-1, z.shape[-1]) for z in (x, y))
    exact = pair_squares(torch.cat((x, y)), graph * n + i, len(x) + graph * m + j)
    return square.reshape(-1, n, m).index_put((graph, i, j), exact).reshape(square.shape)


def _one_minus_cosine(x: Tensor, y: Tensor, _: float) -> Tensor:
    return (1 - matmul(directions(x), directions(y).mT)).clamp(0, 2)


_METRICS = {
    "euclidean": lambda x, y, near: root(_square(x, y, near)),
    "sqeuclidean": _square,
    "cosine": _one_minus_cosine,
}
