"""Noise: Gaussian, shot and impulse."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import truncated, unit


def gaussian_noise(images: Tensor, draws: Draws, scale: float) -> Tensor:
    """x + N(0, scale²), for each channel of each pixel."""
    return truncated(draws.normal(*images.shape[1:]).mul_(scale).add_(unit(images)))


def shot_noise(images: Tensor, draws: Draws, photons: float) -> Tensor:
    """Poisson(photons · x) / photons: photons are counted, ``photons`` of them where the image is white.

    The count is the quantile of a uniform number. With 256 possible rates, all distribution functions are one
    sorted table.
    """
    edges, counts = (t.to(images.device) for t in _poisson_table(photons))
    chosen = draws.words(*images.shape[1:]).long().add_(2**31).add_(images.long() << 32)
    seen = counts[torch.searchsorted(edges, chosen.flatten(), right=True)].view(images.shape)
    return truncated(seen.div_(photons))


@lru_cache(maxsize=8)
def _poisson_table(photons: float) -> tuple[Tensor, Tensor]:
    """Edges, int64 level·2³² + 2³²·P(count < c), sorted, and the count c before each of them, float32.

    A word w of a pixel with this level stands for the first count whose edge is beyond level·2³² + w.
    """
    rates = np.arange(256) * (photons / 255)
    spread = 8 * np.sqrt(rates) + 10
    lowest, highest = np.maximum(rates - spread, 0).astype(int), (rates + spread).astype(int)
    edges = [_edges(rate, a, b) for rate, a, b in zip(rates, lowest, highest, strict=True)]
    counts = [np.arange(a, b + 1) for a, b in zip(lowest, highest, strict=True)]
    table = np.concatenate([(level << 32) + row for level, row in enumerate(edges)])
    return torch.from_numpy(table), torch.from_numpy(np.concatenate(counts)).float()


def _edges(rate: float, lowest: int, highest: int) -> np.ndarray:
    """2³² times the distribution function at lowest..highest, the last one made whole, int64."""
    counts = np.arange(1, highest + 1)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(max(rate, 1e-300) / counts))]) - rate
    below = np.cumsum(np.exp(logarithms))[lowest:]
    edges = np.minimum(np.round(below * 2.0**32), 2.0**32).astype(np.int64)
    edges[-1] = 2**32
    return edges


def impulse_noise(images: Tensor, draws: Draws, amount: float) -> Tensor:
    """Salt and pepper: a share ``amount`` of all channel values become white or black, equally often."""
    chance = draws.uniform(*images.shape[1:])
    return images.masked_fill(chance < amount / 2, 255).masked_fill_(
        (chance >= amount / 2) & (chance < amount), 0
    )
