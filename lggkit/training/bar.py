"""The bar that shows how far trainings are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lggkit.training.run import Run


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
