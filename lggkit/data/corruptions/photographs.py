"""The benchmark's photographs of frost, where a user has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from lggkit.data.corruptions.textures import Textures
from lggkit.data.files import DataCorrupt, DataUnavailable, root

FOLDER = "frost"
USED = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")
"""Of the benchmark's six its generator draws five; frost6.jpg is never drawn."""

STEP = 5
"""The benchmark scales by 0.2 with OpenCV's linear interpolation: at this factor, every fifth pixel."""


def frost_photographs(folder: Path | None = None) -> Textures:
    """The photographs that CIFAR-10-C was made with, for the ``textures`` of `corrupt`.

    They are not free, and are not downloaded: put `frost1.png` to `frost3.png`, `frost4.jpg` and `frost5.jpg`
    from the benchmark's repository into the folder ``frost`` under the root. Nothing reads them unasked, so
    that a study's numbers do not depend on who has them.

    Args:
        folder: the root of the data sets, ``lggkit.data.root()`` by default.

    Raises:
        DataUnavailable: one is missing.
        DataCorrupt: one is no picture that can be read.
    """
    place = (root() if folder is None else Path(folder)) / FOLDER
    missing = [name for name in USED if not (place / name).is_file()]
    if missing:
        raise DataUnavailable(
            f"{place} lacks {', '.join(missing)}: put the benchmark's photographs of frost there, "
            "or leave textures out for synthetic ones."
        )
    return Textures(tuple(map(_scaled, (place / name for name in USED))), periodic=False)


def _scaled(path: Path) -> torch.Tensor:
    """Every fifth pixel, uint8 (3, rows, columns)."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = f"{error}".split("\n")[0].rstrip(".")
        remedy = "put an intact copy of the benchmark's file there"
        raise DataCorrupt(f"{path} is no picture that can be read ({reason}): {remedy}.") from error
    few = pixels[STEP // 2 :: STEP, STEP // 2 :: STEP]
    return torch.from_numpy(np.ascontiguousarray(few.transpose(2, 0, 1)))
