"""When a training stops to write checkpoints, and when for good because its time is up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from lggkit.training.run import Run

SECONDS_APART = 30.0
clock = time.monotonic
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)
_stops: list[object] = []


class OutOfTime(Exception):
    """A training was stopped at its deadline, after a step; it continues from its checkpoints."""


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Trainings inside that have checkpoints stop once ``time.monotonic()`` reaches ``deadline``.

    They write their checkpoints and raise `OutOfTime`.
    """
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def stop_on_demand() -> Iterator[Callable[[], None]]:
    """Gives a function after whose call all trainings of the process stop, as at a deadline, until the end.

    It may be called by a signal's handler, whatever context that interrupts: compiled code has its own.
    """
    asked = object()
    try:
        yield lambda: _stops.append(asked)
    finally:
        _stops[:] = [other for other in _stops if other is not asked]


def time_is_up(runs: Sequence[Run]) -> bool:
    """Whether the deadline has passed, or a stop was asked for, and every run can be taken up again."""
    stopped = bool(_stops) or clock() >= _deadline.get()
    return stopped and all(run.checkpoint is not None for run in runs)


class Pace:
    """When runs that advance together are written down.

    That is after their last step, after the steps that were asked for, else at the end of an epoch if the
    last time was long enough ago. Runs at the same step are answered alike: those that share a graph stay at
    the same step when they are taken up again.
    """

    def __init__(self) -> None:
        self.last, self.answer = clock(), (-1, False)

    def due(self, run: Run) -> bool:
        """Whether the step just made is one after which to save."""
        every = run.options.checkpoint_every
        if run.done or every:
            return run.done or run.step % every == 0
        return run.step % run.stream.steps_per_epoch == 0 and self._long_ago(run.step)

    def _long_ago(self, step: int) -> bool:
        if self.answer[0] != step:
            now = clock()
            self.answer = step, now - self.last >= SECONDS_APART
            self.last = now if self.answer[1] else self.last
        return self.answer[1]
