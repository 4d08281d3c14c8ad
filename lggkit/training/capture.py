"""The whole step as a CUDA graph: recorded once, checked against the eager step, then replayed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from lggkit.training.memory import is_out_of_memory
from lggkit.training.processor import first_line
from lggkit.training.selfcheck import (
    TOLERANCE,
    apart_from,
    draws,
    eager_losses,
    full_batches,
    replayed_losses,
    restore,
    snapshot,
)
from lggkit.training.stream import StillBatch

if TYPE_CHECKING:
    from lggkit.training.run import Run

STEPS_WORTH_CAPTURING = 500


class Captured:
    """Makes steps by replay, of one run or of several that see the same batches.

    Everything that changes between steps lies in memory that stays put: the epoch's order and augmentation
    in the stream's buffers, the step's place in the epoch and the learning rate in scalars on the device.
    Runs of one graph are given one batch object, as eager ones are, so that a `Teacher` is computed once a
    replay for all of them; the batch of another graph is another object, so that no graph reads what a
    teacher kept for another. The short batch at the end of an epoch is made eagerly.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        device = runs[0].path.device
        self.runs, self.stream = list(runs), runs[0].stream
        self.lane: torch.cuda.Stream | None = None
        self.draws = False
        self.place = torch.zeros((), dtype=torch.int64, device=device)
        self.rows = torch.arange(runs[0].config.batch_size, device=device)
        self.replay: Callable[[], None] | None = None

    def body(self) -> None:
        """A full-sized step of every run that takes nothing from the host."""
        rows = self.rows + self.place * len(self.rows)
        batch = StillBatch(*self.stream.gather(rows))
        for run in self.runs:
            run.update(batch, self.place)

    def __call__(self, place: int) -> None:
        """Make step number ``place`` of the epoch that the runs are in."""
        step = self.runs[0].step
        if place >= full_batches(self.runs[0]):
            batch = self.stream.make(step)
            for run in self.runs:
                run.update(batch, place)
            return
        self.stream.enter(step // self.stream.steps_per_epoch)
        self.place.fill_(place)
        self.replay()


def capture_all(runs: Sequence[Run]) -> None:
    """Capture the runs where it is worth while, works and agrees with eager steps; their paths say so.

    Runs of one stream that are at the same step share a graph. Model, optimizer, meter and step count are as
    before afterwards.
    """
    groups: dict[tuple[int, int], list[Run]] = {}
    for run in runs:
        if not run.done:
            groups.setdefault((id(run.stream), run.step), []).append(run)
    for group in groups.values():
        choose_capture(group)
    captured = list(dict.fromkeys(run.captured for run in runs if run.captured is not None))
    _take_turns([one for one in captured if one.draws])
    if len(captured) > 1:
        _check_together(captured)
    _ready(runs)


def choose_capture(runs: Sequence[Run]) -> None:
    """One graph for runs of the same stream and step, else one each, else eager steps."""
    wanted, reason = worth_capturing(runs[0])
    captured, reason = _checked(runs) if wanted else (None, reason)
    for run in runs:
        if captured is not None:
            run.captured, run.path = captured, replace(run.path, captured=True)
        elif wanted and len(runs) > 1:
            run.path = run.path.because(f"not captured together ({reason})")
            choose_capture([run])
        elif reason:
            run.path = run.path.because(reason)


def capture_again(runs: Sequence[Run]) -> None:
    """A new graph for those of a captured group that go on when another has ended."""
    let_go([run for run in runs if run.done])
    runs = [run for run in runs if not run.done]
    release(runs)
    if runs:
        choose_capture(runs)
        _ready(runs)


def let_go(runs: Sequence[Run]) -> None:
    """Part runs that have ended from their graphs, so that these and their memory are freed at once."""
    for run in runs:
        run.captured = None


def release(runs: Sequence[Run], reason: str = "") -> None:
    """Have captured runs make eager steps from here on."""
    for run in runs:
        run.captured.lane.synchronize()
        run.captured, run.path = None, replace(run.path, captured=False)
        run.path = run.path.because(reason) if reason else run.path
        run.rate_from(None)


def worth_capturing(run: Run) -> tuple[bool, str]:
    """Whether to try, and if not, why."""
    wanted, steps = run.config.capture, (run.total - run.step) * bool(full_batches(run))
    if run.path.device.type != "cuda":
        return False, "capture needs an NVIDIA GPU" if wanted is True else ""
    if wanted == "auto" and steps < STEPS_WORTH_CAPTURING:
        return False, "too short to repay capture"
    return bool(wanted and steps), ""


def record(body: Callable[[], None]) -> tuple[Callable[[], None], torch.cuda.Stream]:
    """A function that replays ``body`` from a CUDA graph, and a stream for it; runs ``body`` three times.

    All of it on that stream: cuBLAS keeps a workspace for each, which graphs that run at once must not share.
    """
    lane = torch.cuda.Stream()
    lane.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(lane):
            body()
            body()
            with waiting_forbidden():
                body()
    finally:
        torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=lane):
        body()
    return graph.replay, lane


@contextmanager
def waiting_forbidden() -> Iterator[None]:
    """Raise where the host waits for the device: in a capture that would break the allocator for good."""
    before = torch.cuda.get_sync_debug_mode()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Synchronization debug mode")
            torch.cuda.set_sync_debug_mode("error")
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


def _checked(runs: Sequence[Run]) -> tuple[Captured | None, str]:
    """The runs' captured step, or None and what is wrong with it."""
    saved = snapshot(runs)
    try:
        captured = _recorded(runs)
        off = apart_from(eager_losses(runs), replayed_losses([captured]))
        reason = "" if off <= TOLERANCE else f"captured and eager losses differ by {off:.1e}"
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = f"capture failed ({first_line(error)})"
    restore(runs, saved)
    if not reason:
        return captured, ""
    for run in runs:
        run.rate_from(None)
    return None, reason


def _recorded(runs: Sequence[Run]) -> Captured:
    saved = snapshot(runs)
    for run in runs:
        run.rate_from(torch.tensor(run.config.learning_rate, device=run.path.device))
    captured = Captured(runs)
    captured.draws = any([draws(run) for run in runs])
    if captured.draws and len(runs) > 1:
        raise RuntimeError("a network draws random numbers")
    captured.stream.enter(runs[0].step // captured.stream.steps_per_epoch)
    captured.replay, captured.lane = record(captured.body)
    restore(runs, saved)
    return captured


def _take_turns(drawing: Sequence[Captured]) -> None:
    """One lane for all that draw random numbers: graphs read their seed from one place in memory."""
    for captured in drawing:
        captured.lane = drawing[0].lane


def _ready(runs: Sequence[Run]) -> None:
    """Have every lane wait until what was tried is put back as it was."""
    for run in runs:
        if run.captured is not None:
            run.captured.lane.wait_stream(torch.cuda.current_stream())


def _check_together(captured: Sequence[Captured]) -> None:
    """Release all where steps that are made together are not those that each makes alone."""
    runs = [run for one in captured for run in one.runs]
    alone = [losses for one in captured for losses in replayed_losses([one])]
    off = apart_from(alone, replayed_losses(captured))
    if not off <= TOLERANCE:
        release(runs, f"losses of {len(runs)} together and alone differ by {off:.1e}")
