"""From bytes to network input, and the statistics that this takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.data.checks import a_tensor


def to_float(images: Tensor) -> Tensor:
    """Bytes as numbers on [0, 1]: ``x / 255``, as torchvision's ``ToTensor``.

    Args:
        images: uint8 in 0..255, any shape; floats pass unchanged.

    Returns:
        float32 of the same shape, or the very floats.

    Raises:
        TypeError: another dtype, or no tensor.
    """
    a_tensor("images", images)
    if images.is_floating_point():
        return images
    if images.dtype != torch.uint8:
        raise TypeError(
            f"images must be uint8 (0..255) or floating ([0, 1]), not {images.dtype}: convert them first."
        )
    return images.float().div_(255)


def normalize(
    images: Tensor,
    mean: Tensor | Sequence[float],
    std: Tensor | Sequence[float],
    dtype: torch.dtype = torch.float32,
    channels_last: bool = False,
) -> Tensor:
    """``(x / 255 - mean) / std`` per channel, bit for bit torchvision's ``ToTensor`` and ``Normalize``.

    Computed in float32, or in the images' floating dtype.

    Args:
        images: uint8 in 0..255, or floating on [0, 1], (..., c, h, w).
        mean, std: (c,), on the [0, 1] scale.
        dtype: of the result.
        channels_last: the memory layout of a 4-dimensional result.

    Returns:
        Normalised images (..., c, h, w).

    Raises:
        TypeError: ``images`` are neither uint8 nor floating.
        ValueError: the statistics do not have one entry a channel, or (seen on the CPU only) a deviation is
            not positive, or one of them not finite.
    """
    unit = to_float(images)
    mean = _per_channel("mean", mean, unit)
    centred = unit - mean if unit is images else unit.sub_(mean)
    scaled = centred.div_(_per_channel("std", std, unit))
    layout = torch.channels_last if channels_last else torch.preserve_format
    return scaled.to(dtype, memory_format=layout)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (population) standard deviation of each channel.

    Exact: from a histogram of the 256 levels, so that no float copy of the set is made. It waits for the
    device.

    Args:
        images: uint8 (n, c, h, w).

    Returns:
        Mean and standard deviation, float64 (c,) each, on the [0, 1] scale.

    Raises:
        TypeError: ``images`` are not uint8.
        ValueError: their shape is another, or there are none.
    """
    a_tensor("images", images)
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8 (0..255), not {images.dtype}: convert them first.")
    if images.ndim != 4 or not images.numel():
        raise ValueError(f"images must be (n, c, h, w), at least one, not {tuple(images.shape)}.")
    levels = torch.arange(256, dtype=torch.float64, device=images.device) / 255
    counts = [torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(1)]
    share = torch.stack(counts).double() / counts[0].sum()
    mean = share @ levels
    variance = (share * (levels - mean[:, None]).square()).sum(1)
    return mean, variance.sqrt()


def _per_channel(what: str, values: Tensor | Sequence[float], images: Tensor) -> Tensor:
    try:
        seen = values if isinstance(values, Tensor) else torch.as_tensor(values, dtype=images.dtype)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{what} is {values!r:.80}: give one number per channel.") from None
    if seen.shape != images.shape[-3:-2] or images.ndim < 3:
        channels = images.shape[-3] if images.ndim > 2 else "no"
        raise ValueError(
            f"{what} has shape {tuple(seen.shape)} for {channels} channels: give one number per channel."
        )
    if seen.device.type == "cpu" and not torch.compiler.is_compiling():
        _check_values(what, seen)
    return seen.to(images.device, images.dtype)[:, None, None]


def _check_values(what: str, values: Tensor) -> None:
    fit = values.isfinite() & (values > 0 if what == "std" else True)
    if not fit.all():
        kind = "positive" if what == "std" else "finite"
        raise ValueError(f"{what} is {values.tolist()}: give {kind} numbers, on the [0, 1] scale.")
