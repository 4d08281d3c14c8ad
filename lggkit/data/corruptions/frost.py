"""Feathers of frost: the five periodic textures of version 1, and what textures are made with."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import grey
from lggkit.data.corruptions.textures import Textures

SIDE = 192
COUNT = 5
ICE = (0.78, 0.89, 1.0)
"""Colour of thin ice; thick ice is white."""


@lru_cache(maxsize=2)
def feathers(channels: int = 3) -> Textures:
    """Bluish-white needles and feathers on a dark pane, thick in some places and thin in others.

    Needles are noise whose spectrum is confined to narrow ranges of directions, feathers are the ridges of
    noise with a spectrum 1/f; both lie under a slowly varying thickness. They are darker and smoother than
    the benchmark's photographs (see `lggkit.data.corruptions.rime`). Five periodic textures of 192 x 192
    pixels, of 3 channels, or of 1 for grey.
    """
    places = torch.arange(COUNT)
    noise = Draws(0, "frost texture", 0, places).normal(6, SIDE, SIDE).double().numpy()
    ice = torch.from_numpy(np.stack([_texture(planes, k) for k, planes in enumerate(noise)]))
    ice = ice if channels == 3 else grey(ice)
    return Textures(tuple((ice * 255).round().to(torch.uint8)))


def _texture(noise: np.ndarray, number: int) -> np.ndarray:
    """(3, SIDE, SIDE) on [0, 1] from six planes of white noise."""
    radius, angle = frequencies()
    thickness = _uniform(filtered(noise[0], np.exp(-((radius / 3) ** 2))))
    feathers = 1 - np.abs(filtered(noise[1], radius**-1.5 * (radius > 3))) / 1.2
    needles = [_needles(noise[2 + i], angle - (number + i * 1.3), radius) for i in range(4)]
    crystal = np.clip(0.55 * feathers + 0.5 * np.max(needles, 0), 0, 1.4)
    bright = np.clip((0.3 + 0.7 * thickness) * (0.35 + 0.75 * crystal), 0, 1)
    return np.stack([bright * (tint + (1 - tint) * bright) for tint in ICE])


def _needles(noise: np.ndarray, turned: np.ndarray, radius: np.ndarray) -> np.ndarray:
    narrow = np.exp(8 * (np.cos(2 * turned) - 1)) * radius**-1.0 * (radius > 4) * (radius < 40)
    return np.clip(filtered(noise, narrow), 0, 2.5) / 2.5


def frequencies() -> tuple[np.ndarray, np.ndarray]:
    """Cycles a side, at least 1, and direction."""
    rows, columns = np.meshgrid(*2 * [np.fft.fftfreq(SIDE, 1 / SIDE)], indexing="ij")
    return np.maximum(np.hypot(rows, columns), 1), np.arctan2(rows, columns)


def filtered(noise: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """With mean 0 and standard deviation 1."""
    field = np.fft.ifft2(np.fft.fft2(noise) * gain).real
    return (field - field.mean()) / field.std()


def _uniform(field: np.ndarray) -> np.ndarray:
    """Ranks divided by their number."""
    ranks = np.empty(field.size)
    ranks[field.ravel().argsort()] = np.arange(field.size) / field.size
    return ranks.reshape(field.shape)
