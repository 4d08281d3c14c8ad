"""A contact sheet of the corruptions."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.data.corruptions.catalog import CORRUPTIONS, SEVERITIES, corrupt


def corruption_sheet(images: Tensor, seed: int = 0) -> Tensor:
    """Images under every corruption: uint8 (corruptions, 1 + severities, c, h, w), the clean one first.

    Args:
        images: uint8 (n, c, h, w); the corruptions, made by `corrupt` whatever files
            there are, take them in turn.
        seed: of the corruptions.

    Raises:
        ValueError: there are no images.
    """
    if not len(images):
        raise ValueError("there are no images to corrupt; give at least one")
    rows = []
    for i, name in enumerate(CORRUPTIONS):
        image = images[i % len(images)][None]
        rows.append(torch.cat([image, *(corrupt(image, name, severity, seed) for severity in SEVERITIES)]))
    return torch.stack(rows)
