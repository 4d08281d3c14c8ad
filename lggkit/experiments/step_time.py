"""How long a training step takes beside that of another loss, step after step in turn."""

from __future__ import annotations

import statistics
import time

import torch

from lggkit.experiments.base import Context
from lggkit.experiments.embedding_runs import build_network, training_images
from lggkit.record import Spec
from lggkit.training import Stream, choose_path
from lggkit.training.run import Run

WARM_UP = 3


def relative_step_time(spec: Spec, reference: Spec, context: Context, steps: int) -> float:
    """The median time of a training step of ``spec`` over that of ``reference``; 1 where they are the same.

    Both networks are trained anew, each alone and on the path that its training takes (captured on a GPU),
    for ``steps`` steps in turn after some to warm up; batches and augmentation are part of a step.

    Raises:
        ValueError: there is no step to time.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; time at least one")
    if spec == reference:
        return 1.0
    devices = [context.device] if context.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        runs = [_begun(one, context) for one in (spec, reference)]
        times = [[_timed(run) for run in runs] for _ in range(steps + WARM_UP)]
    own, others = zip(*times[WARM_UP:], strict=True)
    return statistics.median(own) / statistics.median(others)


def _begun(spec: Spec, context: Context) -> Run:
    settings, data = spec.protocol, training_images(spec.protocol, context)
    config = settings.own_training
    path = choose_path(config, context.device, len(data))
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    model = build_network(spec, context).to(memory_format=layout)
    run = Run(model, Stream(data, config, spec.seed), config, path, objective=settings.own_loss.objective())
    run.begin()
    return run


def _timed(run: Run) -> float:
    start = time.perf_counter()
    with run.lane():
        run.advance()
    if run.path.device.type == "cuda":
        torch.cuda.synchronize(run.path.device)
    return time.perf_counter() - start
