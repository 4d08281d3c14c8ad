"""The fifteen corruptions by name, with their parameters at the five CIFAR severities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.data.corruptions import blur, digital, elastic, noise, weather
from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.given import check_images, offset_of, seed_of, severity_of, version_of
from lggkit.data.corruptions.textures import Textures
from lggkit.data.corruptions.versions import NEWEST, VERSIONS

CHUNK = {"cpu": 64, "other": 2048}
"""Images at a time: on a CPU as many as stay in its caches."""


@dataclass(frozen=True)
class Corruption:
    """An operation ``(images, draws, *parameters, **options)`` on uint8 (n, c, h, w).

    Its parameters are by severity, its options by version: fields of `Version`, by name.
    """

    operation: Callable[..., Tensor]
    parameters: tuple[tuple[float, ...], ...]
    options: tuple[str, ...] = ()


TABLE: dict[str, Corruption] = {
    "gaussian_noise": Corruption(noise.gaussian_noise, ((0.04,), (0.06,), (0.08,), (0.09,), (0.10,))),
    "shot_noise": Corruption(noise.shot_noise, ((500,), (250,), (100,), (75,), (50,))),
    "impulse_noise": Corruption(noise.impulse_noise, ((0.01,), (0.02,), (0.03,), (0.05,), (0.07,))),
    "defocus_blur": Corruption(
        blur.defocus_blur,
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        ("whole", "dtype", "kernel"),
    ),
    "glass_blur": Corruption(
        blur.glass_blur, ((0.05, 1), (0.25, 1), (0.4, 1), (0.25, 2), (0.4, 2)), ("whole", "dtype")
    ),
    "motion_blur": Corruption(blur.motion_blur, ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)), ("carry",)),
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
        ("carry",),
    ),
    "frost": Corruption(
        weather.frost, ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)), ("textures",)
    ),
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


def corrupt(
    images: Tensor,
    name: str,
    severity: int,
    seed: int = 0,
    offset: int = 0,
    version: int = NEWEST,
    textures: Textures | None = None,
) -> Tensor:
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
        version: of the generator; 1 gives the images of earlier records, bit for bit.
        textures: of frost, such as `frost_photographs` reads; the version's own by default.

    Returns:
        New images, uint8 (n, c, h, w), on the same device.

    Raises:
        TypeError: ``images`` are no uint8 tensor, seed or offset no integer, or textures no `Textures`.
        ValueError: their shape is another, the name, severity or version is unknown, the offset is negative
            or beyond 2³¹, or a texture that is not periodic is too small.
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"there is no corruption {name!r}: choose one of {', '.join(CORRUPTIONS)}.")
    severity, seed, version = severity_of(severity), seed_of(seed), version_of(version, VERSIONS)
    check_images(images)
    if not isinstance(textures, Textures | None):
        raise TypeError(
            f"textures are a {type(textures).__name__}: give Textures, as of frost_photographs()."
        )
    offset = offset_of(offset, len(images))
    if not len(images):
        return images.clone()
    entry, places = TABLE[name], torch.arange(offset, offset + len(images), device=images.device)
    options = {field: getattr(VERSIONS[version], field) for field in entry.options}
    if textures is not None and "textures" in options:
        options["textures"] = textures.with_channels
    size = CHUNK.get(images.device.type, CHUNK["other"])
    pairs = zip(images.contiguous().split(size), places.split(size), strict=True)
    parts = [
        entry.operation(part, Draws(seed, name, severity, place), *entry.parameters[severity - 1], **options)
        for part, place in pairs
    ]
    return torch.cat(parts)


def corruption_sheet(images: Tensor, seed: int = 0, version: int = NEWEST) -> Tensor:
    """Images under every corruption: uint8 (corruptions, 1 + severities, c, h, w), the clean one first.

    Args:
        images: uint8 (n, c, h, w); the corruptions, made by `corrupt` whatever files there are, take them in
            turn.
        seed, version: of the corruptions.

    Raises:
        TypeError, ValueError: as for `corrupt`, or there are no images.
    """
    if not len(images):
        raise ValueError("there are no images to corrupt; give at least one")
    rows = []
    for i, name in enumerate(CORRUPTIONS):
        image = images[i % len(images)][None]
        made = (corrupt(image, name, severity, seed, version=version) for severity in SEVERITIES)
        rows.append(torch.cat([image, *made]))
    return torch.stack(rows)
