"""Pieces of a plane as pictures: polygons in colours, and borders between decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.regions import Cells, Plane, piece_maps, planar_partition, square
from lggkit.study.figures.parts import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

BORDER = "#D55E00"
GRID = 400
"""Points a side at which outputs are compared for the borders of decisions."""


def draw_pieces(
    ax: Axes, polygons: Sequence[np.ndarray], values: np.ndarray, **options: Any
) -> PolyCollection:
    """Polygons (k, 2) in the colours of values, one each; ``options`` are those of ``PolyCollection``."""
    from matplotlib.collections import PolyCollection

    look = {"cmap": "viridis", "ec": "white", "lw": 0.4} | options
    pieces = PolyCollection(polygons, array=np.asarray(values), **look)
    ax.add_collection(pieces)
    corners = np.concatenate(polygons)
    low, high = corners.min(0), corners.max(0)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    return pieces


def plane_figure(network: nn.Module, half_width: float, inputs: Tensor | None = None) -> tuple[Figure, int]:
    """The partition of a square and how many pieces it has.

    A piece has the colour of the size of its slope ``‖W‖``. Lines are where the largest output changes, or
    where the only one is 0. With ``inputs`` (3, ...) the plane is that through them.

    Raises:
        TypeError: the network is not piecewise linear, or has max-pooling, by name.
        ValueError: without inputs the network takes other than two numbers.
    """
    shape = (2,) if inputs is None else tuple(inputs.shape[1:])
    cells, plane = Cells(network, shape), None if inputs is None else Plane.through(*inputs)
    corners = square(half_width) + (0.0 if plane is None else 0.5)
    pieces = planar_partition(cells, corners, plane)
    slopes = piece_maps(cells, pieces, plane)[0].flatten(1).norm(dim=1).numpy()
    figure, (ax,) = panels(1, 4.6, 5.6)
    drawn = draw_pieces(ax, [piece.vertices for piece in pieces], slopes)
    _borders(ax, cells, corners, plane)
    if plane is not None:
        for name, place in zip("abc", ((0, 0), (1, 0), (0, 1)), strict=True):
            ax.plot(*place, "o", color="white", mec="black", ms=6)
            ax.annotate(name, place, xytext=(5, 5), textcoords="offset points", color="white", weight="bold")
    names = ("x₁", "x₂") if plane is None else ("from a to b", "from a to c")
    ax.set(xlabel=names[0], ylabel=names[1], title=f"{len(pieces)} pieces")
    figure.colorbar(drawn, ax=ax, label="size of the slope", shrink=0.85)
    return figure, len(pieces)


@torch.no_grad()
def _borders(ax: Axes, cells: Cells, corners: np.ndarray, plane: Plane | None) -> None:
    """Lines between inputs that are decided differently, on a grid of points."""
    low, high = corners.min(0), corners.max(0)
    u, v = (np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    outputs = []
    for part in np.array_split(grid, max(1, GRID * GRID * cells.dimension // 2**22)):
        x = torch.from_numpy(part).view(-1, *cells.shape) if plane is None else plane.points(part)
        outputs.append(cells.runner.seen(x)[1].flatten(1))
    logits = torch.cat(outputs)
    values = [logits[:, 0]] if logits.shape[1] == 1 else _leads(logits)
    for value in values:
        field = value.view(GRID, GRID).numpy()
        if field.min() < 0 < field.max():
            ax.contour(u, v, field, levels=[0], colors=BORDER, linewidths=1.6)


def _leads(outputs: Tensor) -> list[Tensor]:
    """How far each output is ahead of the best of the others; that of one of two says it all."""
    best = outputs.topk(2, dim=1)
    leads = outputs - best.values[:, :1]
    leads.scatter_(1, best.indices[:, :1], best.values[:, :1] - best.values[:, 1:])
    return list(leads.unbind(1))[: outputs.shape[1] - (outputs.shape[1] == 2)]
