"""What `corrupt` may be given."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch

from lggkit.data.checks import a_tensor, as_integer

SMALLEST = 8
PLACES = 2**31
"""As many images have random numbers of their own."""


def check_images(images: Any) -> None:
    """Refuses what is no uint8 tensor (n, c, h, w), c = 1 or 3, h and w at least 8."""
    a_tensor("images", images)
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8 (0..255), not {images.dtype}: corrupt before normalising.")
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[1] not in (1, 3) or min(shape[2:]) < SMALLEST:
        raise ValueError(
            f"images must be (n, c, h, w) with c = 1 or 3 and h, w >= {SMALLEST}, not {shape}: reshape them."
        )


def severity_of(value: Any) -> int:
    """1..5, of any kind of integer."""
    try:
        return as_integer("severity", value, 1, 5)
    except (TypeError, ValueError):
        raise ValueError(f"severity is {value!r}: give an integer from 1 (mild) to 5 (strong).") from None


def seed_of(value: Any) -> int:
    """Any integer, however large."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return as_integer("seed", value)


def offset_of(value: Any, count: int) -> int:
    """The place of the first of ``count`` images, so that all places have random numbers."""
    offset = as_integer("offset", value)
    if not 0 <= offset <= PLACES - max(count, 1):
        raise ValueError(f"offset is {offset}: give the first image's place in its set, 0 to 2**31.")
    return offset


def version_of(value: Any, versions: Collection[int]) -> int:
    """One of the versions of the generator, of any kind of integer."""
    try:
        version = as_integer("version", value)
    except (TypeError, ValueError):
        version = None
    if version not in versions:
        raise ValueError(f"version is {value!r}: choose one of {', '.join(map(str, versions))}.")
    return version
