"""How long a training step takes under each penalty, written out plainly: no data set, no engine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.experiments.recipes.transfer import OF_NEURONS, OF_WEIGHTS, Penalty
from lggkit.latents import latents
from lggkit.networks import build
from lggkit.objectives.neuron_costs import neuron_costs
from lggkit.transport import exact_transport

ALPHA = 1e-2
METHODS = ("none", "l2_sp", "omega_p", "linear_program")
WIDTH, SIDE, CLASSES = 3, 32, 10


def seconds(work: Callable[[], Any]) -> float:
    """How long one call takes, on a processor."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def linear_program(cost: Tensor) -> Tensor:
    """The least cost by POT's network simplex; with marginals that are given no assignment solver is used."""
    mu, nu = (cost.new_full((size,), 1 / size) for size in cost.shape)
    return exact_transport(cost, (mu, nu)).cost


def step_seconds(width: int, batch: int, layers: Sequence[str], steps: int) -> dict[str, float]:
    """The median seconds of a training step of a ResNet-18, by method, all of them in turn.

    A step is forward, penalty, backward and update on a batch of noise; one that is not timed comes first.
    """
    work = {method: _stepper(method, width, batch, layers) for method in METHODS}
    turns = [{method: seconds(step) for method, step in work.items()} for _ in range(1 + steps)]
    return {method: statistics.median(turn[method] for turn in turns[1:]) for method in METHODS}


def _stepper(method: str, width: int, batch: int, layers: Sequence[str]) -> Callable[[], None]:
    model, reference = (build("resnet18", seed=i, width=width, channels=WIDTH) for i in range(2))
    images = torch.rand(batch, WIDTH, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(batch) % CLASSES
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    start = {name: w.detach().clone() for name, w in model.named_parameters() if "classifier" not in name}
    depths = () if method in ("none", *OF_WEIGHTS) else tuple(layers)

    def step() -> None:
        optimizer.zero_grad()
        ours = latents(model, images, [*depths, "output"])
        loss = F.cross_entropy(ours["output"], labels)
        with torch.no_grad():
            theirs = latents(reference.eval(), images, [*depths]) if depths else {}
        sides = [[one[name] for name in depths] for one in (ours, theirs)]
        (loss + ALPHA * _penalty(method, model, start, *sides)).backward()
        optimizer.step()

    return step


def _penalty(
    method: str,
    model: nn.Module,
    start: Mapping[str, Tensor],
    ours: Sequence[Tensor],
    theirs: Sequence[Tensor],
) -> Tensor | float:
    if method == "none":
        return 0.0
    if method in OF_WEIGHTS:
        return Penalty(method, ALPHA).of_weights(dict(model.named_parameters()), start)
    if method in OF_NEURONS:
        return Penalty(method, ALPHA).of_neurons(ours, theirs)
    costs = neuron_costs(ours, theirs)
    return sum(map(linear_program, costs)) / len(costs)
