"""Linear maps from one representation to another: least squares and ridge, R² and mean square (article 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, matmul, one_of, tensor, widest
from lggkit.similarity._scale import spread, unit_of

REDUCTIONS = ("element", "vector")
DEPENDENT = "features depend on each other, so least squares has no one map; take ridge > 0"
_EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class LinearMap:
    """``ŷ = x W + b``: weight W (d, d') and bias b (d',), zero where none was fitted."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """The image (..., d') of representations (..., d).

        Raises:
            ValueError: the width is another.
            TypeError: ``x`` is no tensor or not floating point.
        """
        x = accumulating(x)
        wide = widest(x)
        if not x.ndim or x.shape[-1] != len(self.weight):
            raise ValueError(f"x has shape {tuple(x.shape)}; the map is of width {len(self.weight)}")
        # Far from the origin bias and product cancel, and float32 would lose what is left.
        return (matmul(x.to(wide), self.weight.to(wide)) + self.bias.to(wide)).to(x.dtype)


class LinearFit:
    """A linear map from sums over batches: one pass, memory of the squared width.

    Solves ``min ‖Y - X W - 1 bᵀ‖² + λ ‖W‖²``; the bias is not shrunk. Sums are in float64.

    Args:
        ridge: λ >= 0, in the unit of a sum over samples.
        intercept: whether there is b.
    """

    def __init__(self, ridge: float = 0.0, intercept: bool = False) -> None:
        if isinstance(ridge, bool) or not isinstance(ridge, int | float) or not 0 <= ridge < math.inf:
            raise ValueError(f"ridge is {ridge!r}; give 0 for least squares or a positive number")
        self.ridge, self.intercept, self.samples = float(ridge), intercept, 0
        self._sums: list[Tensor] = []
        self._places: tuple[Tensor, Tensor] | None = None

    def update(self, x: Tensor, y: Tensor) -> LinearFit:
        """Adds samples (n, d) and their images (n, d').

        Raises:
            ValueError: the samples differ in number, or the widths from those before.
            TypeError: a side is no tensor or not floating point.
        """
        x, y = (z.detach().to(widest(z)) for z in paired(x, y))
        if self._places is None:
            # Sums about the first batch's means keep their digits where the means are large.
            self._places = tuple(z.mean(0) if self.intercept else 0 * z[0] for z in (x, y))
        for name, z, place in zip("xy", (x, y), self._places, strict=True):
            if z.shape[1] != len(place):
                raise ValueError(f"{name} has width {z.shape[1]}, that of the first batch was {len(place)}")
        x, y = (z - place for z, place in zip((x, y), self._places, strict=True))
        parts = [x.T @ x, x.T @ y, x.sum(0), y.sum(0)]
        self._sums = [a + b for a, b in zip(self._sums, parts, strict=True)] if self._sums else parts
        self.samples += len(x)
        return self

    def part(self, features: slice, targets: slice) -> LinearFit:
        """The fit of some features to some entries of the images, from the same sums, with the same λ."""
        fit = LinearFit(self.ridge, self.intercept)
        fit.samples = self.samples
        if self._sums:
            xx, xy, sx, sy = self._sums
            fit._sums = [xx[features, features], xy[features, targets], sx[features], sy[targets]]
            fit._places = (self._places[0][features], self._places[1][targets])
        return fit

    def solve(self) -> LinearMap:
        """The map.

        Raises:
            ValueError: least squares is not unique: fewer samples than features, or features that depend on
                each other.
        """
        if not self._sums:
            raise ValueError("no samples were added; call update first")
        xx, xy, sx, sy = self._sums
        n, d = self.samples, len(xx)
        if not self.ridge and n < d + self.intercept:
            raise ValueError(f"{n} samples decide no map of {d} features; add samples, or take ridge > 0")
        if self.intercept:
            # A feature that does not vary is no other than the intercept; rounding is no variation.
            least = d * _EPS * xx.diagonal() + n * (8 * _EPS * self._places[0]).square()
            xx, xy = xx - torch.outer(sx, sx) / n, xy - torch.outer(sx, sy) / n
            if not self.ridge and bool((xx.diagonal() <= least).any()):
                raise ValueError(DEPENDENT)
        weight = _solved(xx, xy, self.ridge)
        bias = 0 * sy
        if self.intercept:
            bias = self._places[1] + sy / n - (self._places[0] + sx / n) @ weight
        return LinearMap(weight, bias)


def fit_linear_map(x: Tensor, y: Tensor, ridge: float = 0.0, intercept: bool = False) -> LinearMap:
    """The linear map ``y ≈ x W + b`` of least squares, or of ridge λ (article 1, eq. 1); see `LinearFit`.

    Args:
        x, y: floating point (n, d) and (n, d'), the same n samples.
        ridge: λ >= 0.
        intercept: whether there is b; the article has none.

    Returns:
        The map, in float64.

    Raises:
        ValueError: the samples differ in number, least squares is not unique, or λ is below 0.
        TypeError: a side is no tensor or not floating point.
    """
    return LinearFit(ridge, intercept).update(x, y).solve()


def mapping_mse(predicted: Tensor, y: Tensor, reduction: str = "element") -> Tensor:
    """The mean square of ``ŷ - y``, over all entries or (``"vector"``) of the summed squares of a sample.

    Raises:
        ValueError: shapes differ, or the reduction is neither.
        TypeError: a side is no tensor or not floating point.
    """
    one_of(reduction, REDUCTIONS, "The reduction")
    predicted, y = _alike(predicted, y)
    square = (predicted - y).square()
    return square.mean() if reduction == "element" else square.flatten(1).sum(1).mean()


def r2_score(predicted: Tensor, y: Tensor) -> Tensor:
    """``R² = 1 - Σ‖ŷ_i - y_i‖² / Σ‖y_i - ȳ‖²``, over all features together: at most 1, 0 for the mean.

    Raises:
        ValueError: shapes differ, or y does not vary.
        TypeError: a side is no tensor or not floating point.
    """
    predicted, y = _alike(predicted, y)
    unit = unit_of(y, (0, 1))
    varied = spread(y / unit - (y / unit).mean(0), y / unit, 0)
    if not bool(varied.any()):
        raise ValueError("y is the same in every sample, of which nothing can be explained; give others")
    own = unit_of(varied, (0, 1))
    missed = (predicted / unit - y / unit) / own
    return 1 - missed.square().sum() / (varied / own).square().sum()


def paired(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Both sides as (n, d) and (n, d') in their accumulating types."""
    for name, side in (("x", x), ("y", y)):
        if tensor(side, name).ndim < 2 or 0 in side.shape:
            raise ValueError(f"{name} has shape {tuple(side.shape)}; give samples (n, d), n, d >= 1")
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} samples and y {len(y)}; give the same samples to both")
    x, y = accumulating(x, "x").flatten(1), accumulating(y, "y").flatten(1)
    for name, side in (("x", x), ("y", y)):
        if not bool(side.detach().isfinite().all()):
            raise ValueError(f"{name} has entries that are not finite; leave those samples out")
    return x, y


def _alike(predicted: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    if tensor(predicted, "predicted").shape != tensor(y, "y").shape:
        raise ValueError(
            f"predicted has shape {tuple(predicted.shape)} and y {tuple(y.shape)}; give the same"
        )
    return paired(predicted, y)


def _solved(normal: Tensor, wanted: Tensor, ridge: float) -> Tensor:
    if ridge:
        normal = normal + ridge * torch.eye(len(normal), dtype=normal.dtype, device=normal.device)
        factor, failed = torch.linalg.cholesky_ex(normal)
        if not bool(failed):
            return torch.cholesky_solve(wanted, factor)
    # Of features of one size: else a small one would count as depending on the others.
    size = torch.ones_like(normal[0]) if ridge else normal.diagonal().clamp(min=0).sqrt()
    size = torch.where(size > 0, size, 1.0)
    values, vectors = torch.linalg.eigh(normal / size[:, None] / size)
    if not ridge and bool(values[0] <= len(normal) * torch.finfo(normal.dtype).eps * values[-1]):
        raise ValueError(DEPENDENT)
    return (vectors @ ((vectors.T @ (wanted / size[:, None])) / values[:, None])) / size[:, None]
