"""How far apart the neurons of two networks are, layer by layer (paper 3, eq. 3)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from lggkit.graph.depths import Latents
from lggkit.objectives.pairs import paired, twice_readable
from lggkit.transport import cost_matrix, neurons


def layer_neurons(trained: Latents, reference: Latents, pool: str = "mean") -> list[tuple[Tensor, Tensor]]:
    """Each layer's neurons as points, (d, n) and (d', n), those of the reference constant for autograd.

    Args:
        trained, reference: latents (n, d, ...) of the same batch, layer by layer, see `paired`.
        pool: what the channel of a map is on one sample, see `lggkit.transport.neurons`.

    Raises:
        ValueError, TypeError: as `paired` and `lggkit.transport.neurons`.
    """
    trained, reference = twice_readable(trained), twice_readable(reference)
    paired(trained, reference)
    layers = (x.values() if isinstance(x, Mapping) else x for x in (trained, reference))
    return [(neurons(a, pool), neurons(t.detach(), pool)) for a, t in zip(*layers, strict=True)]


def neuron_costs(trained: Latents, reference: Latents, pool: str = "mean") -> list[Tensor]:
    """``M_ij = ‖A_i - T_j‖`` of every layer, (d, d'), see `layer_neurons`."""
    return [cost_matrix(a, t) for a, t in layer_neurons(trained, reference, pool)]
