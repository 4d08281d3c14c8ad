"""The corruption benchmark at a glance: one image, fifteen corruptions, five severities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 2


def contact_sheet(images: Tensor, seed: int = 0) -> Figure:
    """Thumbnails of CIFAR-10-C-like images, a column a corruption and a row a severity, the clean one above.

    Args:
        images: uint8 (n, c, h, w), one channel or three; the columns take them in turn.
        seed: of the corruptions.

    Raises:
        ValueError: there are no images.
    """
    import matplotlib.pyplot as plt

    if not len(images):
        raise ValueError("there are no images to show; give at least one")
    columns = [_column(images[i % len(images)][None], name, seed) for i, name in enumerate(CORRUPTIONS)]
    height, width = (side + GAP for side in images.shape[2:])
    figure, ax = plt.subplots(figsize=(12, 4.9))
    ax.imshow(torch.cat(columns, 2).permute(1, 2, 0).expand(-1, -1, 3).numpy(), interpolation="nearest")
    names = [name.replace("_", "\n") for name in CORRUPTIONS]
    ax.set_xticks([(i + 0.5) * width for i in range(len(names))], names, fontsize="small")
    ax.set_yticks([(i + 0.5) * height for i in range(1 + len(SEVERITIES))], ["clean", *SEVERITIES])
    ax.set(ylabel="severity", frame_on=False)
    ax.tick_params(length=0)
    return figure


def _column(image: Tensor, name: str, seed: int) -> Tensor:
    """The clean image and its five corruptions, one below the other, uint8 (c, h, w)."""
    cells = [image, *(corrupt(image, name, severity, seed) for severity in SEVERITIES)]
    white = (0, GAP, 0, GAP)
    return torch.cat([torch.nn.functional.pad(cell[0].cpu(), white, value=255) for cell in cells], 1)
