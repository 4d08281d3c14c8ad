"""Similarities of some rows of a set with all, a block at a time: what `blocks` compares by.

The measures are those of `similarities`, of the same numbers; nothing is differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor

from lggkit.graph._precision import inverse_sqrt, matmul, widest
from lggkit.graph._squares import NEAR, NEAR_WIDE, ORDINARY, center, pair_squares
from lggkit.graph.distances import kernel_exponent
from lggkit.graph.signs import without_negatives
from lggkit.graph.similarities import SMALLEST_NORM, overflown, positive_number

FEW_PAIRS = 256
"""Of so many pairs one may be near for it to be cheaper to take them apart than to take all in float64."""


def comparison(
    x: Tensor, similarity: str, bandwidth: float | Tensor | None, negative: str
) -> Callable[[slice], Tensor]:
    """The function from some rows of x (n, d) to their similarities with all, (rows, n), of the type of x.

    Raises:
        ValueError: see ``knn_graph``.
    """
    if similarity == "cosine" and bandwidth is None:
        norms = _squared_norms(x)
        wide = x.to(widest(x)) if overflown(norms.cpu()) else x
        scale = inverse_sqrt(norms if wide is x else _squared_norms(wide), SMALLEST_NORM**2)
        return lambda rows: without_negatives(_cosine(wide, scale, rows).to(x.dtype), negative)
    if similarity == "rbf":
        return partial(_rbf, x, _squares(x), _width(bandwidth))
    raise ValueError(
        "The similarity must be 'cosine', without a bandwidth, or 'rbf' in blocks, "
        f"got {similarity!r} and bandwidth={bandwidth!r}."
    )


def _width(bandwidth: float | Tensor | None) -> float:
    number = bandwidth.item() if isinstance(bandwidth, Tensor) and bandwidth.ndim == 0 else bandwidth
    return positive_number(
        number, "a positive number in blocks, such as median_bandwidth of some hundred rows"
    )


def _squared_norms(x: Tensor) -> Tensor:
    # From products, as ``gram_matrix`` has them, so that a point's cosine with its double is 1 to rounding.
    return torch.cat([matmul(part, part.mT).diagonal() for part in x.split(128)])


def _cosine(x: Tensor, scale: Tensor, rows: slice) -> Tensor:
    return matmul(x[rows], x.mT).mul_(scale[rows].unsqueeze(-1) * scale)


def _rbf(x: Tensor, squares: Callable[[slice], Tensor], width: float, rows: slice) -> Tensor:
    return kernel_exponent(squares(rows), width, x.dtype).neg_().exp_().to(x.dtype)


def _squares(x: Tensor) -> Callable[[slice], Tensor]:
    """The function from some rows to their squared distances (rows, n), see `squared_distances`."""
    narrow = [] if x.dtype == widest(x) else [_Products(x, x - x.mean(0), NEAR)]

    @cache
    def wide() -> _Products:
        y = x.to(widest(x))
        return _Products(x, y - center(y), NEAR_WIDE[x.dtype])

    def squares(rows: slice) -> Tensor:
        for products in narrow:
            square, near = products(rows)
            if products.ordinary and FEW_PAIRS * int(near.sum()) <= near.numel():
                return products.mended(square, near, rows)
        square, near = wide()(rows)
        return wide().mended(square, near, rows)

    return squares


class _Products:
    """Squared distances by a Gram matrix of centred points, and which pairs are too near for it."""

    def __init__(self, x: Tensor, centered: Tensor, near: float) -> None:
        self.x, self.centered, self.near = x, centered, near
        self.norms = _squared_norms(centered)
        smallest, largest = ORDINARY
        self.ordinary = bool((4 * self.norms < largest).all() & (self.norms.amax() * near > smallest))
        self.least = smallest if centered.dtype != widest(x) else 0.0

    def __call__(self, rows: slice) -> tuple[Tensor, Tensor]:
        total = self.norms[rows].unsqueeze(-1) + self.norms
        square = matmul(self.centered[rows], self.centered.mT).mul_(-2).add_(total)
        near = square <= total.mul_(self.near).clamp_(min=self.least)
        near.diagonal(rows.start).fill_(False)
        return square, near

    def mended(self, square: Tensor, near: Tensor, rows: slice) -> Tensor:
        """``square`` with the near pairs by their differences."""
        row, column = near.nonzero().unbind(-1)
        if len(row):
            exact = pair_squares(self.x.to(widest(self.x)), row + rows.start, column)
            square[row, column] = exact.to(square.dtype)
        return square
