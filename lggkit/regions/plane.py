"""The exact partition of a polygon of the plane by a network's cells, by cutting polygons layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lggkit.regions._runs import finite
from lggkit.regions.cells import Cells, cells_of

ON, NONE = 1e-10, 1e-14
"""Below this share of its largest value a unit is zero; below this one of the layer's it is so everywhere."""


@dataclass(frozen=True)
class Piece:
    """A convex polygon: ``vertices`` (k, 2) in order, the ``pattern`` (h,), and the ``area`` >= 0."""

    vertices: np.ndarray
    pattern: np.ndarray

    @property
    def area(self) -> float:
        """By the shoelace formula."""
        x, y = (self.vertices - self.vertices[0]).T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


@dataclass(frozen=True)
class Plane:
    """The points ``origin + u · first + v · second`` of the input space, by their coordinates (u, v)."""

    origin: Tensor
    first: Tensor
    second: Tensor

    @classmethod
    def through(cls, a: Tensor, b: Tensor, c: Tensor) -> Plane:
        """The plane through three inputs: a has coordinates (0, 0), b (1, 0), c (0, 1).

        Raises:
            ValueError: they lie on a line or have different shapes, or one is not finite.
            TypeError: one is no float tensor.
        """
        a, b, c = (finite(x, "an input") for x in (a, b, c))
        if not a.shape == b.shape == c.shape:
            shapes = ", ".join(str(tuple(x.shape)) for x in (a, b, c))
            raise ValueError(f"the inputs have shapes {shapes}; give three of one shape")
        rounding = 8 * max(torch.finfo(x.dtype).eps * float(x.double().norm()) for x in (a, b, c))
        first, second = (x.double().flatten() - a.double().flatten() for x in (b, c))
        along = first / first.norm().clamp(min=torch.finfo(first.dtype).tiny)
        if not min(first.norm(), (second - (second @ along) * along).norm()) > rounding:
            raise ValueError("the three inputs are equal or lie on one line; give three that span a plane")
        return cls(a, b - a, c - a)

    def points(self, coordinates: np.ndarray) -> Tensor:
        """Inputs (n, ...) at coordinates (n, 2), in float64."""
        u, v = torch.from_numpy(np.asarray(coordinates, float)).T
        rest = (1,) * self.origin.ndim
        spread = [t.view(-1, *rest) * d.double() for t, d in ((u, self.first), (v, self.second))]
        return self.origin.double() + spread[0] + spread[1]


def planar_partition(cells: Cells, corners: np.ndarray, plane: Plane | None = None) -> list[Piece]:
    """All pieces of a convex polygon with ``corners`` (k, 2) in order, exactly.

    On a piece of the layers before, a unit's input is affine, so its values at the corners say where it is
    zero. Each layer takes one batch of all corners through the network; a cut costs a few operations on one
    small array, and there are as many cuts as pieces. No linear program is solved.

    Args:
        cells: of a network with two inputs, or any with a ``plane`` in its input space.
        corners: of the polygon that is partitioned, such as those of a square.
        plane: where the coordinates lie in the input space.

    Raises:
        ValueError: the polygon has fewer than three corners or no area, or the network has not two inputs
            and no plane is given; or a corner or the plane is not finite.
        TypeError: ``cells`` are no `Cells`.
    """
    dimension, corners = cells_of(cells).dimension, np.array(corners, dtype=float)
    finite(torch.from_numpy(corners), "corners")
    for name in ("origin", "first", "second") if plane is not None else ():
        finite(getattr(plane, name).double(), f"the plane's {name}")
    if corners.ndim != 2 or corners.shape[1] != 2 or not len(corners) or Piece(corners, corners).area <= 0:
        raise ValueError(f"corners have shape {corners.shape}; give (k, 2), k >= 3, round a positive area")
    if plane is None and dimension != 2:
        raise ValueError(f"the network has {dimension} inputs; give the plane that is looked at")
    placed = plane.points if plane is not None else _as_they_are(cells)
    pieces = [(corners, np.zeros(0, dtype=bool))]
    for layer in range(len(cells.widths)):
        values = _values(cells, pieces, placed, layer)
        largest = np.max([np.abs(v).max(0) for v in values], axis=0)
        scale = np.where(largest > NONE * largest.max(initial=0), ON * largest, np.inf)
        pieces = [
            (polygon, np.append(bits, own))
            for (uncut, bits), value in zip(pieces, values, strict=True)
            for polygon, own in _cut(uncut, value, scale)
        ]
    return [Piece(*piece) for piece in pieces]


def square(half_width: float) -> np.ndarray:
    """The corners (4, 2) of the square about 0."""
    return half_width * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def _as_they_are(cells: Cells):
    return lambda corners: torch.from_numpy(corners).view(-1, *cells.shape)


def _values(cells: Cells, pieces: list, placed, layer: int) -> list[np.ndarray]:
    """Inputs (corners, units) of a layer at the corners of every piece, by the piece's own masks."""
    counts = [len(polygon) for polygon, _ in pieces]
    points = placed(np.concatenate([polygon for polygon, _ in pieces]))
    bits = torch.from_numpy(np.repeat(np.stack([bits for _, bits in pieces]), counts, axis=0))
    masks = list(bits.split(cells.widths[:layer], dim=1)) if layer else []
    inputs, _ = cells.runner.masked(points, masks, upto=layer)
    return np.split(inputs[-1].numpy(), np.cumsum(counts)[:-1])


def _cut(polygon: np.ndarray, values: np.ndarray, scale: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The parts of one polygon by all units of a layer, each with its bits; ``scale`` is a unit's zero."""
    waiting, done = [(np.hstack([polygon, values]), 0)], []
    while waiting:
        table, unit = waiting.pop()
        above, below = table[:, 2:].max(0) > scale, table[:, 2:].min(0) < -scale
        mixed = np.flatnonzero((above & below)[unit:])
        if not len(mixed):
            done.append((table[:, :2], table[:, 2:].mean(0) > 0))
            continue
        unit += int(mixed[0])
        waiting += [(side, unit + 1) for side in _halves(table, unit + 2, scale[unit])]
    return done


def _halves(table: np.ndarray, column: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of the line on which a column is zero; new corners are between those that it parts."""
    value = np.where(np.abs(table[:, column]) <= scale, 0.0, table[:, column])
    after = np.roll(value, -1)
    crossed = np.flatnonzero(value * after < 0)
    share = (value[crossed] / (value[crossed] - after[crossed]))[:, None]
    corner = table[crossed] + share * (np.roll(table, -1, axis=0)[crossed] - table[crossed])
    corner[:, column] = 0.0
    whole = np.insert(table, crossed + 1, corner, axis=0)
    sides = np.insert(value, crossed + 1, 0.0)
    return whole[sides >= 0], whole[sides <= 0]
