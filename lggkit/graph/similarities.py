"""Similarities between the samples of a batch: step 1 of a latent geometry graph (paper 1, section 3.3).

Convention of the whole package: samples are rows. ``x`` has shape (..., n, d): n vertices with d features,
and every leading dimension (seeds, depths) is a batch of independent graphs. Feature maps (n, c, h, w) must
go through ``flatten`` first, since they would be read as n * c graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, inverse_sqrt, may_look, tensor, unit_of, widest
from lggkit.graph._squares import ORDINARY, gram_matrix, squared_distances, squared_norms
from lggkit.graph.distances import kernel_exponent, median_of_distances, vertices

SMALLEST_NORM = 1e-12
"""A vector that is shorter than this counts as zero (the floor of torch.nn.functional.normalize)."""

Similarity = Callable[[Tensor], Tensor]


def flatten(x: Tensor, batch_dims: int = 0) -> Tensor:
    """Make one feature vector a vertex: (n, c, h, w) -> (n, c·h·w).

    Args:
        x: batch dimensions, n vertices, and one feature dimension or more.
        batch_dims: leading dimensions to keep; with 1, (s, n, c, h, w) -> (s, n, c·h·w).

    Returns:
        Feature vectors (..., n, d).

    Raises:
        ValueError: no feature dimension is left, or ``batch_dims`` is negative.
        TypeError: ``x`` is no tensor, or ``batch_dims`` no int.
    """
    batch_dims = integer(batch_dims, "batch_dims", 0)
    if tensor(x, "x").ndim < batch_dims + 2:
        raise ValueError(
            f"x must have {batch_dims} batch dimensions, vertices and features, got shape {tuple(x.shape)}."
        )
    return x.flatten(batch_dims + 1)


def check_nonnegative(x: Tensor, name: str = "x") -> Tensor:
    """Make sure that no entry is negative, for the paper's rule: cosine there, RBF otherwise (section 3.3).

    It waits for the device: call it while you set up, outside the training step.

    Args:
        x: representations, any shape.
        name: of ``x`` in the error.

    Returns:
        ``x`` itself.

    Raises:
        ValueError: an entry is negative or NaN.
        TypeError: ``x`` is no tensor, or complex.
    """
    if tensor(x, name).is_complex():
        raise TypeError(f"{name} has complex entries, which have no sign: take their absolute values.")
    if not bool((x >= 0).all()):
        raise ValueError(
            f"{name} has entries that are negative or NaN (minimum {x.min().item():.3g}), so cosine weights "
            "may be negative: take similarity='rbf', or a depth behind a ReLU."
        )
    return x


def cosine_similarity(x: Tensor) -> Tensor:
    """Cosines ``cos(x_i, x_j)`` of all pairs (paper 1, section 3.3, step 1).

    A zero vector (norm <= 1e-12) has similarity 0 with all, itself included, and zero gradient. NaN in a row
    makes that row and column NaN. Where values cannot be looked at (on a GPU, in compiled code, under vmap)
    norms beyond 1e19 overflow float32. float16 and bfloat16 give float32, float64 stays.

    Args:
        x: floating point (..., n, d), n >= 1.

    Returns:
        Cosines (..., n, n), to rounding in [0, 1] for non-negative ``x`` (the paper's case, see
        ``check_nonnegative``), in [-1, 1] otherwise; negative ones are kept here, and are no edges of a
        ``latent_geometry_graph`` unless it is asked to keep them.

    Raises:
        ValueError: ``x`` has another shape.
        TypeError: ``x`` is no tensor or not floating point.
    """
    x = vertices(x)
    gram = gram_matrix(x)
    if overflown(squared_norms(gram)):
        gram = gram_matrix(x.to(widest(x)))
    return cosines(gram).to(x.dtype)


def directions(x: Tensor) -> Tensor:
    """Points (..., d) divided by their lengths, also those whose squares overflow; zeros where <= 1e-12.

    Bit for bit ``x * inverse_sqrt(‖x‖²)`` where the squares are in range, forward and backward.
    """
    # In units from 1 up alone: what is too short for squares counts as zero anyway.
    unit = unit_of(x, -1).clamp(min=1.0)
    x = x / unit
    return x * inverse_sqrt(x.square().sum(-1, keepdim=True), SMALLEST_NORM**2)


def cosines(gram: Tensor) -> Tensor:
    """Those of a Gram matrix (..., n, n)."""
    scale = inverse_sqrt(squared_norms(gram), SMALLEST_NORM**2)
    return gram * (scale.unsqueeze(-1) * scale.unsqueeze(-2))


def overflown(norms: Tensor) -> bool:
    """Whether squared norms in float32 are beyond its range; never where they cannot be looked at."""
    if norms.dtype == widest(norms) or not may_look(norms) or not norms.numel():
        return False
    return not bool(norms.detach().amax() < ORDINARY[1])


def rbf_similarity(x: Tensor, bandwidth: float | Tensor | str | None = None) -> Tensor:
    """``exp(-‖x_i - x_j‖² / (2·bandwidth²))`` of all pairs (paper 1, section 3.3, step 1).

    Coinciding points and NaN: see ``pairwise_distance``.

    Args:
        x: floating point (..., n, d), n >= 1.
        bandwidth: in the unit of ``x``: a positive number, a tensor (...) with one a graph, or ``"median"``
            (also None), the median heuristic, see ``median_bandwidth``, through which no gradient flows. The
            entries of a tensor are not looked at and must be positive. Widths below 8e-34 in float32 and
            1e-149 in float64 are taken as that, so that gradients stay finite.

    Returns:
        Similarities in [0, 1], shape (..., n, n), diagonal 1.

    Raises:
        ValueError: ``bandwidth`` is none of these, or ``x`` has another shape.
        TypeError: ``x`` is not floating point.
    """
    x = vertices(x)
    square = squared_distances(x)
    return torch.exp(-kernel_exponent(square, _width(bandwidth, square), x.dtype)).to(x.dtype)


def similarity(
    x: Tensor, kind: str | Similarity = "cosine", bandwidth: float | Tensor | str | None = None
) -> Tensor:
    """The similarities of all pairs of samples (paper 1, section 3.3, step 1).

    Args:
        x: floating point (..., n, d), n >= 1.
        kind: ``"cosine"``, ``"rbf"`` or a function from (..., n, d) to symmetric (..., n, n) weights (its
            gradients and precision are its own).
        bandwidth: for ``"rbf"`` only, see ``rbf_similarity``.

    Returns:
        Similarities (..., n, n); for the range see ``cosine_similarity`` and ``rbf_similarity``.

    Raises:
        ValueError: another ``kind``, a bandwidth without ``"rbf"`` or that it does not take, a function that
            returns another shape, or ``x`` of another shape.
        TypeError: ``x``, or what a function returns, is not floating point.
    """
    if kind == "rbf":
        return rbf_similarity(x, bandwidth)
    if bandwidth is not None:
        raise ValueError(
            f"bandwidth={bandwidth!r} only means something with the similarity 'rbf', not {kind!r}."
        )
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
        return bandwidth.to(square.device)[..., None, None]
    if bandwidth is None or (isinstance(bandwidth, str) and bandwidth == "median"):
        return median_of_distances(square.detach())[..., None, None]
    return positive_number(bandwidth, "a positive number, a tensor or 'median'")


def positive_number(bandwidth: float, choice: str) -> float:
    """The bandwidth as a float, if it is a number in (0, inf), also one of NumPy's; else ValueError."""
    number = isinstance(bandwidth, Real) and not isinstance(bandwidth, bool)
    if not number or not 0 < bandwidth < float("inf"):
        raise ValueError(f"bandwidth must be {choice}, got {bandwidth!r}.")
    return float(bandwidth)
