"""Solvers of optimal transport on layers whose exact plan, or true matching, is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from lggkit.transport import cost_matrix, exact_transport, ipot


def drawn_layer(samples: int, width: int, causes: int, generator: torch.Generator) -> Tensor:
    """Activations (samples, width) >= 0, float64: ReLU of random mixtures of as many Gaussian causes."""
    draw = {"generator": generator, "dtype": torch.float64}
    mixed = torch.randn(samples, causes, **draw) @ torch.randn(causes, width, **draw)
    return (mixed / causes**0.5).relu()


def reordered(layer: Tensor, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A layer's neurons in another order, moved by ``noise`` standard deviations of it, and the order.

    Neuron i of the copy (n, d) is neuron ``order[i]`` of the layer.
    """
    order = torch.randperm(layer.shape[1], generator=generator)
    moved = torch.randn(layer.shape, generator=generator, dtype=layer.dtype)
    return layer[:, order] + noise * layer.std() * moved, order


def cost_gaps(cost: Tensor, iterations: Sequence[int], beta: float, inner: int) -> list[float]:
    """How far IPOT's cost is above the least, relatively, after so many iterations."""
    least = exact_transport(cost).cost
    costs = (ipot(cost, beta=beta, iterations=number, inner=inner).cost for number in iterations)
    return [float((reached - least) / least) for reached in costs]


def _ipot(cost: Tensor, beta: float, iterations: int, inner: int) -> Tensor:
    return ipot(cost, beta=beta, iterations=iterations, inner=inner).plan


def _sinkhorn(cost: Tensor, beta: float, iterations: int, inner: int) -> Tensor:
    """As many updates of IPOT's first kernel alone, which is Sinkhorn's algorithm."""
    return ipot(cost, beta=beta, iterations=1, inner=iterations * inner).plan


SOLVERS: Mapping[str, Callable[[Tensor, float, int, int], Tensor]] = {
    "ipot": _ipot,
    "sinkhorn": _sinkhorn,
    "exact": lambda cost, *_: exact_transport(cost).plan,
}
"""Plans (d, d') of a cost by name; β is the entropy of the kernel in IPOT's unit."""


def recovery(plan: Tensor, order: Tensor) -> float:
    """The mass in [0, 1] that a plan puts on the true matching of i with ``order[i]``."""
    return float(plan[torch.arange(len(order)), order].sum())


def matching_problem(
    samples: int, width: int, causes: int, noise: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The costs (d, d) between a drawn layer's noisy, reordered copy and the layer, and the order."""
    layer = drawn_layer(samples, width, causes, generator)
    copy, order = reordered(layer, noise, generator)
    return cost_matrix(copy.T, layer.T), order
