"""Graphs of whole sets: k nearest neighbours of many vertices, never holding an (n, n) matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, one_of, tensor, widest
from lggkit.graph._rows import comparison
from lggkit.graph.neighbors import SYMMETRIZATIONS
from lggkit.graph.signs import NEGATIVES
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
    negative: str = "zero",
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
        negative: ``"zero"`` or ``"keep"`` for negative cosines, see ``latent_geometry_graph``.

    Returns:
        Its edges; where ``W_ij`` and ``W_ji`` are rounded differently, both have the weight of the lower row.

    Raises:
        ValueError: an argument is none of the above, or a shape does not fit.
        TypeError: ``x`` is no tensor or not floating point, ``k`` or ``block`` no int.
    """
    x = _vertices(x)
    k = min(integer(k, "k"), len(x) - 1)
    one_of(symmetrization, SYMMETRIZATIONS, "The symmetrization")
    one_of(negative, NEGATIVES, "negative")
    compare = comparison(x, similarity, bandwidth, negative)
    # In the worst case, ties in every row, eight arrays like a block's similarities are alive.
    width = x.element_size() if similarity == "cosine" else widest(x).itemsize
    fitting = max(1, BLOCK_BYTES // (8 * len(x) * width))
    rows = fitting if block is None else integer(block, "block")
    # Results in one place each: between freed blocks, small ones would leave no room for the next block.
    columns, weights = x.new_empty(len(x), k, dtype=torch.int64), x.new_empty(len(x), k)
    for i in range(0, len(x), rows):
        columns[i : i + rows], weights[i : i + rows] = _nearest(compare(slice(i, i + rows)), i, k)
    graph = join_choices(columns, weights, symmetrization)
    return graph.normalized() if normalized else graph.nonzero()


def _vertices(x: Tensor) -> Tensor:
    if tensor(x, "x").ndim != 2 or len(x) == 0:
        raise ValueError(f"x must have shape (n, d) with n >= 1 vertices, got {tuple(x.shape)}.")
    return accumulating(x)


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
