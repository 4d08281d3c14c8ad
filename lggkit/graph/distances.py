"""L2 distances between the samples of a batch, and the widths that kernels of them have."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, tensor, widest
from lggkit.graph._squares import squared_distances


def vertices(x: Tensor) -> Tensor:
    """``x`` as (..., n, d) in its accumulating type; ValueError where it has no vertices."""
    if tensor(x, "x").ndim < 2 or x.shape[-2] == 0:
        raise ValueError(f"x must have shape (..., n, d) with n >= 1 vertices, got {tuple(x.shape)}.")
    return accumulating(x)


def pairwise_distance(x: Tensor, squared: bool = False) -> Tensor:
    """L2 distances ``‖x_i - x_j‖`` of all pairs, or their squares.

    Right to about four digits in float32 and ten in float64 however near a pair is and however far another
    point, the origin or another cluster, and so are the gradients. Only where values cannot be looked at (on
    a GPU, in compiled code, under vmap) pairs of more than 2^20 / n² features that are nearer than 4e-8 of
    their distance from the points' middle count as coinciding. Points that coincide have distance 0 and zero
    gradient. NaN in a row makes that row and column NaN. Squares beyond 3e38 are infinite in float32.

    Args:
        x: floating point (..., n, d), n >= 1.
        squared: whether to return the squares.

    Returns:
        Distances >= 0 in the unit of ``x`` (or its square), shape (..., n, n), zero diagonal.

    Raises:
        ValueError: ``x`` has another shape.
        TypeError: ``x`` is no tensor or not floating point.
    """
    x = vertices(x)
    square = squared_distances(x)
    return (square if squared else root(square)).to(x.dtype)


def root(square: Tensor) -> Tensor:
    """The distances of squared ones; 0 with zero gradient where they are 0."""
    coincide = square == 0
    return torch.where(coincide, 0.0, torch.where(coincide, 1.0, square).sqrt())


def median_bandwidth(x: Tensor) -> Tensor:
    """The median of the distances between vertices that do not coincide.

    Args:
        x: floating point (..., n, d), n >= 1.

    Returns:
        One a graph, shape (...), in the unit of ``x``, > 0, detached; 1 where no two vertices differ (also n
        = 1), NaN where a vertex is not finite.

    Raises:
        ValueError: ``x`` has another shape.
        TypeError: ``x`` is no tensor or not floating point.
    """
    x = vertices(x.detach() if isinstance(x, Tensor) else x)
    return median_of_distances(squared_distances(x)).to(x.dtype)


def median_of_distances(square: Tensor) -> Tensor:
    """``median_bandwidth`` from the squared distances (..., n, n)."""
    # No torch.median: it has no deterministic kernel on CUDA, and takes the lower of two middle values.
    # The diagonal is taken along, because nothing can be picked from no pairs; its zeros do not count.
    row, column = torch.triu_indices(*square.shape[-2:], device=square.device)
    pairs = square[..., row, column]
    distances = torch.where(pairs > 0, pairs, torch.inf).sort(-1).values.sqrt()
    count = (pairs > 0).sum(-1, keepdim=True)
    middle = torch.cat(((count - 1) // 2, count // 2), -1).clamp(0, distances.shape[-1] - 1)
    median = torch.where(count.squeeze(-1) > 0, distances.gather(-1, middle).mean(-1), 1.0)
    return median.masked_fill(pairs.isnan().any(-1), torch.nan)


def kernel_exponent(square: Tensor, bandwidth: float | Tensor, dtype: torch.dtype) -> Tensor:
    """``d² / (2 b²)`` of squared distances (..., n, n) and bandwidths b, a number or (..., 1, 1).

    Bandwidths below `least_bandwidth` of ``dtype``, that of the similarities, are taken as that. Points that
    coincide have exponent 0 and zero gradient.
    """
    # Where the factor leaves the type, so does the exponent of whatever distance, or it is 0.
    least, most = least_bandwidth(dtype), torch.finfo(square.dtype).max ** 0.99
    if isinstance(bandwidth, Tensor):
        width = bandwidth.to(widest(square)).clamp(min=least)
        factor = (0.5 / width / width).clamp(max=most).to(square.dtype)
    else:
        factor = min(0.5 / max(bandwidth, least) ** 2, most)
    coincide = square == 0
    return torch.where(coincide, 0.0, torch.where(coincide, 1.0, square) * factor)


def least_bandwidth(dtype: torch.dtype) -> float:
    """8e-34 where similarities are in float32, 1e-149 in float64: of less, gradients would overflow."""
    return max(torch.finfo(dtype).tiny, torch.finfo(torch.float64).tiny ** 0.5) * 2.0**16
