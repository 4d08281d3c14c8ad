"""The corruption benchmark at a glance: an image a corruption, at five severities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 2


def contact_sheet(cells: np.ndarray) -> Figure:
    """Thumbnails of CIFAR-10-C-like images, a column a corruption and a row a severity, the clean one above.

    Args:
        cells: uint8 (corruptions, 1 + severities, c, h, w), one channel or three, as
            `lggkit.data.corruptions.corruption_sheet` makes them.

    Raises:
        ValueError: these are not all corruptions and severities.
    """
    import matplotlib.pyplot as plt

    if cells.shape[:2] != (len(CORRUPTIONS), 1 + len(SEVERITIES)):
        raise ValueError(
            f"cells are of shape {cells.shape}; give {len(CORRUPTIONS)} corruptions, each clean and at "
            f"{len(SEVERITIES)} severities"
        )
    height, width = (side + GAP for side in cells.shape[3:])
    padded = np.pad(cells, ((0, 0), (0, 0), (0, 0), (0, GAP), (0, GAP)), constant_values=255)
    sheet = padded.transpose(1, 3, 0, 4, 2).reshape(cells.shape[1] * height, cells.shape[0] * width, -1)
    figure, ax = plt.subplots(figsize=(7.2, 3.8))
    ax.imshow(np.broadcast_to(sheet, (*sheet.shape[:2], 3)), interpolation="nearest")
    names = [name.replace("_", " ") for name in CORRUPTIONS]
    ax.set_xticks([(i + 0.5) * width for i in range(len(names))], names, fontsize=9, rotation=90)
    ax.set_yticks([(i + 0.5) * height for i in range(1 + len(SEVERITIES))], ["clean", *SEVERITIES])
    ax.set(ylabel="severity", frame_on=False)
    ax.tick_params(length=0)
    return figure
