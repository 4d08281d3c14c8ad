"""Ways to compute a step, tried turn by turn on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from torch import Tensor

from lggkit.networks.own_kernels import own_kernels
from lggkit.training.processor import CodePath
from lggkit.training.run import Run
from lggkit.training.seeds import seed_noise
from lggkit.training.step import loss_on
from lggkit.training.stream import Batch

TURNS = 10
SECONDS_FOR_TURNS = 20.0


def turns(run: Run, paths: Sequence[CodePath], batch: Batch) -> Iterator[list[float]]:
    """Seconds of a step on each path, turn by turn."""
    began = perf_counter()
    for turn in range(TURNS):
        if turn > 1 and perf_counter() - began > SECONDS_FOR_TURNS:
            return
        yield [seconds(lambda path=path: trial_loss(run, path, batch)) for path in paths]


def trial_loss(run: Run, path: CodePath, batch: Batch) -> Tensor:
    """The loss of a forward and backward pass, a detached scalar; gradients are left."""
    seed_noise(path.device, run.stream.seed, run.step)
    run.model.zero_grad(set_to_none=True)
    with own_kernels(path.kernels):
        loss, _ = loss_on(run.forward, run.loss, batch, path.autocast())
        loss.backward()
    if run.taps is not None:
        run.taps.clear()
    return loss.detach().float()


def seconds(work: Callable[[], object]) -> float:
    """What some work takes."""
    start = perf_counter()
    work()
    return perf_counter() - start
