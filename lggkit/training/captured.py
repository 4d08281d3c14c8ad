"""The whole step as a CUDA graph, replayed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch

from lggkit.training.run import Run, Stepper
from lggkit.training.stream import StillBatch


def new_lane() -> torch.cuda.Stream:
    """A CUDA stream that begins after what the current one has been given."""
    lane = torch.cuda.Stream()
    lane.wait_stream(torch.cuda.current_stream())
    return lane


def record(body: Callable[[], None], lane: torch.cuda.Stream) -> Callable[[], None]:
    """A function that replays ``body`` from a CUDA graph; ``body`` is run three times before.

    All of it on ``lane``: cuBLAS keeps a workspace for each stream, which graphs that run at once must not
    share, and autograd a node for each parameter, which remembers the stream that it was made on.
    """
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
    return graph.replay


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


class Captured(Stepper):
    """Makes steps by replay, of one run or of several that see the same batches.

    Everything that changes between steps lies in memory that stays put: the epoch's order and augmentation
    in the stream's buffers, the step's place in the epoch and the learning rate in scalars on the device.
    Runs of one graph are given one batch object, as eager ones are, so that a `Teacher` is computed once a
    replay for all of them; the batch of another graph is another object, so that no graph reads what a
    teacher kept for another. The short batch at the end of an epoch is made eagerly. ``draws``: whether a
    step draws random numbers.
    """

    captured = True

    def __init__(self, runs: Sequence[Run], draws: bool) -> None:
        device = runs[0].path.device
        self.runs, self.stream, self.draws = list(runs), runs[0].stream, draws
        self.cuda_stream: torch.cuda.Stream | None = None
        self.place = torch.zeros((), dtype=torch.int64, device=device)
        self.rows = torch.arange(runs[0].config.batch_size, device=device)
        self.replay: Callable[[], None] | None = None

    def body(self) -> None:
        """A full-sized step of every run that takes nothing from the host."""
        rows = self.rows + self.place * len(self.rows)
        batch = StillBatch(*self.stream.gather(rows))
        for run in self.runs:
            run.update(batch, self.place)

    def crew(self, run: Run) -> Sequence[Run]:
        """All of the graph."""
        return self.runs

    def lane(self) -> AbstractContextManager:
        """A CUDA stream of its own."""
        return torch.cuda.stream(self.cuda_stream)

    def make(self, run: Run, place: int) -> None:
        """Make step number ``place`` of the epoch that the runs are in, which is that of ``run``."""
        if place >= self.stream.full_batches:
            batch = self.stream.make(run.step)
            for each in self.runs:
                each.update(batch, place)
            return
        self.stream.enter(run.step // self.stream.steps_per_epoch)
        self.place.fill_(place)
        self.replay()
