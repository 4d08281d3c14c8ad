"""The affine map of a network on every piece of a planar partition, in the plane's own coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lggkit.regions.cells import Cells, cells_of
from lggkit.regions.plane import Piece, Plane


def piece_maps(cells: Cells, pieces: Sequence[Piece], plane: Plane | None = None) -> tuple[Tensor, Tensor]:
    """``W, b`` with ``network = W (u, v) + b`` on each piece, from its values at the corners.

    Args:
        cells, plane: those of the partition.
        pieces: what `planar_partition` gave.

    Returns:
        W (n, k, 2) for n pieces and k outputs, and b (n, k), in float64.

    Raises:
        ValueError: there is no piece.
    """
    cells_of(cells)
    if not len(pieces):
        raise ValueError("there are no pieces; give those of a partition")
    corners = np.concatenate([piece.vertices for piece in pieces])
    points = plane.points(corners) if plane is not None else torch.from_numpy(corners).view(-1, *cells.shape)
    with torch.no_grad():
        values = cells.runner.seen(points)[1].flatten(1).split([len(piece.vertices) for piece in pieces])
    weights, biases = [], []
    for piece, own in zip(pieces, values, strict=True):
        middle, mean = torch.from_numpy(piece.vertices).mean(0), own.mean(0)
        slope = torch.linalg.lstsq(torch.from_numpy(piece.vertices) - middle, own - mean, driver="gelsd")
        weights.append(slope.solution.T)
        biases.append(mean - slope.solution.T @ middle)
    return torch.stack(weights), torch.stack(biases)
