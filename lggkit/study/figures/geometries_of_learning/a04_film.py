"""The film of article 4: pieces of a network of the plane while it is trained, as one animated SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lggkit.study.figures.geometries_of_learning.a04_planes import corners_of

SIDE, SECONDS, SHADES = 400, 12.0, 12
STYLE = """@keyframes f {{ 0% {{ visibility: visible }} {share:.3f}% {{ visibility: hidden }} }}
g {{ visibility: hidden; animation: f {seconds}s step-end infinite }}
path {{ stroke: #fff; stroke-width: .6 }} .on {{ fill: #fff; fill-opacity: .55; stroke: none }}
text {{ font: 14px sans-serif; fill: #fff; stroke: #000; stroke-width: 3; paint-order: stroke }}
@media (prefers-reduced-motion) {{ g {{ animation: none }} g:last-of-type {{ visibility: visible }} }}"""


def film(arrays: Mapping[str, np.ndarray], titles: Sequence[str]) -> str:
    """A frame a title: pieces in the colours of their slopes, light where the second output is larger.

    ``arrays`` are those of a run of a disc in a ring, frame i under the mark ``_i``. Who asks for less motion
    sees the last frame.
    """
    slopes = [np.linalg.norm(arrays[f"maps_{i}"][:, :2], axis=1) for i in range(len(titles))]
    bounds = np.quantile(np.concatenate(slopes), np.linspace(0, 1, SHADES + 1)[1:-1])
    shades = [np.searchsorted(bounds, one) for one in slopes]
    frames = [_frame(arrays, i, title, shades[i], len(titles)) for i, title in enumerate(titles)]
    style = STYLE.format(share=100 / len(titles), seconds=SECONDS)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}">'
    )
    return "\n".join([head, f"<style>{style}\n{_colors()}</style>", *frames, "</svg>"])


def _colors() -> str:
    import matplotlib
    from matplotlib.colors import to_hex

    shades = matplotlib.colormaps["viridis"](np.linspace(0.05, 0.95, SHADES))
    return " ".join(f".c{i} {{ fill: {to_hex(shade)} }}" for i, shade in enumerate(shades))


def _frame(arrays: Mapping[str, np.ndarray], number: int, title: str, shades: np.ndarray, count: int) -> str:
    corners, on = corners_of(arrays, number), arrays[f"decisions_{number}"]
    span = np.concatenate(corners)
    low, scale = span.min(0), SIDE / (span.max(0) - span.min(0))
    paths = [
        "M" + "L".join(f"{x:.0f} {SIDE - y:.0f}" for x, y in (one - low) * scale) + "z" for one in corners
    ]
    filled = {
        shade: "".join(p for p, s in zip(paths, shades, strict=True) if s == shade) for shade in set(shades)
    }
    drawn = "".join(f'<path class="c{shade}" d="{path}"/>' for shade, path in sorted(filled.items()))
    chosen = "".join(path for path, side in zip(paths, on, strict=True) if side)
    said = f'<text x="10" y="22">{title}</text>'
    delay = f"animation-delay:{number * SECONDS / count:.3f}s"
    return f'<g style="{delay}">{drawn}<path class="on" d="{chosen}"/>{said}</g>'
