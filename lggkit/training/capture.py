"""The whole step as a CUDA graph: recorded once, checked against the eager step, then replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lggkit.training.processor import CodePath, first_line
from lggkit.training.stream import StillBatch

if TYPE_CHECKING:
    from lggkit.training.run import Run

STEPS_WORTH_CAPTURING = 500
STEPS_CHECKED = 20
TOLERANCE = 0.05


class Captured:
    """Makes a run's steps by replay; everything that changes between steps lies in memory that stays put.

    The epoch's order and augmentation are in the stream's buffers, the step's place in the epoch and the
    learning rate in scalars on the device. The short batch at the end of an epoch is made eagerly.
    """

    def __init__(self, run: Run, lane: torch.cuda.Stream | None = None) -> None:
        device = run.path.device
        self.run, self.lane = run, lane
        self.place = torch.zeros((), dtype=torch.int64, device=device)
        self.rows = torch.arange(run.config.batch_size, device=device)
        self.replay = self.body

    def body(self) -> None:
        """A full-sized step that takes nothing from the host."""
        rows = self.rows + self.place * len(self.rows)
        self.run.update(StillBatch(*self.run.stream.gather(rows)), self.place)

    def __call__(self, place: int) -> None:
        """Make step number ``place`` of the epoch that the run is in."""
        stream, step = self.run.stream, self.run.step
        if place >= full_batches(self.run):
            self.run.update(stream.make(step), place)
            return
        stream.enter(step // stream.steps_per_epoch)
        self.place.fill_(place)
        self.replay()


def choose_capture(run: Run) -> tuple[Captured | None, CodePath]:
    """The captured step where it is worth while, works and agrees with the eager one, else None.

    With it the path, which says so. Model, optimizer, meter and step count are as before afterwards.
    """
    wanted, reason = worth_capturing(run)
    if not wanted:
        return None, run.path.because(reason) if reason else run.path
    saved = _snapshot(run)
    try:
        captured = _captured(run, saved)
        off = _disagreement(run, captured, saved)
        reason = "" if off <= TOLERANCE else f"captured and eager losses differ by {off:.1e}"
    except Exception as error:
        reason = f"capture failed ({first_line(error)})"
    _restore(run, saved)
    if reason:
        run.rate_from(None)
        return None, run.path.because(reason)
    captured.lane.wait_stream(torch.cuda.current_stream())
    return captured, replace(run.path, captured=True)


def worth_capturing(run: Run) -> tuple[bool, str]:
    """Whether to try, and if not, why."""
    wanted, steps = run.config.capture, (run.total - run.step) * bool(full_batches(run))
    if run.path.device.type != "cuda":
        return False, "capture needs an NVIDIA GPU" if wanted is True else ""
    if wanted == "auto" and steps < STEPS_WORTH_CAPTURING:
        return False, "too short to repay capture"
    return bool(wanted and steps), ""


def full_batches(run: Run) -> int:
    """Batches of an epoch that are not short."""
    return len(run.stream.data) // run.config.batch_size


def record(body: Callable[[], None]) -> tuple[Callable[[], None], torch.cuda.Stream]:
    """A function that replays ``body`` from a CUDA graph, and a stream for it; runs ``body`` three times."""
    lane = torch.cuda.Stream()
    lane.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(lane):
        for _ in range(3):
            body()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        body()
    return graph.replay, lane


def _captured(run: Run, saved: dict[str, Any]) -> Captured:
    run.rate_from(torch.tensor(run.config.learning_rate, device=run.path.device))
    captured = Captured(run)
    run.stream.enter(run.step // run.stream.steps_per_epoch)
    captured.replay, captured.lane = record(captured.body)
    _restore(run, saved)
    return captured


def _disagreement(run: Run, captured: Captured, saved: dict[str, Any]) -> float:
    def eagerly(place: int) -> None:
        run.update(run.stream.make(run.step), place)

    theirs = _losses(run, captured, saved)
    ours = _losses(run, eagerly, saved)
    off = float(((theirs - ours).abs() / ours.abs().clamp_min(1e-3)).max())
    return off if off == off else float("inf")


def _losses(run: Run, make: Callable[[int], None], saved: dict[str, Any]) -> Tensor:
    first = run.step - run.step % run.stream.steps_per_epoch
    count = min(STEPS_CHECKED, full_batches(run))
    for place in range(count):
        run.step = first + place
        run.prepare()
        make(place)
    losses = run.meter.losses[:count].clone()
    _restore(run, saved)
    return losses


def _snapshot(run: Run) -> dict[str, Any]:
    return {
        "step": run.step,
        "model": {name: value.clone() for name, value in run.model.state_dict().items()},
        "optimizer": {p: _cloned(state) for p, state in run.optimizer.state.items()},
        "meter": run.meter.state(),
    }


def _cloned(state: dict[str, Any]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in state.items() if torch.is_tensor(value)}


def _restore(run: Run, saved: dict[str, Any]) -> None:
    """Put values back in place: a graph that was recorded reads and writes these very tensors."""
    run.step = saved["step"]
    run.meter.load(saved["meter"])
    with torch.no_grad():
        for name, value in run.model.state_dict().items():
            value.copy_(saved["model"][name])
        for parameter, state in run.optimizer.state.items():
            before = saved["optimizer"].get(parameter, {})
            for name, value in state.items():
                if torch.is_tensor(value):
                    value.copy_(before[name]) if name in before else value.zero_()
