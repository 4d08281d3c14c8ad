"""How far two clouds of features lie apart as normal distributions: the FID, whatever the network."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, may_look, widest


def frechet_distance(samples: Tensor, others: Tensor) -> Tensor:
    """The squared distance of two normal distributions that have the clouds' means and covariances.

    ``‖a - b‖² + Tr A + Tr B - 2 Tr (A^½ B A^½)^½`` (Dowson and Landau, 1982; of features of a network the
    FID of Heusel *et al.*, 2017). With ``A = XᵀX`` and ``B = YᵀY`` the last trace is the sum of the singular
    values of ``X Yᵀ``: no root of a matrix is taken, and covariances may have any rank.

    Drawn from one distribution, clouds are apart by more than 0: standard normal ones by about
    ``(1/n + 1/m) d (d + 5) / 4``. Compare values of equal n, m and d alone, beside that of real samples.

    Args:
        samples: features (n, d), n >= 2.
        others: features (m, d), m >= 2; the two may change places.

    Returns:
        A scalar from 0 on, in the unit of the features squared. Its gradient is exact where both covariances
        have full rank, else one of the possible slopes.

    Raises:
        ValueError: a cloud has another shape, fewer than two samples or entries that are not finite.
        TypeError: one is no floating point tensor.
    """
    x, y = _cloud(samples, "samples"), _cloud(others, "others")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"samples have {x.shape[1]} features and others {y.shape[1]}; give both from one network"
        )
    dtype = torch.promote_types(x.dtype, y.dtype)
    x, y = x.to(widest(x)), y.to(widest(y))
    apart = (x.mean(0) - y.mean(0)).square().sum()
    x, y = _root(x), _root(y)
    spread = x.square().sum() + y.square().sum() - 2 * torch.linalg.svdvals(x @ y.T).sum()
    return (apart + spread.clamp(min=0)).to(dtype)


def _cloud(x: Tensor, name: str) -> Tensor:
    x = accumulating(x, name)
    if x.ndim != 2 or len(x) < 2 or not x.shape[1]:
        raise ValueError(f"{name} have shape {tuple(x.shape)}; give features (n, d), two samples or more")
    if may_look(x) and not bool(x.isfinite().all()):
        raise ValueError(f"{name} hold numbers that are NaN or infinite; leave these samples out")
    return x


def _root(x: Tensor) -> Tensor:
    """A matrix R of at most d rows with RᵀR the covariance of (n, d)."""
    centred = (x - x.mean(0)) / (len(x) - 1) ** 0.5
    if len(x) <= x.shape[1]:
        return centred
    # Held fixed, the basis has no part in the gradient, and need not: it spans all columns.
    return torch.linalg.qr(centred.detach()).Q.T @ centred
