"""One linear map that carries the affine maps of a network to those of another (article 4, section 2.4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating
from lggkit.regions._runs import finite
from lggkit.similarity import LinearFit, LinearMap, r2_score


@dataclass(frozen=True)
class MapAlignment:
    """For each output j the matrix ``M_j`` with ``C_{j,1} M_j ≈ C_{j,2}``."""

    maps: tuple[LinearMap, ...]

    def __call__(self, source: Tensor) -> Tensor:
        """Dual points (n, k, d') of the target, predicted from those of the source (n, k, d).

        Raises:
            ValueError: the source has another number of outputs, or another width.
        """
        _check(source, source, len(self.maps))
        return torch.stack([m(cloud) for m, cloud in zip(self.maps, source.unbind(1), strict=True)], dim=1)

    def r2(self, source: Tensor, target: Tensor) -> Tensor:
        """``R²`` of each output (k,), over all entries of its dual points together."""
        images = self(source)
        return torch.stack([r2_score(a, b) for a, b in zip(images.unbind(1), target.unbind(1), strict=True)])


def align_maps(source: Tensor, target: Tensor, ridge: float = 1e-8) -> MapAlignment:
    """``min ‖C_{j,1} M_j - C_{j,2}‖² + λ ‖M_j‖²`` for every output j, by `lggkit.similarity.LinearFit`.

    Dual points of a dense network lie in the span of its first layer's weights, so that least squares alone
    is not unique; a small λ, ``ridge`` times the mean square length of a column of the source, takes the
    solution of least norm. There is no intercept beside the column of offsets. Leave that column out on both
    sides (``points[..., :-1]``) for the authors' other variant.

    Args:
        source, target: dual points (n, k, d) and (n, k, d') of the same n inputs and k outputs.
        ridge: >= 0; 0 is plain least squares, which must then be unique.

    Raises:
        ValueError: shapes do not belong together, an entry is not finite, ridge is no number from 0 on, or
            least squares is not unique.
        TypeError: a side is no tensor or not floating point.

    Source: Sattelberg et al. (2023), eq. 8.
    """
    return MapAlignment(tuple(fit.solve() for fit in map_fits(source, target, ridge)))


def map_fits(source: Tensor, target: Tensor, ridge: float = 1e-8) -> list[LinearFit]:
    """The sums behind `align_maps`, an output each: for other columns of both without another pass."""
    LinearFit(ridge)  # refuses what is no λ
    source, target = accumulating(source, "source"), accumulating(target, "target")
    _check(source, target, source.shape[1] if source.ndim == 3 else 0)
    fits = []
    for own, wanted in zip(source.unbind(1), target.unbind(1), strict=True):
        size = finite(own, "source").double().square().sum().item() / own.shape[1]
        fits.append(LinearFit(ridge * size if size else ridge).update(own, wanted))
    return fits


def _check(source: Tensor, target: Tensor, outputs: int) -> None:
    for name, side in (("source", source), ("target", target)):
        if accumulating(side, name).ndim != 3 or side.shape[:2] != (len(source), outputs):
            raise ValueError(
                f"{name} has shape {tuple(side.shape)}; give dual points (n, k, d), k = {outputs}"
            )
