"""The transport penalty: neurons stay near those of a reference network, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from lggkit.graph.depths import Latents
from lggkit.objectives.neuron_costs import neuron_costs
from lggkit.transport import ipot


def omega_p(
    trained: Latents,
    reference: Latents,
    *,
    pool: str = "mean",
    start: Sequence[Tensor] | None = None,
    **solver: Any,
) -> tuple[Tensor, list[Tensor]]:
    """``Ω_P = 1/|Λ| Σ_{l ∈ Λ} min ⟨P, M^l⟩`` over couplings P of uniform marginals, ``M_ij = ‖A_i - T_j‖``.

    A_i are the activations of neuron i on the batch, T_j those of the reference's neuron j. M is divided
    neither by the batch nor by its root: it grows as √n. The paper states neither marginals (uniform is what
    its eq. 5 and 6 are) nor how layers are joined (averaged here), nor how maps become neurons (see
    ``pool``), nor β and the number of iterations. The gradient takes the plan for constant.

    Args:
        trained, reference: latents (n, d, ...) and (n, d', ...) of the same batch, layer by layer, see
            `paired`; no gradient reaches the reference. Widths may differ.
        pool: what the channel of a map is on one sample, see `lggkit.transport.neurons`.
        start: one plan a layer, as the step before returned them. They need fewer iterations; ``eye(d) / d``
            begins at the neurons' old roles.
        solver: ``beta``, ``iterations``, ``inner`` or ``tolerance`` of `lggkit.transport.ipot`.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64), and each layer's plan (d, d'),
        whose trace is the share of neurons that match their old selves.

    Raises:
        ValueError, TypeError: the latents do not fit, see `paired`, there is not one plan a layer, or see
            `lggkit.transport.ipot`.

    Source: paper 3, eq. 4.
    """
    costs = neuron_costs(trained, reference, pool)
    plans = [None] * len(costs) if start is None else list(start)
    if len(plans) != len(costs):
        raise ValueError(f"start has {len(plans)} plans and there are {len(costs)} layers; give one a layer")
    couplings = [ipot(cost, start=plan, **solver) for cost, plan in zip(costs, plans, strict=True)]
    loss = sum(coupling.cost for coupling in couplings) / len(couplings)
    return loss, [coupling.plan for coupling in couplings]
