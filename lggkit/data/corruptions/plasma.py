"""Clouds by the diamond-square algorithm, many at once."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.data.corruptions.draws import Draws

FIRST = 100.0
"""Half-width of the first displacements is the square of this."""


def plasma(draws: Draws, side: int, decay: float) -> Tensor:
    """A periodic random landscape for each image, float32 (n, side, side), from 0 to 1.

    Centres of squares, then of diamonds, get the mean of their four corners and a displacement, which is
    uniform with a half-width that falls by decay² each time that the mesh is halved.

    Args:
        draws: of the displacements, 3 · (side/mesh)² for each mesh.
        side: a power of two, at least 2.
        decay: more is smoother.
    """
    land, width, mesh = None, FIRST, side
    while mesh >= 2:
        count = side // mesh
        push = draws.uniform(3, count, count, low=-(width**2), high=width**2)
        corners = torch.zeros_like(push[:, 0]) if land is None else land
        land = _refined(corners, push)
        width, mesh = width / decay, mesh // 2
    land -= land.amin((1, 2), keepdim=True)
    return land.div_(land.amax((1, 2), keepdim=True))


def _refined(corners: Tensor, push: Tensor) -> Tensor:
    """From (n, m, m) corners to (n, 2m, 2m) points."""
    across, down = (corners + corners.roll(-1, axis) for axis in (2, 1))
    centres = (down + down.roll(-1, 2)) / 4 + push[:, 0]
    fine = corners.new_empty(len(corners), 2 * corners.shape[1], 2 * corners.shape[2])
    fine[:, ::2, ::2], fine[:, 1::2, 1::2] = corners, centres
    fine[:, ::2, 1::2] = (centres + centres.roll(1, 1) + across) / 4 + push[:, 1]
    fine[:, 1::2, ::2] = (centres + centres.roll(1, 2) + down) / 4 + push[:, 2]
    return fine
