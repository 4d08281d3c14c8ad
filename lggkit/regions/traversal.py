"""All cells of a network by walking from each across its facets (article 3, algorithm 1)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import integer
from lggkit.regions.cells import Cells, cells_of
from lggkit.regions.polyhedra import FAR, Polyhedron

THINNEST = 1e-10
"""The radius below which a cell has no interior; of a box or first cell smaller than 1, its share of that."""


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
        most: cells that are visited, 1 at least; there may be more.
        method: of `Polyhedron.facets`.

    Raises:
        ValueError: the start lies outside the box, or its cell has no interior there; or ``most`` is below 1.
        TypeError: ``cells`` are no `Cells`, or ``most`` is no int.

    Source: Liu et al. (2023), algorithm 1, with a set in place of a list.
    """
    first, most = cells_of(cells).patterns(start[None])[0], integer(most, "most")
    if box is not None and not bool(box.contains(start.reshape(-1))):
        raise ValueError("start lies outside the box; give an input inside it")
    closed, thinnest = box is not None and box.is_bounded(), _thinnest(cells.of(first), box)
    center = _center(cells, first, box, thinnest)
    if center is None:
        raise ValueError("the cell of start has no interior within reach; start from another input")
    number, queue, complete = {key(first): 0}, deque([(first, center)]), True
    patterns, bounded, edges = [first], [], []
    while queue:
        pattern, center = queue.popleft()
        here, cell = number[key(pattern)], cells.of(pattern)
        cut = cell if box is None else cell.within(box)
        facets = cut.facets(method, center)
        bounded.append(closed or Polyhedron(cut.normals[facets], cut.offsets[facets]).is_bounded())
        for other in cells.neighbours(cell, facets[: len(pattern)]):
            if key(other) not in number:
                inside = _center(cells, other, box, thinnest)
                full = inside is not None and len(patterns) == most
                complete &= not full
                number[key(other)] = -1 if inside is None or full else len(patterns)
                if number[key(other)] > 0:
                    patterns.append(other)
                    queue.append((other, inside))
            if here < number[key(other)]:
                edges.append((here, number[key(other)], int((other ^ pattern).nonzero()[0, 0])))
    table = torch.tensor(edges, dtype=torch.int64).view(-1, 3)
    return Enumeration(torch.stack(patterns), torch.tensor(bounded), table, complete)


def key(pattern: Tensor) -> bytes:
    """A pattern as something that a set can hold."""
    return pattern.numpy().tobytes()


def _thinnest(first: Polyhedron, box: Polyhedron | None) -> float:
    """The radius below which a cell has no interior, at the scale of what is looked at."""
    if box is not None:
        ball, ends = box.chebyshev(), box.offsets / box.normals.norm(dim=1).clamp(min=1e-300)
        size = min(1.0, ball.radius)
        return max(THINNEST * size, 8 * torch.finfo(ends.dtype).eps * ends.abs().max().item() * (size < 1))
    places = first.offsets.abs() / first.normals.norm(dim=1)
    places = places[places.isfinite() & (places > 0)]
    return THINNEST * min(1.0, places.max().item() if len(places) else 1.0)


def _center(cells: Cells, pattern: Tensor, box: Polyhedron | None, thinnest: float) -> Tensor | None:
    """The middle of the largest ball in a cell; None where it has no interior to speak of."""
    cut = cells.of(pattern).within(box or Polyhedron.box(-FAR, FAR, cells.dimension))
    try:
        ball = cut.chebyshev()
    except ValueError:
        return None
    return ball.center if ball.radius > thinnest else None
