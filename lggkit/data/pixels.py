"""From bytes to network input, and the statistics that this takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def to_float(images: Tensor) -> Tensor:
    """uint8 0..255 -> float32 on [0, 1] (``x / 255``, as torchvision's ``ToTensor``); floats pass unchanged.

    Raises ``TypeError`` for other dtypes.
    """
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

    ``images``: uint8 0..255, or floating on [0, 1], (..., c, h, w). ``mean``, ``std``: (c,) on [0, 1].
    Computed in float32 (or the images' floating dtype), returned as ``dtype``; ``channels_last`` lays out a
    4-dimensional result so. Raises ``ValueError`` when the statistics do not have one entry a channel.
    """
    unit = to_float(images)
    mean = _per_channel("mean", mean, unit)
    centred = unit - mean if unit is images else unit.sub_(mean)
    scaled = centred.div_(_per_channel("std", std, unit))
    layout = torch.channels_last if channels_last else torch.preserve_format
    return scaled.to(dtype, memory_format=layout)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (population) standard deviation per channel of uint8 (n, c, h, w): float64 (c,) on [0, 1].

    Exact: from a histogram of the 256 levels, so that no float copy of the set is made.
    """
    levels = torch.arange(256, dtype=torch.float64, device=images.device) / 255
    counts = [torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(1)]
    share = torch.stack(counts).double() / counts[0].sum()
    mean = share @ levels
    variance = (share * (levels - mean[:, None]).square()).sum(1)
    return mean, variance.sqrt()


def _per_channel(what: str, values: Tensor | Sequence[float], images: Tensor) -> Tensor:
    values = torch.as_tensor(values, dtype=images.dtype, device=images.device)
    if values.shape != images.shape[-3:-2]:
        seen, channels = tuple(values.shape), images.shape[-3]
        raise ValueError(f"{what} has shape {seen} for {channels} channels: give one number per channel.")
    return values[:, None, None]
