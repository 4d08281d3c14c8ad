"""Weather: snow, frost, fog and brightness."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import grey, rounded, truncated, unit
from lggkit.data.corruptions.shifts import line_blur, zoomed
from lggkit.data.corruptions.textures import Textures


def snow(
    images: Tensor,
    draws: Draws,
    mean: float,
    spread: float,
    zoom: float,
    threshold: float,
    radius: int,
    sigma: float,
    share: float,
    carry: float,
) -> Tensor:
    """A whitened image under flakes that fall in two opposite directions.

    share · x + (1 - share) · max(x, 1.5 grey + 0.5) + flakes + flakes turned by 180°.
    """
    x = unit(images)
    whitened = torch.maximum(x, grey(x) * 1.5 + 0.5).mul_(1 - share).add_(x, alpha=share)
    falling = flakes(draws, images.shape[2:], mean, spread, zoom, threshold, radius, sigma, carry)
    return truncated(whitened.add_(falling).add_(falling.flip(2, 3)))


def flakes(
    draws: Draws,
    size: tuple[int, int],
    mean: float,
    spread: float,
    zoom: float,
    threshold: float,
    radius: int,
    sigma: float,
    carry: float,
) -> Tensor:
    """N(mean, spread²), enlarged, what is below the threshold gone, smeared at an angle in (-135°, -45°).

    ImageMagick's smear (`line_blur`), between bytes, as in the benchmark; ``carry`` as in `motion_blur`.
    On [0, 1], (n, 1, h, w).
    """
    layer = zoomed(draws.normal(1, *size).mul_(spread).add_(mean), zoom)
    fallen = truncated(layer.masked_fill(layer < threshold, 0)).float()
    angles = draws.uniform(low=-135.0, high=-45.0)
    return unit(rounded(line_blur(fallen, angles, radius, sigma), carry))


def frost(
    images: Tensor, draws: Draws, share: float, amount: float, textures: Callable[[int], Textures]
) -> Tensor:
    """share · image + amount · a random part of one of the textures, ``textures(c)``.

    The textures are ours (`Version`), not the photographs of the benchmark, unless `corrupt` gets these.
    """
    part = textures(images.shape[1]).parts(draws, tuple(images.shape[2:]))
    return truncated(images.float().mul_(share).add_(part.float(), alpha=amount).div_(255))


def fog(images: Tensor, draws: Draws, amount: float, decay: float) -> Tensor:
    """(x + amount · plasma) · max / (max + amount), max being the image's largest value."""
    x = unit(images)
    largest = x.amax((1, 2, 3), keepdim=True)
    h, w = images.shape[2:]
    side = 1 << (max(h, w) - 1).bit_length()
    x.add_(plasma(draws, side, decay)[:, None, :h, :w], alpha=amount)
    return truncated(x.mul_(largest / (largest + amount)))


def brightness(images: Tensor, draws: Draws, more: float) -> Tensor:
    """The value of HSV plus ``more``, at most 1; hue and saturation stay.

    Red, green and blue are proportional to the value, so that they are multiplied by new / old; black, which
    has no hue, becomes grey.
    """
    x = unit(images)
    value = x.amax(1, keepdim=True)
    brighter = (value + more).clamp_(max=1)
    return truncated(torch.where(value > 0, x * (brighter / value), brighter))


FIRST = 100.0
"""Half-width of the first displacements is the square of this."""


def plasma(draws: Draws, side: int, decay: float) -> Tensor:
    """A periodic random landscape for each image, float32 (n, side, side), from 0 to 1.

    Centres of squares, then of diamonds, get the mean of their four corners and a displacement, which is
    uniform with a half-width that falls by decay² each time that the mesh is halved. ``side`` is a power of
    two, at least 2; 3 · (side/mesh)² displacements are drawn for each mesh.
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
