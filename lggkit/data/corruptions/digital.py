"""Digital: contrast, pixelate and JPEG (elastic has a file of its own)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from io import BytesIO

import numpy as np
import torch
from torch import Tensor

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import rounded, truncated, unit

WORKERS = min(os.cpu_count() or 1, 16)


def contrast(images: Tensor, draws: Draws, share: float) -> Tensor:
    """(x - mean) · share + mean, with the mean of each channel of each image."""
    pixels = images.shape[2] * images.shape[3]
    total = images.sum((2, 3), dtype=torch.int64, keepdim=True).double()
    constant = (total * ((1 - share) / (255 * pixels))).float()
    return truncated(unit(images).mul_(share).add_(constant))


def pixelate(images: Tensor, draws: Draws, share: float) -> Tensor:
    """Shrunk to ⌊share · size⌋ and back by means over boxes; equal to Pillow's, bit for bit.

    Pillow goes first along rows and then along columns, with bytes in between.
    """
    h, w = images.shape[2:]
    small = (int(h * share), int(w * share))
    return _resized(_resized(images, small), (h, w))


def _resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    h, w = images.shape[2:]
    down, across = (_boxes(old, new).to(images.device) for old, new in zip((h, w), size, strict=True))
    narrow = rounded(images.float() @ across.T)
    return rounded(down @ narrow.float())


@lru_cache(maxsize=64)
def _boxes(old: int, new: int) -> Tensor:
    """Weights (new, old) of the pixels whose centres lie in the box of each new one."""
    scale = old / new
    centres = (np.arange(new)[:, None] + 0.5) * scale
    offset = (np.arange(old) - centres + 0.5) / max(scale, 1)
    inside = ((offset > -0.5) & (offset <= 0.5)).astype(np.float32)
    return torch.from_numpy(inside / inside.sum(1, keepdims=True))


def jpeg_compression(images: Tensor, draws: Draws, quality: int) -> Tensor:
    """Written as JPEG and read again, by Pillow on the CPU, in threads (libjpeg lets go of Python's lock)."""
    rows = images.permute(0, 2, 3, 1).cpu().contiguous().numpy()
    parts = np.array_split(rows, min(WORKERS, len(rows)))
    with ThreadPoolExecutor(len(parts)) as pool:
        done = list(pool.map(lambda part: [_through_jpeg(row, quality) for row in part], parts))
    seen = np.stack([row for part in done for row in part]).reshape(rows.shape)
    return torch.from_numpy(seen).permute(0, 3, 1, 2).contiguous().to(images.device)


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(
        stream, "JPEG", quality=quality
    )
    return np.asarray(Image.open(stream))
