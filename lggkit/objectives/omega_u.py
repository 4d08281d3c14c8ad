"""The transport penalty with the uniform plan: every neuron is drawn to all of the reference's."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph.depths import Latents
from lggkit.objectives.neuron_costs import neuron_costs


def omega_u(trained: Latents, reference: Latents, *, pool: str = "mean") -> Tensor:
    """``Ω_U = 1/|Λ| Σ_{l ∈ Λ} ⟨11ᵀ/(dd'), M^l⟩``, the mean of all distances ``M_ij = ‖A_i - T_j‖``.

    What entropic transport becomes as its smoothing grows. It matches means and takes variance away: neurons
    that equal the reference's are no minimum of it. Never below `omega_p`.

    Args:
        trained, reference: latents (n, d, ...) and (n, d', ...) of the same batch, layer by layer, see
            `paired`; no gradient reaches the reference. Widths may differ.
        pool: what the channel of a map is on one sample, see `lggkit.transport.neurons`.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit, see `paired`.
        TypeError: latents are no tensors or not floating point.

    Source: paper 3, eq. 6.
    """
    costs = neuron_costs(trained, reference, pool)
    return sum(cost.mean() for cost in costs) / len(costs)
