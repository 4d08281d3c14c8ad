"""Graphs of whole sets: k nearest neighbours of many vertices, never holding an (n, n) matrix."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, inverse_sqrt, matmul, positive_integer
from lggkit.graph.neighbors import SYMMETRIZATIONS
from lggkit.graph.similarities import SMALLEST_NORM
from lggkit.graph.sparse import SparseGraph, join_choices

BLOCK_BYTES = 2**28
"""What a block of rows may take, in bytes, where its rows are not given."""


@torch.no_grad()
def knn_graph(
    x: Tensor,
    k: int,
    similarity: str = "cosine",
    bandwidth: float | Tensor | None = None,
    symmetrization: str = "or",
    normalized: bool = True,
    block: int | None = None,
) -> SparseGraph:
    """The latent geometry graph of a whole set, as ``latent_geometry_graph(x, k, ...)`` has it.

    Rows are compared with all others a block at a time: memory grows with n, time with n². For measurement:
    there are no gradients, and it waits for the device. Zero weights are no edges. NaN counts as the largest
    similarity and stays on its edges, also normalised, where the dense function spreads it to whole rows.

    Args:
        x: floating point (n, d), n >= 1 samples as rows.
        k: neighbours a vertex, at least 1; k >= n is the full graph.
        similarity: ``"cosine"`` or ``"rbf"``.
        bandwidth: for ``"rbf"`` only, positive, in the unit of ``x``. (The median of all distances would need
            them all; ``median_bandwidth`` of some hundred rows is near it.)
        symmetrization: ``"or"``, ``"and"`` or ``"mean"``, see ``symmetrize``.
        normalized: take ``D^(-1/2) A D^(-1/2)``.
        block: rows at a time; None: as many as fit 256 MiB.

    Returns:
        Its edges; where ``W_ij`` and ``W_ji`` are rounded differently, both have the weight of the lower row.

    Raises:
        ValueError: an argument is none of the above, or a shape does not fit.
        TypeError: ``x`` is not floating point, ``k`` or ``block`` no int.
    """
    x = _vertices(x)
    k = min(positive_integer(k, "k"), len(x) - 1)
    if symmetrization not in SYMMETRIZATIONS:
        raise ValueError(
            f"The symmetrization must be one of {', '.join(SYMMETRIZATIONS)}, got {symmetrization!r}."
        )
    compare = _comparison(x, similarity, bandwidth)
    # In the worst case, ties in every row, eight arrays like a block's similarities are alive.
    fitting = max(1, BLOCK_BYTES // (8 * len(x) * x.element_size()))
    rows = fitting if block is None else positive_integer(block, "block")
    # Results in one place each: between freed blocks, small ones would leave no room for the next block.
    columns, weights = x.new_empty(len(x), k, dtype=torch.int64), x.new_empty(len(x), k)
    for i in range(0, len(x), rows):
        columns[i : i + rows], weights[i : i + rows] = _nearest(compare(slice(i, i + rows)), i, k)
    graph = join_choices(columns, weights, symmetrization)
    return graph.normalize() if normalized else graph.nonzero()


def _vertices(x: Tensor) -> Tensor:
    if x.ndim != 2 or len(x) == 0:
        raise ValueError(f"x must have shape (n, d) with n >= 1 vertices, got {tuple(x.shape)}.")
    return accumulating(x)


def _comparison(x: Tensor, similarity: str, bandwidth: float | Tensor | None) -> Callable[[slice], Tensor]:
    """The function from some rows to their similarities with all."""
    if similarity == "cosine" and bandwidth is None:
        return partial(_cosine, x, inverse_sqrt(_squared_norms(x), SMALLEST_NORM**2))
    if similarity == "rbf":
        width, x = _width(bandwidth), x - x.mean(0)
        return partial(_rbf, x, _squared_norms(x), width)
    raise ValueError(
        "The similarity must be 'cosine', without a bandwidth, or 'rbf' in blocks, "
        f"got {similarity!r} and bandwidth={bandwidth!r}."
    )


def _width(bandwidth: float | Tensor | None) -> float:
    number = isinstance(bandwidth, int | float) or (isinstance(bandwidth, Tensor) and bandwidth.ndim == 0)
    if not number or not 0 < bandwidth < float("inf"):
        raise ValueError(
            f"bandwidth must be a positive number in blocks, got {bandwidth!r}: "
            "take, for instance, median_bandwidth of some hundred rows."
        )
    return float(bandwidth)


def _squared_norms(x: Tensor) -> Tensor:
    # From products, as ``gram_matrix`` has them, so that a point's distance to its double is 0 to rounding.
    return torch.cat([matmul(part, part.mT).diagonal() for part in x.split(128)])


def _cosine(x: Tensor, scale: Tensor, rows: slice) -> Tensor:
    return matmul(x[rows], x.mT).mul_(scale[rows].unsqueeze(-1) * scale)


def _rbf(x: Tensor, norms: Tensor, bandwidth: float, rows: slice) -> Tensor:
    total = norms[rows].unsqueeze(-1) + norms
    square = matmul(x[rows], x.mT).mul_(-2).add_(total)
    coincide = square <= total.mul_(8 * torch.finfo(x.dtype).eps)
    return square.masked_fill_(coincide, 0.0).div_(-2 * bandwidth**2).exp_()


def _nearest(similarity: Tensor, start: int, k: int) -> tuple[Tensor, Tensor]:
    """Whom the rows from ``start`` choose, as ``knn_mask`` does, and their similarities, both (rows, k)."""
    similarity.diagonal(start).fill_(-torch.inf)
    values, columns = similarity.topk(k + 1)
    values, columns = values.masked_fill(values.isnan(), torch.inf), columns[:, :k]
    # topk breaks ties as it likes, which matters where the last place is one of several equal ones.
    tied = (values[:, k - 1] == values[:, k]).nonzero().squeeze(-1)
    if len(tied):
        columns[tied] = _lowest(similarity[tied], values[tied, k:], k)
    return columns, similarity.gather(1, columns)


def _lowest(similarity: Tensor, kth: Tensor, k: int) -> Tensor:
    """The columns of all similarities above ``kth`` and of the first ones equal to it, (rows, k)."""
    n = similarity.shape[1]
    similarity = similarity.masked_fill_(similarity.isnan(), torch.inf)
    place = torch.arange(n, 0, -1, dtype=torch.int32, device=similarity.device)
    rank = torch.where(similarity == kth, place, 0).masked_fill_(similarity > kth, n + 1)
    return rank.topk(k).indices
