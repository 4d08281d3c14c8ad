"""Where a segment crosses facets: exactly, layer by layer, and by the bisection of article 3."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.regions._runs import finite
from lggkit.regions.cells import Cells, cells_of

ON = 1e-12
SHORTEST = 2.0**-40
"""Bisection takes facets that are closer than this share of the segment as one."""


@dataclass(frozen=True)
class Crossings:
    """Places ``t`` (k,) in (0, 1) in order, the ``unit`` (k,) that flips at each, and the patterns ``ends``.

    The segment goes through k + 1 pieces. A unit that flips twice is there twice, so that k is at least the
    Hamming distance of the ends, and of the same parity.
    """

    t: Tensor
    unit: Tensor
    ends: Tensor


def segment_crossings(cells: Cells, a: Tensor, b: Tensor) -> Crossings:
    """All flips of units from input ``a`` (...) to ``b``, exactly.

    On a piece of the layers before, a unit's input is linear in t, so its values at the piece's two ends say
    where it is zero; each layer takes one batch.

    Raises:
        ValueError: the ends have different shapes, or an entry that is not finite.
    """
    a, b = (finite(x, "an end").double() for x in (a, b))
    if a.shape != b.shape:
        raise ValueError(f"the ends have shapes {tuple(a.shape)} and {tuple(b.shape)}; give the same")
    a, b = (x.reshape(cells_of(cells).shape) for x in (a, b))
    cuts, bits = torch.tensor([0.0, 1.0], dtype=torch.float64), torch.zeros(1, 0, dtype=torch.bool)
    times, units, first = [cuts[:0]], [torch.zeros(0, dtype=torch.int64)], 0
    for layer, width in enumerate(cells.widths):
        left, right = _values(cells, a, b, cuts, bits, layer)
        scale = ON * max(left.abs().max().item(), right.abs().max().item())
        piece, unit = ((left * right < 0) & (left.abs() > scale) & (right.abs() > scale)).nonzero().T
        share = left[piece, unit] / (left[piece, unit] - right[piece, unit])
        times.append(cuts[piece] + share * (cuts[piece + 1] - cuts[piece]))
        units.append(first + unit)
        first += width
        cuts, bits = _refined(cuts, bits, times[-1], left, right)
    t, unit = torch.cat(times), torch.cat(units)
    order = t.argsort(stable=True)
    return Crossings(t[order], unit[order], torch.stack([bits[0], bits[-1]]))


def bisection_crossings(cells: Cells, a: Tensor, b: Tensor) -> Tensor:
    """The places (k,) that the bisection of article 3 (algorithm 2) records between ``a`` and ``b``.

    It looks at patterns only: from the left point P it halves until one bit differs, records, and goes on
    from there. It counts a unit that flips and flips back between two looks as none, and stops where the
    last pattern is one bit from that of ``b``; that last flip is counted here. The printed algorithm does not
    set its right end back after a step; this one does, and takes facets closer than 2⁻⁴⁰ of the segment as
    one.
    """
    a, b = (finite(x, "an end").double().reshape(cells_of(cells).shape) for x in (a, b))
    pattern, end = cells.patterns(torch.stack([a, b])[:1])[0], cells.patterns(b[None])[0]
    low, high, places = 0.0, 1.0, []
    while int((pattern ^ end).sum()) > 1:
        middle = (low + high) / 2
        there = cells.patterns((a + middle * (b - a))[None])[0]
        apart = int((pattern ^ there).sum())
        if apart > 1 and high - low > SHORTEST:
            high = middle
            continue
        if apart:
            places.append(middle)
            pattern, high = there, 1.0
        low = middle
        if 1.0 - low <= SHORTEST:
            break
        high = max(high, min(1.0, low + 2 * SHORTEST))
    places += [1.0] * int((pattern ^ end).any())
    return torch.tensor(places, dtype=torch.float64)


def _values(cells: Cells, a: Tensor, b: Tensor, cuts: Tensor, bits: Tensor, layer: int):
    """A layer's inputs at the left and at the right end of every piece, by the piece's own masks."""
    rest = (1,) * len(cells.shape)
    points = a + torch.cat([cuts[:-1], cuts[1:]]).view(-1, *rest) * (b - a)
    masks = list(bits.repeat(2, 1).split(cells.widths[:layer], dim=1)) if layer else []
    return cells.runner.masked(points, masks, upto=layer)[0][-1].chunk(2)


def _refined(cuts: Tensor, bits: Tensor, times: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Cuts with those of a layer among them, and the bits of every piece with its own appended."""
    finer = torch.cat([cuts, times]).sort().values
    middle = (finer[:-1] + finer[1:]) / 2
    parent = (torch.searchsorted(cuts, middle, right=True) - 1).clamp(0, len(bits) - 1)
    length = cuts[parent + 1] - cuts[parent]
    share = ((middle - cuts[parent]) / length.clamp(min=torch.finfo(length.dtype).tiny))[:, None]
    own = left[parent] + share * (right[parent] - left[parent]) > 0
    return finer, torch.cat([bits[parent], own], dim=1)
