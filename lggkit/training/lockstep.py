"""Runs that are advanced together: taken up, stepped in turn, written down, shown by a bar."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from lggkit.durable import set_aside
from lggkit.training.begin import begin
from lggkit.training.capture import capture_again, let_go
from lggkit.training.checkpoint import (
    CheckpointDamaged,
    check_identity,
    read_checkpoint,
    write_checkpoint,
)
from lggkit.training.pace import OutOfTime, Pace, time_is_up
from lggkit.training.run import Run

Identity = dict[str, Any]


@contextmanager
def taken_up(runs: Sequence[Run], names: Sequence[Identity], device: torch.device) -> Iterator[None]:
    """Runs continued from their checkpoints, if there are any, with their taps on and their paths chosen.

    The caller's random numbers are as before afterwards.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), ExitStack() as stack:
        stack.callback(let_go, runs)
        if devices:
            stack.enter_context(torch.cuda.device(device))
        for run, name in zip(runs, names, strict=True):
            _resume(run, name)
            if run.taps is not None:
                stack.enter_context(run.taps)
        begin(runs)
        yield


class Lockstep:
    """Advances runs to their end, whoever is behind first; ``tick`` is called after each step of each.

    ``names`` are their identities, as `identity_of` gives them.
    """

    def __init__(self, runs: Sequence[Run], names: Sequence[Identity], tick: Callable[[Run], None]) -> None:
        self.runs, self.tick = runs, tick
        self.names = {id(run): name for run, name in zip(runs, names, strict=True)}
        self.before = {id(run): run.seconds for run in runs}
        self.began, self.pace = time.perf_counter(), Pace()

    def finish(self) -> None:
        """All steps that are left.

        Raises:
            OutOfTime: a deadline passed; checkpoints are written.
        """
        reached = -1
        while waiting := [run for run in self.runs if not run.done]:
            run = min(waiting, key=lambda run: (run.step, run.stream.seed))
            if run.step > reached and time_is_up(waiting):
                self._stop(waiting)
            reached = run.step
            self._step(run)

    def _step(self, run: Run) -> None:
        crew = run.stepper.crew(run)
        with run.stepper.lane():
            run.advance()
        for member in crew:
            self.tick(member)
            if self.pace.due(member):
                self._save(member)
        if any(member.diverged for member in crew):
            capture_again(crew)

    def _stop(self, waiting: Sequence[Run]) -> None:
        for run in waiting:
            self._save(run)
        raise OutOfTime("out of time, continues from its checkpoint")

    def _save(self, run: Run) -> None:
        share = (time.perf_counter() - self.began) / len(self.runs)
        run.seconds = self.before[id(run)] + share
        if run.checkpoint is not None:
            with run.stepper.lane():
                write_checkpoint(run.checkpoint, {"identity": self.names[id(run)], **run.state()})


def _resume(run: Run, identity: Identity) -> None:
    if run.checkpoint is None or not run.checkpoint.exists():
        return
    try:
        state = read_checkpoint(run.checkpoint)
    except CheckpointDamaged as error:
        aside = set_aside(run.checkpoint)
        warnings.warn(f"{error}; kept as {aside.name}, training begins again", RuntimeWarning, stacklevel=2)
        run.path = run.path.because("begun again, the checkpoint was damaged")
        return
    check_identity(run.checkpoint, state.pop("identity"), identity)
    run.load(state)


@contextmanager
def progress_bar(runs: Sequence[Run], shown: bool) -> Iterator[Callable[[Run], None]]:
    """A function to call after each step of a run; it moves a bar where one is ``shown``."""
    if not shown:
        yield lambda run: None
        return
    from tqdm.auto import tqdm

    total, made = sum(run.total for run in runs), sum(run.step for run in runs)
    with tqdm(total=total, initial=made, unit="step") as bar:
        yield lambda run: _tick(bar, run)


def _tick(bar: Any, run: Run) -> None:
    bar.update()
    losses = run.history.curves.get("train_loss")
    if run.step % run.stream.steps_per_epoch == 0 and losses:
        bar.set_postfix(epoch=run.step // run.stream.steps_per_epoch, loss=f"{losses[-1]:.3f}")
