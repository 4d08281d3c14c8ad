"""The versions of the generator, and what each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from lggkit.data.corruptions.frost import feathers
from lggkit.data.corruptions.levels import WHOLE
from lggkit.data.corruptions.rime import rime
from lggkit.data.corruptions.textures import Textures


@dataclass(frozen=True)
class Version:
    """What versions differ in; the operations that ask for a field by name get it.

    Args:
        whole: levels added to the blurs that are weighed in float64 (defocus, glass) before truncation.
        dtype: of the images whose pixels these blurs weigh.
        kernel: the dtype in which the weights of defocus are computed.
        carry: levels added to what is smeared along a line (motion blur, the flakes of snow) before it is
            cut off to bytes.
        textures: ``textures(channels)`` gives the textures of frost.
    """

    whole: float
    dtype: torch.dtype
    kernel: str
    carry: float
    textures: Callable[[int], Textures]


VERSIONS: dict[int, Version] = {
    1: Version(whole=WHOLE, dtype=torch.float32, kernel="float64", carry=0.5, textures=feathers),
    2: Version(whole=1e-9, dtype=torch.float64, kernel="float32", carry=0.5 / 257, textures=rime),
}
"""1 swamps the small weights of defocus and glass, rounds where ImageMagick cuts off, and has frost that is
too dark and smooth. 2 mends this: 1e-9 of a level is more than float64 loses, and the weights of defocus are
OpenCV's; ImageMagick rounds to sixteen bits (1/257 of a level) and cuts these off to eight; frost has the
photographs' statistics."""

NEWEST = max(VERSIONS)
