"""Moving, weighing and enlarging whole batches, each image's value being independent of its batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def correlate(x: Tensor, kernel: np.ndarray, mode: str) -> Tensor:
    """Sums (n, c, h, w) of shifted images weighted by a small kernel (2a+1, 2b+1), whose zeros cost nothing.

    In float64: many of these sums are whole levels but for a tiny weight, which decides their truncation. The
    border is padded in ``mode`` of ``F.pad``, ``"reflect"`` or ``"replicate"``.
    """
    a, b = (side // 2 for side in kernel.shape)
    height, width = x.shape[-2:]
    padded = F.pad(x.double(), (b, b, a, a), mode=mode)
    total = torch.zeros_like(x, dtype=torch.float64)
    for (i, j), weight in np.ndenumerate(kernel):
        if weight:
            total.add_(padded[..., i : i + height, j : j + width], alpha=float(weight))
    return total


def gaussian_kernel(sigma: float, radius: int) -> np.ndarray:
    """exp(-i²/2σ²) for i in -radius..radius, divided by the sum, float64 (2·radius + 1,)."""
    places = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (places / max(sigma, 1e-6)) ** 2)
    return weights / weights.sum()


def line_blur(x: Tensor, angles: Tensor, radius: int, sigma: float) -> Tensor:
    """One-sided Gaussian blur along a line, each image's at an angle of its own (ImageMagick's motion blur).

    The weights exp(-i²/2σ²), divided by their sum, belong to the pixels at
    (row, column) = (⌈i sin θ - ½⌉, ⌈i cos θ - ½⌉) from the one in question, i = 0..2·radius; outside the
    image its border is repeated. x is float32 (n, c, h, w), angles (n,) in degrees, radius and sigma in
    pixels.
    """
    weights = gaussian_kernel(sigma, 2 * radius)[2 * radius :]
    weights = [w for w in weights / weights.sum() if w > 1e-7]
    steps = torch.arange(len(weights), device=x.device)
    radians = (angles.double() * (math.pi / 180))[:, None]
    rows, columns = (torch.ceil(steps * side - 0.5).long() for side in (radians.sin(), radians.cos()))
    return _weighted_moves(x, rows, columns, weights)


def _weighted_moves(x: Tensor, rows: Tensor, columns: Tensor, weights: Sequence[float]) -> Tensor:
    """Σ_i weights[i] · x moved by (rows[:, i], columns[:, i]) of each image; one gather of rows a move."""
    n, c, h, w = x.shape
    pad = len(weights)
    padded = F.pad(x, (pad, pad, pad, pad), mode="replicate").contiguous()
    height, width = h + 2 * pad, w + 2 * pad
    runs = padded.as_strided((padded.numel() - w + 1, w), (1, 1))
    line = torch.arange(n * c, device=x.device)[:, None] * (height * width)
    first = line + torch.arange(h, device=x.device) * width + (pad * width + pad)
    moves = (rows * width + columns).repeat_interleave(c, 0)
    total = torch.zeros_like(x)
    for i, weight in enumerate(weights):
        starts = (first + moves[:, i, None]).flatten()
        total.add_(runs.index_select(0, starts).view_as(x), alpha=float(weight))
    return total


def zoomed(x: Tensor, factor: float) -> Tensor:
    """The middle ⌈h/factor⌉ x ⌈w/factor⌉ pixels, enlarged linearly and cut to (h, w).

    As ``scipy.ndimage.zoom(order=1)``: corners stay corners.
    """
    h, w = x.shape[-2:]
    (top, rows, tall), (left, columns, wide) = (_window(size, factor) for size in (h, w))
    middle = x[..., top : top + rows, left : left + columns]
    if (tall, wide) != (rows, columns):
        middle = F.interpolate(middle, size=(tall, wide), mode="bilinear", align_corners=True)
    first, start = (tall - h) // 2, (wide - w) // 2
    return middle[..., first : first + h, start : start + w]


def _window(size: int, factor: float) -> tuple[int, int, int]:
    """Where the middle starts, its size, and its size when enlarged."""
    part = math.ceil(size / factor)
    return (size - part) // 2, part, round(part * factor)
