"""When a training stops to write checkpoints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lggkit.training.run import Run

SECONDS_APART = 30.0
clock = time.monotonic


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
