"""The fifteen corruptions by name, with their parameters at the five CIFAR severities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.data.corruptions import blur, digital, elastic, noise, weather
from lggkit.data.corruptions.draws import Draws

SMALLEST = 8
CHUNK = {"cpu": 64, "other": 2048}
"""Images at a time: on a CPU as many as stay in its caches."""


@dataclass(frozen=True)
class Corruption:
    """An operation ``(images, draws, *parameters)`` on uint8 (n, c, h, w), and its parameters by severity."""

    operation: Callable[..., Tensor]
    parameters: tuple[tuple[float, ...], ...]


TABLE: dict[str, Corruption] = {
    "gaussian_noise": Corruption(noise.gaussian_noise, ((0.04,), (0.06,), (0.08,), (0.09,), (0.10,))),
    "shot_noise": Corruption(noise.shot_noise, ((500,), (250,), (100,), (75,), (50,))),
    "impulse_noise": Corruption(noise.impulse_noise, ((0.01,), (0.02,), (0.03,), (0.05,), (0.07,))),
    "defocus_blur": Corruption(blur.defocus_blur, ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1))),
    "glass_blur": Corruption(blur.glass_blur, ((0.05, 1), (0.25, 1), (0.4, 1), (0.25, 2), (0.4, 2))),
    "motion_blur": Corruption(blur.motion_blur, ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5))),
    "zoom_blur": Corruption(blur.zoom_blur, ((1.06,), (1.11,), (1.16,), (1.21,), (1.26,))),
    "snow": Corruption(
        weather.snow,
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
    ),
    "frost": Corruption(weather.frost, ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45))),
    "fog": Corruption(weather.fog, ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75))),
    "brightness": Corruption(weather.brightness, ((0.05,), (0.1,), (0.15,), (0.2,), (0.3,))),
    "contrast": Corruption(digital.contrast, ((0.75,), (0.5,), (0.4,), (0.3,), (0.15,))),
    "elastic_transform": Corruption(
        elastic.elastic_transform,
        ((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
    ),
    "pixelate": Corruption(digital.pixelate, ((0.95,), (0.9,), (0.85,), (0.75,), (0.65,))),
    "jpeg_compression": Corruption(digital.jpeg_compression, ((80,), (65,), (58,), (50,), (40,))),
}

CORRUPTIONS: tuple[str, ...] = tuple(TABLE)
SEVERITIES: tuple[int, ...] = (1, 2, 3, 4, 5)


def corrupt(images: Tensor, name: str, severity: int, seed: int = 0, offset: int = 0) -> Tensor:
    """Images under one of the fifteen corruptions of Hendrycks and Dietterich (2019): CIFAR-10-C-like.

    The operations and parameters are those with which CIFAR-10-C was made. Where its tools are not at hand
    (ImageMagick, OpenCV, photographs of frost) their formulas or a substitute are used, as the functions in
    this package say, and random numbers are others; so these images are *like* CIFAR-10-C and are not it.
    They are computed on the images' device, except for JPEG. Image i's random numbers depend on (seed, name,
    severity, offset + i) alone, hence neither on the batch nor on the device.

    Args:
        images: uint8 (n, c, h, w), one channel or three, h and w at least 8.
        name: one of ``CORRUPTIONS``.
        severity: 1..5.
        seed: of the random numbers, any integer.
        offset: place of the first image in its set, so that a set may come in parts.

    Returns:
        New images, uint8 (n, c, h, w), on the same device.

    Raises:
        TypeError: ``images`` are not uint8.
        ValueError: their shape is another, the name or severity is unknown, or the offset is negative or
            beyond 2³¹.
    """
    _check(images, name, severity, offset)
    operation, parameters = TABLE[name].operation, TABLE[name].parameters[severity - 1]
    if not len(images):
        return images.clone()
    places = torch.arange(offset, offset + len(images), device=images.device)
    size = CHUNK.get(images.device.type, CHUNK["other"])
    pairs = zip(images.contiguous().split(size), places.split(size), strict=True)
    parts = [operation(part, Draws(seed, name, severity, place), *parameters) for part, place in pairs]
    return torch.cat(parts)


def _check(images: Tensor, name: str, severity: int, offset: int) -> None:
    if name not in TABLE:
        raise ValueError(f"there is no corruption {name!r}: choose one of {', '.join(CORRUPTIONS)}.")
    if isinstance(severity, bool) or not isinstance(severity, int) or severity not in SEVERITIES:
        raise ValueError(f"severity is {severity!r}: give an integer from 1 (mild) to 5 (strong).")
    if not isinstance(images, Tensor):
        raise TypeError(f"images are a {type(images).__name__}: give a tensor, as of torch.from_numpy.")
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8 (0..255), not {images.dtype}: corrupt before normalising.")
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[1] not in (1, 3) or min(shape[2:]) < SMALLEST:
        raise ValueError(
            f"images must be (n, c, h, w) with c = 1 or 3 and h, w >= {SMALLEST}, not {shape}: reshape them."
        )
    if not 0 <= offset <= 2**31 - max(len(images), 1):
        raise ValueError(f"offset is {offset}: give the first image's place in its set, 0 to 2**31.")
