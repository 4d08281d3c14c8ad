"""Random crop of the zero-padded image and horizontal flip, for a whole batch on its device.

The distribution is that of torchvision's ``RandomCrop(h, padding=pad)`` followed by
``RandomHorizontalFlip()``: every one of the (2·pad + 1)² offsets and both directions equally likely,
independently for each image. Drawing and applying are apart, because a captured graph and seeds that train
together bring their own offsets.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.data.checks import a_tensor, as_integer, check_generator


def augment(images: Tensor, generator: torch.Generator, pad: int = 4, flip: bool = True) -> Tensor:
    """Randomly crop and flip a batch, each image by a draw of its own.

    The distribution is that of torchvision's ``RandomCrop(h, padding=pad)``, then ``RandomHorizontalFlip()``.

    Args:
        images: uint8 (..., c, h, w), at least 4 dimensions.
        generator: of the draws, on any device.
        pad: zeros added on each side before the crop, in pixels, at least 0.
        flip: whether half of the images, on average, are mirrored.

    Returns:
        New images, uint8 (..., c, h, w).

    Raises:
        TypeError: ``images`` are no uint8 tensor, or ``pad`` is no integer.
        ValueError: ``images`` have fewer than 4 dimensions, or ``pad`` is negative.
    """
    _check_images(images)
    offsets, flips = draw_augmentation(images.shape[:-3], generator, pad, flip)
    return apply_augmentation(images, offsets.to(images.device), flips.to(images.device), pad)


def draw_augmentation(
    n: int | tuple[int, ...], generator: torch.Generator, pad: int = 4, flip: bool = True
) -> tuple[Tensor, Tensor]:
    """The random choices of ``augment``: an offset and a direction for each image, all equally likely.

    Args:
        n: number of images, or a shape such as (seeds, n).
        generator: of the draws.
        pad: as in ``augment``.
        flip: without it the flips are False, and the generator advances all the same, so that arms with and
            without flips share their offsets.

    Returns:
        Crop offsets, int64 (n, 2) in 0..2·pad (row, column), and flips, bool (n,), on the generator's device.

    Raises:
        TypeError: ``pad`` or ``n`` is no integer.
        ValueError: one is negative.
    """
    check_generator(generator)
    pad = as_integer("pad", pad, 0)
    shape = tuple(as_integer("n", m, 0) for m in (n if isinstance(n, Sequence) else (n,)))
    offsets = torch.randint(2 * pad + 1, (*shape, 2), generator=generator, device=generator.device)
    flips = torch.randint(2, shape, generator=generator, device=generator.device) == 1
    return offsets, flips if flip else torch.zeros_like(flips)


def apply_augmentation(images: Tensor, offsets: Tensor, flips: Tensor, pad: int = 4) -> Tensor:
    """Crop the zero-padded images at their offsets and mirror the flipped ones; one gather for all.

    A mirrored crop is a crop of the mirrored image at the mirrored column; with both images at hand every row
    of a result is a run of consecutive bytes.

    Args:
        images: uint8 (..., c, h, w), at least 4 dimensions.
        offsets: int64 (..., 2) in 0..2·pad (row, column), on the images' device.
        flips: bool (...), on the images' device.
        pad: zeros added on each side, in pixels.

    Returns:
        New images, uint8 (..., c, h, w).

    Raises:
        TypeError: a dtype is another.
        ValueError: the shapes do not fit, or offsets are out of range (seen on the CPU only: to look at them
            on another device would wait for it).
    """
    _check_images(images)
    _check_draw(images, offsets, flips, pad)
    both = F.pad(torch.stack((images, images.flip(-1))), (pad, pad, pad, pad)).flatten()
    width = images.shape[-1]
    runs = both.as_strided((max(both.numel() - width + 1, 0), width), (1, 1))
    starts = _row_starts(offsets.reshape(-1, 2), flips.flatten(), images.shape[-3:], pad)
    return runs.index_select(0, starts).view(images.shape)


def _row_starts(offsets: Tensor, flips: Tensor, shape: torch.Size, pad: int) -> Tensor:
    """Where each row of each result begins in the flat (2, n, c, h + 2·pad, w + 2·pad), int64 (n·c·h,)."""
    c, h, w = shape
    rows, columns = offsets.unbind(-1)
    columns = torch.where(flips, 2 * pad - columns, columns)
    height, width = h + 2 * pad, w + 2 * pad
    image = torch.arange(len(flips), device=flips.device) + len(flips) * flips
    first = image * (c * height * width) + rows * width + columns
    channel = torch.arange(c, device=flips.device)[:, None] * (height * width)
    row = torch.arange(h, device=flips.device) * width
    return (first[:, None, None] + channel + row).flatten()


def _check_images(images: Tensor) -> None:
    a_tensor("images", images)
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8, not {images.dtype}: augment before normalising.")
    if images.ndim < 4:
        raise ValueError(
            f"images must be (..., n, c, h, w), not {tuple(images.shape)}: add a batch dimension."
        )


def _check_draw(images: Tensor, offsets: Tensor, flips: Tensor, pad: int) -> None:
    a_tensor("offsets", offsets)
    a_tensor("flips", flips)
    batch = tuple(images.shape[:-3])
    if not torch.compiler.is_compiling():
        as_integer("pad", pad, 0)
    if offsets.dtype != torch.int64 or flips.dtype != torch.bool:
        raise TypeError(f"offsets must be int64 and flips bool, not {offsets.dtype} and {flips.dtype}.")
    if offsets.shape != (*batch, 2) or flips.shape != batch:
        seen = f"{tuple(offsets.shape)} and {tuple(flips.shape)}"
        raise ValueError(
            f"offsets and flips must be {(*batch, 2)} and {batch}, not {seen}: draw one for each image."
        )
    if torch.compiler.is_compiling() or offsets.device.type != "cpu" or not offsets.numel():
        return
    low, high = offsets.aminmax()
    if low < 0 or high > 2 * pad:
        raise ValueError(
            f"offsets reach from {low} to {high}, outside 0..{2 * pad}: draw them with pad={pad}."
        )
