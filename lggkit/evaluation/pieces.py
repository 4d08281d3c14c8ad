"""What article 3 measures of a network's pieces: neighbours, Hamming responses, segments, balls."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.regions import (
    Cells,
    Polyhedron,
    activation_patterns,
    bisection_crossings,
    hamming,
    segment_crossings,
)


def same_class_rates(
    network: nn.Module, base: tuple[Tensor, Tensor], queries: tuple[Tensor, Tensor] | None = None
) -> dict[str, float]:
    """How often (%) the nearest of ``base`` has the query's class: by pixels, by pattern, by last features.

    Without queries those are the base itself, where nobody is a neighbour of its own.
    """
    asked = base if queries is None else queries
    bits = [activation_patterns(network, x) for x in (asked[0], base[0])]
    last = [network[:-1](x) for x in (asked[0], base[0])]
    far = {
        "euclidean": torch.cdist(asked[0], base[0]),
        "hamming": hamming(*bits).float(),
        "features": torch.cdist(*last),
    }
    if queries is None:
        far = {name: d.fill_diagonal_(torch.inf) for name, d in far.items()}
    right = {name: base[1][d.argmin(1)] == asked[1] for name, d in far.items()}
    return {name: 100 * hit.double().mean().item() for name, hit in right.items()}


def attacked(network: nn.Module, x: Tensor, labels: Tensor, epsilon: float, bounds: tuple | None) -> Tensor:
    """One step of ε along the sign of the gradient of the cross-entropy, clamped to the bounds."""
    with torch.enable_grad():
        moved = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(network(moved), labels, reduction="sum"), moved)
    return clamped(x + epsilon * gradient.sign(), bounds)


def noisy(x: Tensor, epsilon: float, generator: torch.Generator, bounds: tuple | None) -> Tensor:
    """The same step along random signs."""
    signs = torch.randint(2, x.shape, generator=generator).to(x.dtype) * 2 - 1
    return clamped(x + epsilon * signs, bounds)


def clamped(x: Tensor, bounds: tuple | None) -> Tensor:
    """``x`` within the bounds, if there are any."""
    return x if bounds is None else x.clamp(*bounds)


def hamming_response(
    network: nn.Module, x: Tensor, distance: float, generator: torch.Generator, rule: str = "sphere"
) -> float:
    """Mean number of bits that change from an input (n, m) to one at a distance, by a rule (`RULES`)."""
    step = RULES[rule](x, generator)
    moved = x + distance * step / step.norm(dim=1, keepdim=True)
    return (
        (activation_patterns(network, x) ^ activation_patterns(network, moved)).sum(1).double().mean().item()
    )


def _toward(x: Tensor, generator: torch.Generator) -> Tensor:
    """From each input to another one: along a random cycle through all."""
    order = torch.randperm(len(x), generator=generator)
    return x[order.roll(1)[order.argsort()]] - x


RULES = {
    "sphere": lambda x, generator: torch.randn(x.shape, generator=generator),
    "signs": lambda x, generator: torch.randint(2, x.shape, generator=generator) * 2.0 - 1,
    "toward": _toward,
}
"""How a direction is drawn: on the sphere, random signs, towards another input of the set."""


def nearest_pairs(x: Tensor, count: int) -> list[tuple[int, int]]:
    """The first ``count`` inputs (n, m), each with its nearest other one."""
    far = torch.cdist(x[:count], x)
    far[torch.arange(count), torch.arange(count)] = torch.inf
    return list(enumerate(far.argmin(1).tolist()))


def segments(cells: Cells, x: Tensor, pairs: list[tuple[int, int]], bisected: int) -> dict[str, list[float]]:
    """Of each pair's segment: exact crossings, Hamming distance, bits off parity; bisection of a few."""
    crossings = [segment_crossings(cells, x[i], x[j]) for i, j in pairs]
    apart = [segment.ends[0] ^ segment.ends[1] for segment in crossings]
    odd = [
        torch.bincount(segment.unit, minlength=len(bits)) % 2 == 1
        for segment, bits in zip(crossings, apart, strict=True)
    ]
    halved = [len(bisection_crossings(cells, x[i], x[j])) for i, j in pairs[:bisected]]
    return {
        "crossings": [float(len(segment.t)) for segment in crossings],
        "hamming": [float(bits.sum()) for bits in apart],
        "unequal_bits": [float((a ^ b).sum()) for a, b in zip(odd, apart, strict=True)],
        "bisection": [float(n) for n in halved],
    }


def ball_radii(network: nn.Module, sets: Mapping[str, Tensor], box: Polyhedron) -> dict[str, list[float]]:
    """The radius of the largest ball in the cell of each input (n, m), within the box."""
    cells = Cells(network, tuple(next(iter(sets.values())).shape[1:]))
    return {
        name: [cells.at(x).within(box).chebyshev().radius for x in inputs] for name, inputs in sets.items()
    }


def unbounded_share(network: nn.Module, x: Tensor) -> float:
    """The share of inputs whose cell has no largest ball without a box."""
    cells = Cells(network, tuple(x.shape[1:]))
    return sum(not cells.at(one).chebyshev().bounded for one in x) / len(x)
