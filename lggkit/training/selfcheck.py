"""Tries a captured step on the first steps of an epoch and puts everything back as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from lggkit.training.captured import Captured
from lggkit.training.run import Run
from lggkit.training.seeds import host_noise_state, noise_state
from lggkit.training.step import places_of, tensors_of

STEPS_CHECKED = 20
TOLERANCE = 0.05


def eager_losses(runs: Sequence[Run]) -> list[Tensor]:
    """Each run's losses, (steps,), of the epoch's first eager steps, made one run after another."""
    saved = snapshot(runs)
    for run in runs:
        for place in range(_count(run)):
            _prepare(run, place)
            run.update(run.stream.make(run.step), place)
    return _losses(runs, saved)


def replayed_losses(captured: Sequence[Captured]) -> list[Tensor]:
    """As `eager_losses` from captured steps, each in its lane; several take turns, as in training."""
    runs = [run for one in captured for run in one.runs]
    saved = snapshot(runs)
    for one in captured:
        one.cuda_stream.wait_stream(torch.cuda.current_stream())
    for place in range(_count(runs[0])):
        for one in captured:
            with one.lane():
                for run in one.runs:
                    _prepare(run, place)
                one.make(one.runs[0], place)
    for one in captured:
        one.cuda_stream.synchronize()
    return _losses(runs, saved)


def apart_from(expected: Sequence[Tensor], found: Sequence[Tensor]) -> float:
    """The largest difference, relative to the expected; infinite where something is not a number."""
    ours, theirs = torch.stack(list(found)), torch.stack(list(expected))
    off = float(((ours - theirs).abs() / theirs.abs().clamp_min(1e-3)).max())
    return off if off == off else float("inf")


def draws(run: Run) -> bool:
    """Whether a step of the run draws random numbers.

    Raises:
        RuntimeError: it draws them on the host, or puts a new tensor in a buffer's place; a replay would not.
    """
    saved, place = snapshot([run]), run.step % run.stream.steps_per_epoch
    run.prepare()
    batch = run.stream.make(run.step)
    before, on_host = noise_state(run.path.device), host_noise_state(run.path.device)
    places = places_of(run.model, run.objective)
    run.update(batch, place)
    moved = places_of(run.model, run.objective) != places
    restore([run], saved)
    if moved:
        raise RuntimeError("the step puts new tensors in the place of buffers; change buffers in place")
    if host_noise_state(run.path.device) != on_host:
        raise RuntimeError("the step draws random numbers on the host")
    return not torch.equal(noise_state(run.path.device), before)


def snapshot(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """What the trial of some steps changes in each run."""
    return [
        {
            "step": run.step,
            "tensors": {name: value.clone() for name, value in tensors_of(run.model, run.objective)},
            "optimizer": {p: _cloned(state) for p, state in run.optimizer.state.items()},
            "meter": run.meter.state(),
        }
        for run in runs
    ]


def restore(runs: Sequence[Run], saved: Sequence[dict[str, Any]]) -> None:
    """Put values back in place: a graph that was recorded reads and writes these very tensors."""
    for run, before in zip(runs, saved, strict=True):
        run.step = before["step"]
        run.meter.load(before["meter"])
        with torch.no_grad():
            for name, value in [*tensors_of(run.model, run.objective)]:
                if name in before["tensors"]:
                    value.copy_(before["tensors"][name])
                else:
                    _forget(run, name)
            for parameter, state in run.optimizer.state.items():
                _restore(state, before["optimizer"].get(parameter, {}))


@contextmanager
def undone(run: Run) -> Iterator[None]:
    """What is tried inside leaves parameters, buffers and optimizer as they were, and no gradients."""
    saved = snapshot([run])
    try:
        yield
    finally:
        restore([run], saved)
        run.model.zero_grad(set_to_none=True)


def _forget(run: Run, name: str) -> None:
    """Set a buffer to None again, as it was before its first step."""
    whose, _, place = name.partition(".")
    module, _, leaf = place.rpartition(".")
    setattr(getattr(run, whose).get_submodule(module), leaf, None)


def _restore(state: dict[str, Any], before: dict[str, Tensor]) -> None:
    for name, value in state.items():
        if torch.is_tensor(value):
            value.copy_(before[name]) if name in before else value.zero_()


def _cloned(state: dict[str, Any]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in state.items() if torch.is_tensor(value)}


def _count(run: Run) -> int:
    return min(STEPS_CHECKED, run.stream.full_batches)


def _prepare(run: Run, place: int) -> None:
    run.step += place - run.step % run.stream.steps_per_epoch
    run.prepare()


def _losses(runs: Sequence[Run], saved: Sequence[dict[str, Any]]) -> list[Tensor]:
    losses = [run.meter.losses[: _count(run)].clone() for run in runs]
    restore(runs, saved)
    return losses
