"""Images of notebooks in fewer bytes: a plot has few colours, and a palette needs a third of the space."""

from __future__ import annotations

import base64
import io
from typing import Any

MOST_COLORS = 8192
"""An image with more colours than this is taken for a photograph and left alone."""


def lean_png(png: bytes) -> bytes:
    """The same picture with a palette of 256 colours, where it is opaque, a plot, and smaller that way."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        rgba = image.convert("RGBA")
    opaque = rgba.getextrema()[3] == (255, 255)
    if not opaque or rgba.getcolors(MOST_COLORS) is None:
        return png
    packed = io.BytesIO()
    rgba.convert("RGB").quantize(256).save(packed, "png", optimize=True)
    return min(png, packed.getvalue(), key=len)


def lean_outputs(notebook: Any) -> None:
    """Does so, in place, with every PNG among a notebook's outputs."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if data := output.get("data", {}).get("image/png"):
                lean = base64.b64encode(lean_png(base64.b64decode(data)))
                output["data"]["image/png"] = lean.decode("ascii")
