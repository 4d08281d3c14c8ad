"""How long a training step takes beside that of another training, step after step in turn."""

from __future__ import annotations

import statistics
import time

import torch

from lggkit.training.begin import begin
from lggkit.training.precision import adopt_precision
from lggkit.training.run import Run

WARM_UP = 3


def relative_step_time(own: Run, other: Run, steps: int) -> float:
    """The median time of a training step over that of another training.

    Both are begun alone and take the path that their training takes (captured on a GPU), for ``steps`` steps
    in turn after some to warm up; batches and augmentation are part of a step. Where the other's precision
    is left open it is this one's.

    Raises:
        ValueError: there is no step to time.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; time at least one")
    device = own.path.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        begin([own])
        adopt_precision(other, own.path.dtype)
        begin([other])
        times = [[_timed(run) for run in (own, other)] for _ in range(steps + WARM_UP)]
    ours, theirs = zip(*times[WARM_UP:], strict=True)
    return statistics.median(ours) / statistics.median(theirs)


def _timed(run: Run) -> float:
    start = time.perf_counter()
    with run.stepper.lane():
        run.advance()
    if run.path.device.type == "cuda":
        torch.cuda.synchronize(run.path.device)
    return time.perf_counter() - start
