"""Topological densification: the samples of a class become β-connected."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph._precision import tensor
from lggkit.topology import component_deaths
from lggkit.topology.deaths import positive


def densification(latents: Tensor, beta: float) -> Tensor:
    """``1/s Σ_groups Σ_edges |death - β|`` over the minimum spanning tree of each class-pure sub-batch.

    Shorter edges than β are stretched and longer ones shrunk, so that the samples of a class become
    β-connected with high probability.

    Args:
        latents: s sub-batches of b samples of one class each, floating point (s, b, d), b >= 2; see
            `lggkit.data.class_batches`.
        beta: the length, positive, in the unit of the latents.

    Returns:
        The penalty >= 0, a scalar in at least float32.

    Raises:
        ValueError: ``beta`` is not positive, or a sub-batch has fewer than two samples.
        TypeError: latents are no tensor or not floating point.

    Source: Hofer et al., "Topologically densified distributions" (2020), eq. 8, whose sum over sub-batches is
    a mean here; García-Castellanos et al. (2024), section 4, without a formula.
    """
    if tensor(latents, "latents").ndim != 3 or latents.shape[1] < 2:
        raise ValueError(
            f"latents have shape {tuple(latents.shape)}; give class-pure sub-batches (s, b, d) with b >= 2"
        )
    return (component_deaths(latents) - positive(beta)).abs().sum(-1).mean()
