"""The cell of a ReLU network: the polyhedron of all inputs with one pattern, and its affine map."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lggkit.regions._bends import check_held
from lggkit.regions._runs import Runner, finite, split
from lggkit.regions.polyhedra import Polyhedron


@dataclass(frozen=True, eq=False)
class Cell(Polyhedron):
    """All inputs with one ``pattern`` (h,): row i of ``A x ≤ c`` is ``s'_i (Ŵ_i x + b̂_i) ≤ 0``, s' = 1 - 2 s.

    On it the network is ``weight`` x + ``bias``, (k, m) and (k,). Inputs of another shape than (m,) are
    flattened.
    """

    pattern: Tensor
    weight: Tensor
    bias: Tensor


def cells_of(cells: Cells) -> Cells:
    """``cells`` itself; a TypeError where it is something else, such as the network."""
    if not isinstance(cells, Cells):
        raise TypeError(f"cells are a {type(cells).__name__}; give Cells(network, shape)")
    return cells


class Cells:
    """The cells of one network, by input or by pattern; the network is copied once, in float64.

    With its ReLUs replaced by a pattern's masks a network is affine, so that its values at 0 and at the m
    unit vectors are all of it. This holds for any architecture, and costs one batch of m + 1 inputs a cell.

    Args:
        network: see `activation_patterns`; max-pooling is refused here.
        shape: of one input, such as (784,) or (1, 28, 28).

    Raises:
        TypeError: the network has a part that is not piecewise linear, by name, or max-pooling; or it bends
            elsewhere than in its ReLUs.
        ValueError: it takes no such input.
    """

    def __init__(self, network: nn.Module, shape: tuple[int, ...]) -> None:
        self.runner, self.shape = Runner(network), tuple(shape)
        self.dimension = int(torch.Size(self.shape).numel())
        corners = torch.zeros(1 + self.dimension, self.dimension, dtype=torch.float64)
        corners[1:].fill_diagonal_(1)
        self.corners = corners.view(-1, *self.shape)
        self.widths = [z.shape[1] for z in self._seen(self.corners[:1])]
        self.runner.masked(self.corners[:1], [torch.ones(width) for width in self.widths])  # refuses pools
        check_held(self.runner, self.shape, self.corners)

    def _seen(self, x: Tensor) -> list[Tensor]:
        try:
            return self.runner.seen(x)[0]
        except RuntimeError as error:
            raise ValueError(f"the network takes no input of shape {self.shape}: {error}") from error

    def patterns(self, x: Tensor) -> Tensor:
        """Patterns (n, h) of finite inputs (n, ...), in float64."""
        x = finite(x, "x").double().reshape(-1, *self.shape)
        return torch.cat([z > 0 for z in self._seen(x)], dim=1)

    def at(self, x: Tensor) -> Cell:
        """The cell that holds an input (...)."""
        return self.of(self.patterns(x[None])[0])

    def of(self, pattern: Tensor) -> Cell:
        """The cell of a pattern (h,), which may hold no input.

        Raises:
            ValueError: the pattern has not as many bits as the network has units.
        """
        masks = split(pattern, self.widths)
        inputs, outputs = self.runner.masked(self.corners, masks)
        values, outputs = torch.cat(inputs, dim=1), outputs.flatten(1)
        slopes, ends = (values[1:] - values[0]).T, (outputs[1:] - outputs[0]).T
        side = 1 - 2 * pattern.double()
        return Cell(side[:, None] * slopes, -side * values[0], pattern, ends, outputs[0])

    def neighbours(self, cell: Cell, facets: Tensor) -> list[Tensor]:
        """The patterns beyond the facets (h,) of a cell: each has one bit flipped."""
        flipped = cell.pattern.repeat(int(facets.sum()), 1)
        places = facets.nonzero()[:, 0]
        flipped[torch.arange(len(places)), places] ^= True
        return list(flipped)
