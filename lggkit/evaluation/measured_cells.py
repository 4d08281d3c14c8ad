"""What article 3 measures of one cell: facets, bounds, balls in several boxes, room about the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lggkit.regions import Cells, Polyhedron


@dataclass(frozen=True)
class MeasuredCell:
    """The cell of one input, as the ``polyhedron`` of its facets alone where they were counted.

    ``facets`` is how many there are and ``bounded`` says whether they bound it, both None where nobody
    counted; ``radii`` are those of the largest balls by box, ``room`` the input's distance to the boundary.
    """

    polyhedron: Polyhedron
    facets: int | None
    bounded: bool | None
    radii: Mapping[str, float]
    room: float


def measured_cells(
    network: nn.Module, x: Tensor, boxes: Mapping[str, Polyhedron], count: bool = True
) -> list[MeasuredCell]:
    """The cells of inputs (n, m), with the largest balls in each box; facets are those without a box."""
    cells = Cells(network, tuple(x.shape[1:]))
    return [_measured(cells.at(one), one, boxes, count) for one in x]


def _measured(cell: Polyhedron, x: Tensor, boxes: Mapping[str, Polyhedron], count: bool) -> MeasuredCell:
    room, found, bounded = float(cell.distance_to_boundary(x)), None, None
    if count:
        facets = cell.facets("cone", cell.within(next(iter(boxes.values()))).chebyshev().center)
        cell, found = Polyhedron(cell.normals[facets], cell.offsets[facets]), int(facets.sum())
        bounded = cell.is_bounded()
    radii = {name: cell.within(box).chebyshev().radius for name, box in boxes.items()}
    return MeasuredCell(cell, found, bounded, radii, room)


def facets_that_differ(network: nn.Module, x: Tensor, box: Polyhedron) -> int:
    """How many rows of the cells of inputs (n, m) are a facet by cones or by programs, but not by both."""
    cells, differ = Cells(network, tuple(x.shape[1:])), 0
    for one in x:
        cell = cells.at(one)
        inside = cell.within(box).chebyshev().center
        differ += int((cell.facets("cone", inside) ^ cell.facets("lp", inside)).sum())
    return differ


def split_by_answer(network: nn.Module, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Which inputs a classifier gets right, and which wrong; bool (n,) each."""
    with torch.no_grad():
        right = network(x).argmax(1) == labels
    return right, ~right
