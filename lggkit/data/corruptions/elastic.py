"""Elastic: a random affine map, then a smooth random displacement."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import truncated, unit
from lggkit.data.corruptions.shifts import gaussian_kernel


def elastic_transform(images: Tensor, draws: Draws, strength: float, smooth: float, corners: float) -> Tensor:
    """Three points move by up to ``corners``, the plane with them; then each pixel by ``strength`` · noise.

    The noise is uniform on (-1, 1), smoothed by a Gaussian of standard deviation ``smooth``. All three are
    shares of the image's side. Both maps interpolate linearly; the first mirrors at the border's pixels, the
    second at their outer edges. OpenCV, used by the benchmark for the first, rounds places to 1/32 pixel;
    here they are not rounded.
    """
    side = min(images.shape[2:])
    columns, rows = _affine(draws, images.shape[2:], corners * side)
    moved = _sampled(unit(images), columns, rows, mirror_at_pixels=True)
    if strength:
        across, down = _displacement(draws, images.shape[2:], strength * side, smooth * side)
        columns, rows = _pixels(images.shape[2:], images.device)
        moved = _sampled(moved, columns + across, rows + down, mirror_at_pixels=False)
    return truncated(moved)


def _pixels(size: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    rows, columns = (torch.arange(side, dtype=torch.float64, device=device) for side in size)
    return columns, rows[:, None]


def _affine(draws: Draws, size: tuple[int, int], reach: float) -> tuple[Tensor, Tensor]:
    """Column and row, float64 (n, h, w), from which each pixel comes."""
    before = _triangle(size).to(draws.device)
    after = before + draws.uniform(3, 2, low=-reach, high=reach)
    ones = torch.ones_like(after[..., :1])
    # Unchecked, as a check would wait for the device: three corners that are moved a little span a plane.
    back, _ = torch.linalg.solve_ex(torch.cat((after, ones), -1), before.expand_as(after))
    x, y = _pixels(size, draws.device)
    a, b, c = (back[:, i, :, None, None] for i in range(3))
    return tuple((a * x + b * y + c).unbind(1))


def _triangle(size: tuple[int, int]) -> Tensor:
    """Three corners (column, row) of a square around the centre, float64 (3, 2)."""
    y, x, s = size[0] // 2, size[1] // 2, min(size) // 3
    return torch.tensor([[x + s, y + s], [x + s, y - s], [x - s, y - s]], dtype=torch.float64)


def _displacement(draws: Draws, size: tuple[int, int], strength: float, sigma: float) -> Tensor:
    """Across and down, float64 (2, n, h, w), in pixels."""
    noise = draws.uniform(2, *size, low=-1.0).double()
    down, across = (_smoothing(side, sigma).to(noise.device) for side in size)
    return (down @ noise @ across.T).mul_(strength).transpose(0, 1)


@lru_cache(maxsize=32)
def _smoothing(side: int, sigma: float) -> Tensor:
    """Gaussian filter, cut off at 3 sigma, of ``side`` pixels mirrored at their outer edges, (side, side)."""
    radius = int(3 * sigma + 0.5)
    reached = np.arange(side)[:, None] + np.arange(-radius, radius + 1)
    folded = reached % (2 * side)
    folded = np.minimum(folded, 2 * side - 1 - folded)
    matrix = np.zeros((side, side))
    weights = np.broadcast_to(gaussian_kernel(sigma, radius), reached.shape)
    np.add.at(matrix, (np.arange(side)[:, None], folded), weights)
    return torch.from_numpy(matrix)


def _sampled(x: Tensor, columns: Tensor, rows: Tensor, mirror_at_pixels: bool) -> Tensor:
    """The image at fractional columns and rows, (n, h, w) each."""
    places = []
    for place, side in ((columns, x.shape[3]), (rows, x.shape[2])):
        scale = 2 / (side - 1) if mirror_at_pixels else 2 / side
        places.append(place * scale + (-1 if mirror_at_pixels else 1 / side - 1))
    grid = torch.stack(places, -1).float()
    return F.grid_sample(x, grid, "bilinear", "reflection", align_corners=mirror_at_pixels)
