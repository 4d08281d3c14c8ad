"""All cells of a network by walking from each across its facets (article 3, algorithm 1)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.regions.cells import Cells, cells_of
from lggkit.regions.polyhedra import Polyhedron

FAR, THINNEST = 1e6, 1e-10
"""How far out cells are looked for, and the radius below which one has no interior."""


@dataclass(frozen=True)
class Enumeration:
    """Cells as ``patterns`` (r, h), which are ``bounded`` (r,), and ``edges`` (e, 3).

    An edge is two cells and the unit between them. ``complete`` says whether all were visited.
    """

    patterns: Tensor
    bounded: Tensor
    edges: Tensor
    complete: bool


def enumerate_cells(
    cells: Cells,
    start: Tensor,
    box: Polyhedron | None = None,
    most: int = 100_000,
    method: str = "qhull",
) -> Enumeration:
    """Breadth first from the cell of ``start`` (...): its facets, the cells beyond them, and so on.

    Two cells that meet in less than a facet are no neighbours, and where the parallel facets of a cell are
    closer than rounding the cell has no interior and is left out.

    Args:
        cells: of the network.
        start: an input, inside the box where there is one.
        box: cells are cut by it, and those outside left out; None for the whole space.
        most: cells visited before it stops.
        method: of `Polyhedron.facets`.

    Source: Liu et al. (2023), algorithm 1, with a set in place of a list.
    """
    first, closed = cells_of(cells).patterns(start[None])[0], box is not None and box.is_bounded()
    number = {key(first): 0}
    queue = deque([(first, _center(cells, first, box))])
    patterns, bounded, edges = [first], [], []
    while queue and len(patterns) <= most:
        pattern, center = queue.popleft()
        here, cell = number[key(pattern)], cells.of(pattern)
        cut = cell if box is None else cell.within(box)
        facets = cut.facets(method, center)
        bounded.append(closed or Polyhedron(cut.normals[facets], cut.offsets[facets]).is_bounded())
        for other in cells.neighbours(cell, facets[: len(pattern)]):
            if key(other) not in number:
                inside = _center(cells, other, box)
                number[key(other)] = -1 if inside is None else len(patterns)
                if inside is not None:
                    patterns.append(other)
                    queue.append((other, inside))
            if here < number[key(other)]:
                edges.append((here, number[key(other)], int((other ^ pattern).nonzero()[0, 0])))
    table = torch.tensor(edges, dtype=torch.int64).view(-1, 3)
    bounded += [False] * (len(patterns) - len(bounded))
    return Enumeration(torch.stack(patterns), torch.tensor(bounded), table, not queue)


def key(pattern: Tensor) -> bytes:
    """A pattern as something that a set can hold."""
    return pattern.numpy().tobytes()


def _center(cells: Cells, pattern: Tensor, box: Polyhedron | None) -> Tensor | None:
    """The middle of the largest ball in a cell; None where it has no interior to speak of."""
    cut = cells.of(pattern).within(box or Polyhedron.box(-FAR, FAR, cells.dimension))
    try:
        ball = cut.chebyshev()
    except ValueError:
        return None
    return ball.center if ball.radius > THINNEST else None
