"""Do two samples have one distribution? The k-NN test and its smooth form (Djolonga and Krause, 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, as_adjacency, integer, matmul
from lggkit.graph.marginals import knn_marginals

FEWEST = 4
"""Vertices below which the variance has no closed form."""


def crossing_weight(marginals: Tensor, n0: int) -> Tensor:
    """``T = Σ_{ij} 1[i and j are of different samples] μ_ij``, (...), the first n0 vertices being one sample.

    Raises:
        ValueError: the marginals are not square, or n0 leaves a sample empty.
        TypeError: they are no tensor of numbers, or n0 is no int.
    """
    mu, n0 = _split(marginals, n0)
    return mu[..., :n0, n0:].sum((-2, -1)) + mu[..., n0:, :n0].sum((-2, -1))


def relabelling_moments(marginals: Tensor, n0: int) -> tuple[Tensor, Tensor]:
    """Mean and variance of `crossing_weight` over all labellings with n0 vertices in one sample.

    With ``S = Σ μ_ij``, ``d_i = Σ_j (μ_ij + μ_ji)``, ``Q = Σ μ_ij² + Σ μ_ij μ_ji``, ``c1 = n0 n1 / (n (n -
    1))`` and ``c2 = 4 (n0 - 1)(n1 - 1) / ((n - 2)(n - 3))`` the mean is ``2 c1 S`` and the variance
    ``c1 (1 - c2) Σ d_i² + c1 c2 Q + c1 (c2 - 4 c1) S²``.

    Args:
        marginals: (..., n, n) with a zero diagonal, n >= 4.
        n0: vertices of the first sample, 1 to n - 1.

    Returns:
        Both of shape (...), the variance at least 0.

    Raises:
        ValueError: there are fewer than four vertices, or as `crossing_weight`.
        TypeError: as `crossing_weight`.
    """
    mu, n0 = _split(marginals, n0)
    n = mu.shape[-1]
    if n < FEWEST:
        raise ValueError(f"there are {n} vertices; give {FEWEST} or more, fewer have no closed form.")
    c1, c2 = n0 * (n - n0) / (n * (n - 1)), 4 * (n0 - 1) * (n - n0 - 1) / ((n - 2) * (n - 3))
    total = mu.sum((-2, -1))
    degrees = (mu.sum(-1) + mu.sum(-2)).square().sum(-1)
    pairs = (mu * (mu + mu.mT)).sum((-2, -1))
    variance = c1 * (1 - c2) * degrees + c1 * c2 * pairs + c1 * (c2 - 4 * c1) * total.square()
    return 2 * c1 * total, variance.clamp(min=0)


def two_sample_statistic(
    x0: Tensor, x1: Tensor, k: int = 1, temperature: float | None = 0.1, scale: str = "none"
) -> Tensor:
    """The standardised statistic ``t = (T - E T) / sqrt(V T + 1e-5)``; far below 0 where samples differ.

    Mean and variance are over relabellings (`relabelling_moments`). Differentiable where the temperature is
    a number.

    Args:
        x0, x1: floating point (..., n0, d) and (..., n1, d), n0 + n1 >= 4.
        k, temperature, scale: see `knn_marginals`.

    Returns:
        t, shape (...).

    Raises:
        ValueError: widths differ, or as `knn_marginals` and `relabelling_moments`.
        TypeError: as `knn_marginals`.
    """
    n0, marginals = _length(x0), knn_marginals(_pooled(x0, x1), k, temperature, scale)
    mean, variance = relabelling_moments(marginals, n0)
    return (crossing_weight(marginals, n0) - mean) / (variance + 1e-5).sqrt()


@dataclass(frozen=True)
class TwoSampleTest:
    """``statistic`` is t, ``p_value`` that of permutations, ``null`` (m,) the t of each of them."""

    statistic: float
    p_value: float
    null: Tensor


def two_sample_test(
    x0: Tensor,
    x1: Tensor,
    k: int = 1,
    temperature: float | None = None,
    permutations: int = 999,
    generator: torch.Generator | None = None,
    scale: str = "none",
) -> TwoSampleTest:
    """Test that two samples are of one distribution, by permuting who belongs to which; waits for the device.

    The p-value is ``(1 + #{T_π <= T}) / (1 + permutations)``: small where few edges cross.

    Args:
        x0, x1: floating point (n0, d) and (n1, d).
        k, temperature, scale: see `knn_marginals`; the hard graph by default.
        permutations: at least 1.
        generator: of the permutations, on the CPU.

    Raises:
        ValueError, TypeError: as `two_sample_statistic`; a sample is not (n, d), entries are not finite, or
            ``permutations`` is no positive int.
    """
    for name, x in (("x0", x0), ("x1", x1)):
        if not bool(accumulating(x, name).isfinite().all()):
            raise ValueError(f"{name} has entries that are NaN or infinite; leave out those points.")
        if x.ndim != 2:
            raise ValueError(
                f"{name} has shape {tuple(x.shape)}; give one sample (n, d), or `two_sample_statistic` many."
            )
    n0, mu = _length(x0), knn_marginals(_pooled(x0, x1), k, temperature, scale).detach()
    mean, variance = relabelling_moments(mu, n0)
    order = torch.rand(integer(permutations, "permutations"), len(mu), generator=generator).argsort(1)
    sides = torch.cat((torch.arange(len(mu))[None], order)).to(mu.device) < n0
    ours = sides.to(mu.dtype)
    crossing = (matmul(ours, mu + mu.mT) * (1 - ours)).sum(1)
    t = (crossing - mean) / (variance + 1e-5).sqrt()
    slack = torch.finfo(t.dtype).eps ** 0.5
    p_value = (t <= t[0] + slack).double().mean().item()
    return TwoSampleTest(t[0].item(), p_value, t[1:].cpu())


def _length(x: Tensor) -> int:
    """The number of points of a sample (..., n, d)."""
    if accumulating(x).ndim < 2:
        raise ValueError(f"a sample has shape {tuple(x.shape)}; give (..., n, d), points as rows.")
    return x.shape[-2]


def _pooled(x0: Tensor, x1: Tensor) -> Tensor:
    if _length(x1) and x0.shape[-1] != x1.shape[-1]:
        raise ValueError(
            f"the samples have {x0.shape[-1]} and {x1.shape[-1]} features; give points of one space."
        )
    return torch.cat((accumulating(x0), accumulating(x1)), -2)


def _split(marginals: Tensor, n0: int) -> tuple[Tensor, int]:
    mu, n0 = as_adjacency(marginals), integer(n0, "n0")
    if n0 >= mu.shape[-1]:
        raise ValueError(f"n0 is {n0} of {mu.shape[-1]} vertices; leave at least one to either sample.")
    return mu, n0
