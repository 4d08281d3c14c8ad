"""Similarities between the samples of a batch: step 1 of a latent geometry graph (paper 1, section 3.3).

Convention of the whole package: samples are rows. `x` has shape (..., n, d): n vertices with d features, and
every leading dimension (seeds, depths) is a batch of independent graphs. Feature maps (n, c, h, w) must go
through `flatten` first, since they would be read as n * c graphs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, inverse_sqrt
from lggkit.graph.distances import gram_matrix, median_of_distances, pairwise_distance, vertices

SMALLEST_NORM = 1e-12
"""A vector that is shorter than this counts as zero (the floor of torch.nn.functional.normalize)."""

Similarity = Callable[[Tensor], Tensor]


def flatten(x: Tensor, batch_dims: int = 0) -> Tensor:
    """Make one feature vector a vertex: (n, c, h, w) -> (n, c·h·w).

    `batch_dims` leading dimensions are kept: with 1, (s, n, c, h, w) -> (s, n, c·h·w).
    Raises ValueError where no feature dimension is left.
    """
    if x.ndim < batch_dims + 2:
        raise ValueError(
            f"x must have {batch_dims} batch dimensions, vertices and features, got shape {tuple(x.shape)}."
        )
    return x.flatten(batch_dims + 1)


def check_nonnegative(x: Tensor, name: str = "x") -> Tensor:
    """`x` itself, or a ValueError if an entry is negative or NaN.

    For the paper's rule: cosine where representations are non-negative, RBF otherwise. It waits for the
    device: call it while you set up, outside the training step.
    """
    if not bool((x >= 0).all()):
        raise ValueError(
            f"{name} has entries that are negative or NaN (minimum {x.min().item():.3g}), so cosine weights "
            "may be negative: take similarity='rbf', or a depth behind a ReLU."
        )
    return x


def cosine_similarity(x: Tensor) -> Tensor:
    """Cosines cos(x_i, x_j), shape (..., n, n).

    Defined for all rows: in [0, 1] to rounding for non-negative `x` (the paper's case, see
    `check_nonnegative`), in [-1, 1] otherwise; negative cosines are kept. A zero vector (norm <= 1e-12) has
    similarity 0 with all, itself included, and zero gradient. NaN in a row makes that row and column NaN.
    Norms beyond 1e19 overflow float32. float16 and bfloat16 give float32, float64 stays.
    """
    gram = gram_matrix(vertices(x))
    scale = inverse_sqrt(gram.diagonal(dim1=-2, dim2=-1), SMALLEST_NORM**2)
    return gram * (scale.unsqueeze(-1) * scale.unsqueeze(-2))


def rbf_similarity(x: Tensor, bandwidth: float | Tensor | str | None = None) -> Tensor:
    """exp(-‖x_i - x_j‖² / (2·bandwidth²)), in [0, 1], shape (..., n, n), diagonal 1.

    `bandwidth` is in the unit of `x`: a positive number, a tensor of shape (...) with one a graph, or
    "median" (also None): the median heuristic, see `median_bandwidth`, through which no gradient flows.
    Raises ValueError for other values. Coinciding points and NaN: see `pairwise_distance`.
    """
    square = pairwise_distance(x, squared=True)
    width = _width(bandwidth, square)
    return torch.exp(-square / (2 * width**2))


def similarity(
    x: Tensor, kind: str | Similarity = "cosine", bandwidth: float | Tensor | str | None = None
) -> Tensor:
    """The similarity matrix of `x` (..., n, d), shape (..., n, n).

    `kind` is "cosine", "rbf" or a function from (..., n, d) to symmetric (..., n, n) weights (its gradients
    and precision are its own). Raises ValueError for another kind, for a bandwidth without "rbf", or where a
    function returns another shape.
    """
    if kind == "rbf":
        return rbf_similarity(x, bandwidth)
    if bandwidth is not None:
        raise ValueError(f"bandwidth={bandwidth!r} only means something with kind='rbf', got kind={kind!r}.")
    if kind == "cosine":
        return cosine_similarity(x)
    if not callable(kind):
        raise ValueError(f"The similarity must be 'cosine', 'rbf' or a function, got {kind!r}.")
    result = accumulating(kind(vertices(x)), "The similarity function's result")
    expected = (*x.shape[:-1], x.shape[-2])
    if result.shape != expected:
        raise ValueError(f"The similarity function must return shape {expected}, got {tuple(result.shape)}.")
    return result


def _width(bandwidth: float | Tensor | str | None, square: Tensor) -> float | Tensor:
    if isinstance(bandwidth, Tensor):
        return bandwidth[..., None, None]
    if bandwidth is None or bandwidth == "median":
        return median_of_distances(square.detach())[..., None, None]
    if isinstance(bandwidth, str) or not 0 < bandwidth < float("inf"):
        raise ValueError(f"bandwidth must be a positive number, a tensor or 'median', got {bandwidth!r}.")
    return float(bandwidth)
