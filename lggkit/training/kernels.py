"""Kernels of our own, tried and timed where a training runs before they are trusted."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from lggkit.networks.convolution import GuardedConv2d
from lggkit.networks.norm_host import library
from lggkit.networks.own_kernels import own_kernels
from lggkit.training.capture import worth_capturing
from lggkit.training.captured import new_lane, record
from lggkit.training.compiled import kind_of
from lggkit.training.memory import is_out_of_memory
from lggkit.training.processor import IMAGES_WORTH_COMPILING, CodePath, first_line, has_compiler
from lggkit.training.run import Run
from lggkit.training.seeds import drops
from lggkit.training.selfcheck import undone
from lggkit.training.step import loss_on
from lggkit.training.stream import Batch, StillBatch
from lggkit.training.turns import trial_loss, turns

TOLERANCE = 0.05
"""How far gradients may lie apart, relative to their size: what rounding to ten bits does is less."""
REPLAYS = 20
MARGIN = 1.03
"""How many times as fast a step must be on a CPU, where timings are noisier than a GPU's."""


def choose_kernels(run: Run, known: dict[tuple, tuple[bool, str]]) -> None:
    """Our own kernels for a run where they agree with PyTorch's and are faster; its path says so.

    The first network of a kind is tried (`lggkit.training.compiled.kind_of`), others follow it; ``known`` is
    added to. On a GPU where steps are not captured nothing is tried: there the host's calls take the time.
    On a CPU they take the place of a compilation that nobody asked for.
    """
    if run.done or not worth_trying(run) or not may_gain(run):
        return
    kind = kind_of(run)
    if kind not in known:
        known[kind] = try_kernels(run)
    on, reason = known[kind]
    run.path = replace(run.path, kernels=on, compile=run.path.compile and not on).because(reason)


def worth_trying(run: Run) -> bool:
    """Whether a training is long enough, and free to choose."""
    if worth_capturing(run)[0]:
        return not run.path.compile
    images = (run.total - run.step) * run.config.batch_size
    free = run.path.device.type == "cpu" and run.config.compile is not True
    return free and images >= IMAGES_WORTH_COMPILING and has_compiler()


def may_gain(run: Run) -> bool:
    """Whether a network has parts that our kernels compute, and draws no random numbers."""
    parts = any(isinstance(part, GuardedConv2d) for part in run.model.modules())
    return parts and run.path.channels_last and not drops(run.model)


def try_kernels(run: Run) -> tuple[bool, str]:
    """Whether to take our kernels, and why; parameters, buffers and gradients are as before."""
    with undone(run):
        try:
            return _compared(run) if worth_capturing(run)[0] else _compared_on_host(run)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return False, f"own kernels failed ({first_line(error)})"


def _compared(run: Run) -> tuple[bool, str]:
    batch = run.stream.full(run.step)
    theirs, plain = _tried(run, batch, False)
    ours, own = _tried(run, batch, True)
    differ = _differ(ours, theirs)
    if differ:
        return False, differ
    told = f"{plain / own:.2f}x PyTorch's over {REPLAYS} replays"
    return own < plain, f"own kernels are {told}" if own < plain else f"own kernels are no faster ({told})"


def _compared_on_host(run: Run) -> tuple[bool, str]:
    """As on a GPU; gradients are compared in float32, where rounding alone does not take them apart."""
    if isinstance(library(), str):
        return False, f"own kernels failed ({library()})"
    batch, plain = run.stream.full(run.step), replace(run.path, compile=False)
    exact = replace(plain, dtype=torch.float32)
    differ = _differ(*(_gradients(run, replace(exact, kernels=on), batch) for on in (True, False)))
    if differ:
        return False, differ
    taken = list(turns(run, [replace(plain, kernels=on) for on in (True, False)], batch))
    own, theirs = (min(times) for times in zip(*taken, strict=True))
    told = f"{theirs / own:.2f}x PyTorch's over {len(taken)} steps"
    faster = theirs > MARGIN * own
    return faster, f"own kernels are {told}" if faster else f"own kernels gain too little ({told})"


def _differ(ours: Tensor, theirs: Tensor) -> str:
    """How gradients are apart, where that is more than rounding."""
    off = float((ours - theirs).norm() / theirs.norm().clamp_min(1e-12))
    return "" if off <= TOLERANCE else f"gradients of own kernels differ by {off:.1e} of their size"


def _gradients(run: Run, path: CodePath, batch: Batch) -> Tensor:
    """The gradients of a batch in one row."""
    trial_loss(run, path, batch)
    return torch.cat([p.grad.flatten().float() for p in run.parameters if p.grad is not None])


def _tried(run: Run, batch: Batch, on: bool) -> tuple[Tensor, float]:
    """The gradients of a batch in one row, and the milliseconds that a replayed step takes."""

    def body() -> None:
        still = StillBatch(batch.inputs, batch.labels, batch.index)
        with own_kernels(on):
            loss, _ = loss_on(run.forward, run.loss, still, run.path.autocast())
            run.model.zero_grad(set_to_none=True)
            loss.backward()
        if run.taps is not None:
            run.taps.clear()

    lane = new_lane()
    taken = milliseconds(record(body, lane), lane)
    gradients = [p.grad.flatten().float() for p in run.parameters if p.grad is not None]
    return torch.cat(gradients).clone(), taken


def milliseconds(replay, lane: torch.cuda.Stream) -> float:
    """What one of several replays takes, in their lane, after one that warms up."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    with torch.cuda.stream(lane):
        replay()
        start.record()
        for _ in range(REPLAYS):
            replay()
        end.record()
    end.synchronize()
    return start.elapsed_time(end) / REPLAYS
