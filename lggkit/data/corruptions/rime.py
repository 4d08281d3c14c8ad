"""Rime: five periodic textures whose statistics are those of the benchmark's photographs of frost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.frost import SIDE, filtered, frequencies
from lggkit.data.corruptions.textures import Textures

CROP, SLOW = 32, 4
"""Pixels of a crop; up to so many cycles a side, thickness differs between crops rather than within."""


@dataclass(frozen=True)
class Statistics:
    """What was measured on a photograph, scaled as in the benchmark: levels 0..255 in crops of 32x32.

    Args:
        mean: red, green and blue.
        between: standard deviation of the means of crops, averaged over colours.
        within: standard deviation in a crop, averaged over colours.
        decay: of the spectrum's amplitudes, radius^-decay: it sets the correlation of neighbouring pixels.
        tint: how much each colour follows the thickness of the ice; the mean of the three is 1.
    """

    mean: tuple[float, float, float]
    between: float
    within: float
    decay: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


FIVE = (
    Statistics((76.6, 148.2, 164.9), 11.2, 15.7, 0.715, tint=(1.40, 0.83, 0.77)),
    Statistics((198.9, 203.3, 212.7), 8.9, 18.1, 0.56),
    Statistics((198.7, 203.1, 212.4), 9.0, 18.0, 0.58),
    Statistics((143.2, 158.1, 170.8), 10.3, 26.2, 0.373),
    Statistics((102.8, 114.2, 125.9), 15.8, 34.3, 0.555),
)
"""In the order of the photographs. Neighbours correlate by .50, .38, .37, .23 and .36."""


@lru_cache(maxsize=2)
def rime(channels: int = 3) -> Textures:
    """A fine grain and a thickness that changes slowly, in the colours of the photographs.

    The benchmark keeps every fifth pixel of a photograph, so that of its crystals little is left but this.
    Five periodic textures of 192 x 192 pixels, of 3 channels, or of 1 for grey.
    """
    noise = Draws(0, "rime", 0, torch.arange(len(FIVE))).normal(2, SIDE, SIDE).double().numpy()
    ice = np.stack([_texture(*planes, wanted) for planes, wanted in zip(noise, FIVE, strict=True)])
    levels = torch.from_numpy(ice).round().clamp(0, 255).to(torch.uint8)
    return Textures(tuple(levels)).with_channels(channels)


def _texture(slow: np.ndarray, fine: np.ndarray, wanted: Statistics) -> np.ndarray:
    """Levels (3, SIDE, SIDE) with the statistics wanted, from two planes of white noise.

    Slow and fine parts share no frequency, so that their variances add up, between crops and within.
    """
    radius, _ = frequencies()
    near_by, far = radius**-wanted.decay * (radius > SLOW), np.exp(-((radius / 2) ** 2)) * (radius <= SLOW)
    parts = [filtered(slow, far), filtered(fine, near_by)]
    between = np.array([_crop_means(part).var() for part in parts])
    weights = np.linalg.solve([between, 1 - between], [wanted.between**2, wanted.within**2])
    thickness = sum(np.sqrt(weight) * part for weight, part in zip(weights, parts, strict=True))
    return thickness * np.reshape(wanted.tint, (3, 1, 1)) + np.reshape(wanted.mean, (3, 1, 1))


def _crop_means(field: np.ndarray) -> np.ndarray:
    """The means of all crops of a periodic field."""
    box = np.zeros_like(field)
    box[:CROP, :CROP] = 1 / CROP**2
    return np.fft.ifft2(np.fft.fft2(field) * np.fft.fft2(box)).real
