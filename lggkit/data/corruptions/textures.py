"""Textures that frost lays over images, and a random part of them for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.levels import grey


@dataclass(frozen=True, eq=False)
class Textures:
    """Textures of frost.

    Args:
        levels: uint8 (c, height, width) each, of one channel or three.
        periodic: whether the borders fit together, so that a part may cross them.
    """

    levels: tuple[Tensor, ...]
    periodic: bool = True

    def with_channels(self, channels: int) -> Textures:
        """The same in grey where ``channels`` is 1."""
        if channels == len(self.levels[0]):
            return self
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
        places = draws.integers(room[which], 2)
        channels = len(self.levels[0])
        found = places.new_empty((len(places), channels, *size), dtype=torch.uint8)
        for k, level in enumerate(self.levels):
            chosen = (which == k).nonzero().flatten()
            found[chosen] = _cut(level.to(draws.device), places[chosen], size)
        return found

    def _room(self, level: Tensor, size: Sequence[int]) -> list[int]:
        sides = list(level.shape[1:])
        room = sides if self.periodic else [side - part for side, part in zip(sides, size, strict=True)]
        if min(room) < 1:
            raise ValueError(
                f"a texture of {sides[0]} x {sides[1]} pixels is too small for images of {size[0]} x "
                f"{size[1]}: give larger textures or smaller images."
            )
        return room


def _cut(level: Tensor, places: Tensor, size: tuple[int, int]) -> Tensor:
    """Parts (m, c, rows, columns) that begin at places (m, 2), over the borders where they reach them."""
    rows, columns = (
        (places[:, axis, None] + torch.arange(size[axis], device=level.device)) % level.shape[axis + 1]
        for axis in (0, 1)
    )
    channel = torch.arange(len(level), device=level.device)[:, None, None]
    return level[channel, rows[:, None, :, None], columns[:, None, None, :]]
