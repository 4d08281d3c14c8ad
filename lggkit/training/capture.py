"""Whether runs make their steps by replay: captured, checked against the eager step, then trusted."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from lggkit.training.captured import Captured, new_lane, record
from lggkit.training.memory import is_out_of_memory
from lggkit.training.processor import first_line
from lggkit.training.run import Run, Stepper
from lggkit.training.selfcheck import (
    TOLERANCE,
    apart_from,
    draws,
    eager_losses,
    replayed_losses,
    restore,
    snapshot,
)

STEPS_WORTH_CAPTURING = 500
AS_FAR = 3.0
"""How many times as far as two computations of the same losses."""
log = logging.getLogger("lggkit.training")


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
    captured = list(dict.fromkeys(run.stepper for run in runs if run.stepper.captured))
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
            run.stepper, run.path = captured, replace(run.path, captured=True)
        elif wanted and len(runs) > 1:
            run.path = run.path.because(f"not captured together ({reason})")
            choose_capture([run])
        elif reason:
            run.path = run.path.because(reason)


def capture_again(runs: Sequence[Run]) -> None:
    """A new graph for those of a captured group that go on when another has ended."""
    let_go([run for run in runs if run.done])
    runs = [run for run in runs if not run.done and run.stepper.captured]
    release(runs)
    if runs:
        choose_capture(runs)
        _ready(runs)


def let_go(runs: Sequence[Run]) -> None:
    """Part runs that have ended from their graphs, so that these and their memory are freed at once."""
    for run in runs:
        run.stepper = Stepper()


def release(runs: Sequence[Run], reason: str = "") -> None:
    """Have captured runs make eager steps from here on."""
    for run in runs:
        run.stepper.cuda_stream.synchronize()
        run.stepper, run.path = Stepper(), replace(run.path, captured=False)
        run.path = run.path.because(reason) if reason else run.path
        run.updates.read_rate_from(None)


def worth_capturing(run: Run) -> tuple[bool, str]:
    """Whether to try, and if not, why."""
    wanted, steps = run.config.capture, (run.total - run.step) * bool(run.stream.full_batches)
    if run.path.device.type != "cuda":
        return False, "capture needs an NVIDIA GPU" if wanted is True else ""
    if wanted == "auto" and steps < STEPS_WORTH_CAPTURING:
        return False, "too short to repay capture"
    return bool(wanted and steps), ""


def _checked(runs: Sequence[Run]) -> tuple[Captured | None, str]:
    """The runs' captured step, or None and what is wrong with it."""
    saved = snapshot(runs)
    try:
        captured = _recorded_at_last(runs, saved)
        off = _off(lambda: eager_losses(runs), replayed_losses([captured]))
        reason = "" if off <= TOLERANCE else f"captured and eager losses differ by {off:.1e}"
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = f"capture failed ({first_line(error)})"
    restore(runs, saved)
    if not reason:
        return captured, ""
    for run in runs:
        run.updates.read_rate_from(None)
    return None, reason


def _off(expected: Callable[[], Sequence[Tensor]], found: Sequence[Tensor]) -> float:
    """How far losses are from the expected ones; 0 where these, computed again, are about as far off.

    Sums whose order changes from run to run are rounded otherwise, and some networks make much of it.
    """
    theirs = expected()
    off = apart_from(theirs, found)
    if off <= TOLERANCE or math.isinf(off):
        return off
    return 0.0 if off <= AS_FAR * apart_from(theirs, expected()) else off


def _recorded_at_last(runs: Sequence[Run], saved: Sequence[dict]) -> Captured:
    """Recorded, at the second attempt if need be: what is loaded by the first can break a capture."""
    try:
        return _recorded(runs)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        log.info("  a capture failed (%s); tried again", first_line(error))
    restore(runs, saved)
    gc.collect()
    return _recorded(runs)


def _recorded(runs: Sequence[Run]) -> Captured:
    saved = snapshot(runs)
    for run in runs:
        run.updates.read_rate_from(torch.tensor(run.config.learning_rate, device=run.path.device))
    lane = new_lane()
    with torch.cuda.stream(lane):
        captured = Captured(runs, draws=any([draws(run) for run in runs]))
    lane.synchronize()
    if captured.draws and len(runs) > 1:
        raise RuntimeError("a network draws random numbers")
    captured.stream.enter(runs[0].step // captured.stream.steps_per_epoch)
    captured.cuda_stream, captured.replay = lane, record(captured.body, lane)
    restore(runs, saved)
    return captured


def _take_turns(drawing: Sequence[Captured]) -> None:
    """One lane for all that draw random numbers: graphs read their seed from one place in memory."""
    for captured in drawing:
        captured.cuda_stream = drawing[0].cuda_stream


def _ready(runs: Sequence[Run]) -> None:
    """Have every lane wait until what was tried is put back as it was."""
    for run in runs:
        if run.stepper.captured:
            run.stepper.cuda_stream.wait_stream(torch.cuda.current_stream())


def _check_together(captured: Sequence[Captured]) -> None:
    """Release all where steps that are made together are not those that each makes alone."""
    runs = [run for one in captured for run in one.runs]
    off = _off(lambda: [x for one in captured for x in replayed_losses([one])], replayed_losses(captured))
    if not off <= TOLERANCE:
        release(runs, f"losses of {len(runs)} together and alone differ by {off:.1e}")
