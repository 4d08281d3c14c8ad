"""A contact sheet of the corruptions."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.data.corruptions.catalog import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.data.corruptions.versions import NEWEST


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
