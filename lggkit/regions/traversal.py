"""All cells of a network by walking from each across its facets (article 3, algorithm 1)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.regions.cells import Cells
from lggkit.regions.polyhedra import Polyhedron


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
    first = cells.patterns(start[None])[0]
    number, queue = {key(first): 0}, deque([first])
    patterns, bounded, edges = [first], [], []
    empty = set()
    while queue and len(number) <= most:
        pattern = queue.popleft()
        here = number[key(pattern)]
        cell, facets, closed = _visited(cells, pattern, box, method)
        bounded.append(closed)
        for other in cells.neighbours(cell, facets):
            name = key(other)
            if name not in number and name not in empty and _has_interior(cells, other, box):
                number[name] = len(patterns)
                patterns.append(other)
                queue.append(other)
            if name not in number:
                empty.add(name)
            elif here < number[name]:
                unit = int((other ^ pattern).nonzero()[0, 0])
                edges.append((here, number[name], unit))
    table = torch.tensor(edges, dtype=torch.int64).view(-1, 3)
    closed = torch.tensor(bounded + [False] * (len(patterns) - len(bounded)))
    return Enumeration(torch.stack(patterns), closed, table, not queue)


def key(pattern: Tensor) -> bytes:
    """A pattern as something that a set can hold."""
    return pattern.numpy().tobytes()


def _visited(cells: Cells, pattern: Tensor, box: Polyhedron | None, method: str):
    cell = cells.of(pattern)
    cut = cell if box is None else cell.within(box)
    facets = cut.facets(method)
    bounded = Polyhedron(cut.normals[facets], cut.offsets[facets]).is_bounded()
    return cell, facets[: len(pattern)], bounded


def _has_interior(cells: Cells, pattern: Tensor, box: Polyhedron | None) -> bool:
    cell = cells.of(pattern)
    cut = cell.within(box or Polyhedron.box(-1e6, 1e6, cells.dimension))
    try:
        return cut.chebyshev().radius > 1e-10
    except ValueError:
        return False
