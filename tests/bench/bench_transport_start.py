"""What a plan costs in training against how exact it is: begun at the plan of the step before, or anew.

Two layers of the same number of neurons are ReLUs of random mixtures of the same hidden causes. Those of the
first are those of the second in another order, disturbed: a little, so that each has a clear partner, or by
twice their own size. Every step draws another batch, and the mixtures of the first move a little, as in
training. A step is the cost matrix, IPOT with so many iterations, and the gradient of the cost; gaps to the
least cost are means over the steps but for the first.
"""

from __future__ import annotations

from itertools import product
from statistics import fmean, median
from time import perf_counter

import torch
from torch import Tensor
from usual import device_name, devices, wait

from lggkit.transport import cost_matrix, exact_transport, ipot, neurons

NEURONS, BATCH, CAUSES = 512, 64, 32
STEPS, MOVED = 12, 0.02
NOISES = {"clear partners": 0.5, "no clear partners": 2.0}
ITERATIONS = (1, 2, 5, 10, 20, 50)
OURS = {"beta": 0.1, "inner": 10}
SMALLEST_RATIO = 0.5
LEAST = -1e-4


def run() -> list[dict]:
    """A row for each number of iterations: ours begins at the plan before, the reference anew."""
    return [compare(*one, device) for device in devices() for one in product(NOISES, ITERATIONS)]


def compare(partners: str, count: int, device: str) -> dict:
    noise = NOISES[partners]
    (warm, warm_gap), (cold, cold_gap) = (trained(noise, count, device, begun) for begun in (True, False))
    name = f"a plan of {NEURONS:,} neurons with {partners}, {count} iterations, begun at the plan before"
    return {
        "name": f"{name}, {warm_gap:.2%} (begun anew {cold_gap:.2%}) above the least",
        "ours_seconds": warm,
        "reference_seconds": cold,
        "ratio": cold / warm,
        "equal": min(warm_gap, cold_gap) >= LEAST,
        "device": device_name(device),
        "smallest_ratio": SMALLEST_RATIO if device == "cpu" else 0.0,
        "partners": partners,
        "iterations": count,
        "relative_gap": warm_gap,
        "reference_relative_gap": cold_gap,
    }


def trained(noise: float, count: int, device: str, begun: bool) -> tuple[float, float]:
    """The median seconds of a step, and the mean gap to the least cost, as a share of it."""
    plan, seconds, gaps = None, [], []
    for points in layers(noise, device):
        leaf = points[0].requires_grad_()
        wait(device)
        start = perf_counter()
        cost = cost_matrix(leaf, points[1])
        found = ipot(cost, iterations=count, start=plan if begun else None, **OURS)
        found.cost.backward()
        wait(device)
        seconds.append(perf_counter() - start)
        plan = found.plan.detach()
        gaps.append(gap(plan, cost.detach()))
    return median(seconds[1:]), fmean(gaps[1:])


def gap(plan: Tensor, cost: Tensor) -> float:
    least = exact_transport(cost.double()).cost
    return float((plan * cost).double().sum() / least - 1)


def layers(noise: float, device: str) -> list[tuple[Tensor, Tensor]]:
    """Both layers' neurons as points (n, batch), step by step."""
    source = torch.Generator().manual_seed(NEURONS)
    reference, moves = (torch.randn(CAUSES, NEURONS, generator=source) for _ in range(2))
    disturbed = reference + noise * torch.randn(CAUSES, NEURONS, generator=source)
    own = disturbed[:, torch.randperm(NEURONS, generator=source)]
    found = []
    for step in range(STEPS):
        causes = torch.randn(BATCH, CAUSES, generator=source)
        both = (causes @ (own + step * MOVED * moves), causes @ reference)
        found.append(tuple(neurons(one.relu()).to(device) for one in both))
    return found
