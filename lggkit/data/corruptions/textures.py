"""Textures that frost lays over images: random parts of them, and the photographs of the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data.checks import a_tensor, described
from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import grey
from lggkit.data.files import DataCorrupt, DataUnavailable, root


@dataclass(frozen=True, eq=False)
class Textures:
    """Textures of frost.

    Args:
        levels: uint8 (c, height, width) each, of one channel or three.
        periodic: whether the borders fit together, so that a part may cross them.

    Raises:
        TypeError, ValueError: there is no texture, or one is no uint8 tensor of such a shape.
    """

    levels: tuple[Tensor, ...]
    periodic: bool = True

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("there are no textures: give at least one.")
        for level in self.levels:
            a_tensor("textures", level)
            channels = {len(each) for each in self.levels if each.ndim == 3}
            if level.dtype != torch.uint8 or level.ndim != 3 or channels not in ({1}, {3}):
                raise ValueError(
                    f"a texture is {described(level)}: give uint8 (c, height, width), c = 1 or 3 for all."
                )

    def with_channels(self, channels: int) -> Textures:
        """The same in grey where ``channels`` is 1, and grey in three colours where it is 3."""
        if channels == len(self.levels[0]):
            return self
        if channels == 3:
            return Textures(tuple(level.expand(3, -1, -1) for level in self.levels), self.periodic)
        bright = tuple(grey(level[None].double())[0].round().to(torch.uint8) for level in self.levels)
        return Textures(bright, self.periodic)

    def parts(self, draws: Draws, size: tuple[int, int]) -> Tensor:
        """For each image a part of one of them, all textures and places equally likely.

        Args:
            draws: of the texture and the place.
            size: rows and columns of a part.

        Returns:
            uint8 (n, c, rows, columns), on the device of the draws.

        Raises:
            ValueError: a texture that is not periodic is no larger than a part.
        """
        which = draws.integers(len(self.levels))
        room = torch.tensor([self._room(level, size) for level in self.levels], device=draws.device)
        return self._cut(which, draws.integers(room[which], 2), size)

    def _cut(self, which: Tensor, places: Tensor, size: tuple[int, int]) -> Tensor:
        """Parts that begin at places (n, 2) of the textures chosen (n,), over borders where they reach them.

        One gather for all, so that nothing waits for the device to know who has which texture.
        """
        flat = torch.cat([level.flatten() for level in self.levels]).to(places.device)
        sides = torch.tensor([level.shape for level in self.levels])
        starts, sides = (x.to(places.device)[which] for x in (sides.prod(1).cumsum(0) - sides.prod(1), sides))
        rows, columns = (
            (places[:, axis, None] + torch.arange(size[axis], device=places.device))
            % sides[:, axis + 1, None]
            for axis in (0, 1)
        )
        channel = torch.arange(len(self.levels[0]), device=places.device) * sides[:, 1, None]
        lines = (channel[:, :, None] + rows[:, None]) * sides[:, 2, None, None] + starts[:, None, None]
        return flat[lines[..., None] + columns[:, None, None]]

    def _room(self, level: Tensor, size: Sequence[int]) -> list[int]:
        sides = list(level.shape[1:])
        room = sides if self.periodic else [side - part for side, part in zip(sides, size, strict=True)]
        if min(room) < 1:
            raise ValueError(
                f"a texture of {sides[0]} x {sides[1]} pixels is too small for images of {size[0]} x "
                f"{size[1]}: give larger textures or smaller images."
            )
        return room


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
