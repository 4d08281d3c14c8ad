"""A step of several narrow networks in lockstep, by each way of computing it, against one that is eager.

Seconds are those of one step of one network: a training of two epochs, of which the second counts. On a CPU
there is one way, the library's own choice. ``equal`` says whether the first loss is that of the eager step
and the path is the one that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import NamedTuple

import torch
from usual import BATCH, devices, normalizing, pictures, row, wait

from lggkit.training import OneCycle, TrainConfig, TrainResult, begin, train_many

NETWORK = "WRN28-0.5"
STEPS = {"cpu": 2, "cuda": 260}
SMALLEST_RATIO = 0.0
TOLERANCE = 0.02


class Way(NamedTuple):
    """A way of computing: how many networks, which settings, and whether our kernels may be tried."""

    name: str
    networks: int = 5
    kernels: bool = True
    precision: str = "float32"
    channels_last: bool = True
    capture: bool | str = True


EAGER = Way("eager", networks=1, kernels=False, capture=False)
WAYS = {
    "cpu": (Way("the library's choice", 2, capture=False),),
    "cuda": (
        Way("captured"),
        Way("captured, ten networks", 10),
        Way("captured, PyTorch's kernels", kernels=False),
        Way("captured, PyTorch's kernels, contiguous", kernels=False, channels_last=False),
        Way("captured, bfloat16", precision="bfloat16"),
        Way("captured, PyTorch's kernels, bfloat16", kernels=False, precision="bfloat16"),
    ),
}


def run() -> list[dict]:
    """One row a way and device; ratio = eager / ours."""
    return [line for device in devices() for line in compare(device)]


def compare(device: str) -> list[dict]:
    reference, eager = timed(EAGER, device)
    return [compared(way, device, reference, eager) for way in WAYS[device]]


def compared(way: Way, device: str, reference: float, eager: TrainResult) -> dict:
    ours, result = timed(way, device)
    near = abs(result.first_loss - eager.first_loss) <= TOLERANCE * eager.first_loss
    taken = result.path.captured == (way.capture is True)
    name = f"{way.networks} × {NETWORK}, {way.name} ({result.path}) / one, eager"
    return row(name, ours, reference, near and taken, device)


def timed(way: Way, device: str) -> tuple[float, TrainResult]:
    """Seconds of a step of a network in the second epoch, and the first network's result."""
    images, settings = pictures(BATCH * STEPS[device]), ("precision", "channels_last", "capture")
    config = TrainConfig(2, schedule=OneCycle(), **{name: getattr(way, name) for name in settings})
    models, seeds = [normalizing(NETWORK, seed) for seed in range(way.networks)], range(way.networks)
    ends: list[float] = []

    def note(model) -> dict[str, float]:
        wait(device)
        ends.append(perf_counter())
        return {}

    with kernels(way.kernels):
        results = train_many(
            models, images, config, seeds=list(seeds), device=device, evaluate=note, evaluate_every=1
        )
    first, last = ends[way.networks - 1], ends[-1]
    return (last - first) / (STEPS[device] * way.networks), results[0]


@contextmanager
def kernels(on: bool) -> Iterator[None]:
    """With our kernels as the library chooses them, or without any."""
    choose = begin.choose_kernels
    begin.choose_kernels = choose if on else lambda run, known: None
    try:
        yield
    finally:
        begin.choose_kernels = choose


if __name__ == "__main__":
    print(torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu")
    for line in run():
        print(f"{1e3 * line['ours_seconds']:8.3f} ms  × {line['ratio']:.2f}  {line['equal']}  {line['name']}")
