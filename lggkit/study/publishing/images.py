"""Images of notebooks in fewer bytes: with a palette a figure needs a third of the space or less."""

from __future__ import annotations

import base64
import io
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image


FEWER, MANY = 64, 256
SEEN = 0.3
"""Mean difference of a channel, of 255 levels, from which on fewer colours are seen to be missing."""


def lean_png(png: bytes) -> bytes:
    """The same picture with colours of its own, undithered, where it is opaque and smaller that way.

    Lines and text get 64 of them, pictures and maps, which would show it, 256.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        rgba = image.convert("RGBA")
    if rgba.getextrema()[3] != (255, 255):
        return png
    picture, packed = rgba.convert("RGB"), io.BytesIO()
    palette = picture.quantize(FEWER, dither=Image.Dither.NONE)
    if _apart(picture, palette) > SEEN:
        palette = picture.quantize(MANY, dither=Image.Dither.NONE)
    palette.save(packed, "png", optimize=True)
    return min(png, packed.getvalue(), key=len)


def _apart(picture: Image, palette: Image) -> float:
    """The mean difference of a channel."""
    from PIL import ImageChops, ImageStat

    return fmean(ImageStat.Stat(ImageChops.difference(picture, palette.convert("RGB"))).mean)


def lean_outputs(notebook: Any) -> None:
    """Does so, in place, with every PNG among a notebook's outputs."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if data := output.get("data", {}).get("image/png"):
                lean = base64.b64encode(lean_png(base64.b64decode(data)))
                output["data"]["image/png"] = lean.decode("ascii")
