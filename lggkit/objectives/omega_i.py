"""The transport penalty with the plan fixed at the identity: every neuron keeps its role."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph.depths import Latents
from lggkit.graph.distances import root
from lggkit.objectives.neuron_costs import layer_neurons


def omega_i(trained: Latents, reference: Latents, *, pool: str = "mean") -> Tensor:
    """``Ω_I = 1/|Λ| Σ_{l ∈ Λ} ⟨I/d, M^l⟩ = 1/|Λ| Σ_l 1/d Σ_i ‖A_i - T_i‖``.

    The mean of norms, not of their squares: near its reference a neuron is drawn as strongly as far from it.
    A neuron that equals its reference has gradient zero.

    It is never below the least transport cost, nor below `omega_p` where that has converged. `omega_p` lies
    above the least by what its iterations leave, which is much where the neurons of a layer differ in scale
    by orders of magnitude: of 64 neurons with scales 10^-1.5 to 10^1.5, each 1 % off its reference, 20 to
    41 % by default and 57 to 100 % after ten iterations with beta 0.1. Then normalise the neurons, take more
    iterations or a smaller beta with more inner updates, or measure by `lggkit.transport.exact_transport`.

    Args:
        trained, reference: latents (n, d, ...) of the same batch and widths, layer by layer, see `paired`; no
            gradient reaches the reference.
        pool: what the channel of a map is on one sample, see `lggkit.transport.neurons`.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit, see `paired`, or a layer's widths differ.
        TypeError: latents are no tensors or not floating point.

    Source: paper 3, eq. 5.
    """
    layers = layer_neurons(trained, reference, pool)
    for a, t in layers:
        if a.shape != t.shape:
            raise ValueError(
                f"the identity plan joins {len(a)} neurons to {len(t)} ({a.shape[1]} and {t.shape[1]} "
                "activations each); give equal layers, or take omega_p"
            )
    return sum(root((a - t).square().sum(-1)).mean() for a, t in layers) / len(layers)
