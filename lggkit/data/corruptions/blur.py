"""Blur: defocus, glass, motion and zoom."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import rounded, truncated, unit
from lggkit.data.corruptions.shifts import correlate, gaussian_kernel, line_blur, zoomed


def defocus_blur(
    images: Tensor, draws: Draws, radius: float, alias: float, whole: float, dtype: torch.dtype, kernel: str
) -> Tensor:
    """Mean over a disk whose edge is softened by a 3x3 Gaussian; the border is mirrored.

    ``whole`` levels are added before truncation; ``dtype`` is of the images, ``kernel`` of the disk
    (`Version`).
    """
    return truncated(correlate(unit(images, dtype), disk(radius, alias, kernel), "reflect"), whole)


@lru_cache(maxsize=16)
def disk(radius: float, alias: float, dtype: str) -> np.ndarray:
    """The kernel of ``defocus_blur``, float64 (2r+1, 2r+1) with r = ⌊radius⌋ + 1, its sum is about 1.

    The benchmark's kernel is 17x17, with zeros around. OpenCV softens it in ``dtype`` float32, by rows and
    then by columns; what this rounds away shows where a sum is nearly a whole level.
    """
    reach = int(radius) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = (rows**2 + columns**2 <= radius**2).astype(dtype)
    beside, middle, _ = gaussian_kernel(alias, 1).astype(dtype)
    soft = np.pad(inside / inside.sum(), 1)
    soft = middle * soft[:, 1:-1] + beside * (soft[:, :-2] + soft[:, 2:])
    return (middle * soft[1:-1] + beside * (soft[:-2] + soft[2:])).astype(np.float64)


def glass_blur(
    images: Tensor, draws: Draws, sigma: float, rounds: int, whole: float, dtype: torch.dtype
) -> Tensor:
    """Gaussian blur, ``rounds`` times a random neighbour in each pixel's place, Gaussian blur.

    The benchmark means to swap a pixel with its neighbour. Its two sides are views of the same array, so that
    it copies the neighbour, and the published arrays show that. The neighbour lies above, to the left, or
    both, or is the pixel itself, and the loop runs from the bottom right, so that what is copied is never
    what was changed: a round is one gather. ``whole`` levels are added before truncation; ``dtype`` is of
    the images (`Version`).
    """
    x = truncated(_soft(unit(images, dtype), sigma), whole)
    for _ in range(rounds):
        x = _copied(x, draws)
    return truncated(_soft(unit(x, dtype), sigma), whole)


def _soft(x: Tensor, sigma: float) -> Tensor:
    radius = int(4 * sigma + 0.5)
    kernel = gaussian_kernel(sigma, radius)
    return correlate(correlate(x, kernel[:, None], "replicate"), kernel[None], "replicate")


def _copied(x: Tensor, draws: Draws) -> Tensor:
    height, width = x.shape[-2:]
    rows, columns = (torch.arange(side, device=x.device) for side in (height, width))
    place = rows[:, None] * width + columns
    down, right = draws.signs(2, height - 2, width - 2).long().unbind(1)
    source = place.repeat(len(x), 1, 1)
    source[:, 2:, 2:] += down * width + right
    source = source.flatten(1)[:, None].expand(-1, x.shape[1], -1)
    return x.flatten(2).gather(2, source).view(x.shape)


def motion_blur(images: Tensor, draws: Draws, radius: int, sigma: float, carry: float) -> Tensor:
    """One-sided Gaussian along a line of a random angle in (-45°, 45°).

    ImageMagick's, without ImageMagick; ``carry`` levels are added before fractions are cut off (`Version`).
    """
    angles = draws.uniform(low=-45.0, high=45.0)
    return rounded(line_blur(images.float(), angles, radius, sigma), carry)


def zoom_blur(images: Tensor, draws: Draws, largest: float) -> Tensor:
    """Mean of the image and of its zooms by 1, 1.01, …, the sum being divided by their number plus 1.

    The zooms end below ``largest``, but where rounding makes numpy's range include its end (1.06 and 1.11 of
    the benchmark's levels), at it.
    """
    x = unit(images)
    factors = np.arange(1, largest, 0.01)
    total = x.clone()
    for factor in factors:
        total.add_(zoomed(x, float(factor)))
    return truncated(total.div_(len(factors) + 1))
