"""The loop: one model or several together, with evaluation, checkpoints and exact resume."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.training.capture import capture_again, let_go
from lggkit.training.checkpoint import CheckpointDamaged, check_identity, read_checkpoint, set_aside
from lggkit.training.config import TrainConfig
from lggkit.training.identity import fingerprint_of, identity_of
from lggkit.training.layout import guarded
from lggkit.training.memory import telling_memory
from lggkit.training.pace import OutOfTime, Pace, time_is_up
from lggkit.training.processor import choose_path
from lggkit.training.request import check_every, check_model, check_request
from lggkit.training.run import Run, begin
from lggkit.training.step import Objective, objective_for
from lggkit.training.stream import Stream
from lggkit.training.task import Evaluate, Options, TrainResult


def train(
    model: nn.Module,
    data: DataSet,
    config: TrainConfig,
    *,
    objective: Objective | None = None,
    taps: Sequence[str] = (),
    seed: int = 0,
    device: torch.device | str = "cpu",
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
    evaluate: Evaluate = None,
    evaluate_every: int | None = None,
    after_step: Callable[[nn.Module], None] | None = None,
    progress: bool = False,
    tag: str = "",
) -> TrainResult:
    """Train a model in place.

    Args:
        model: takes float images (n, c, h, w) in [0, 1] (see `lggkit.networks.with_normalization`) and gives
            logits (n, classes), or what `lggkit.networks.outputs.logits_of` finds them in; moved to
            ``device``. Its initial weights are the caller's.
        data: the training set; its uint8 images stay on ``device`` for the whole training.
        objective: ``objective(latents, logits, labels) -> scalar``, with latents by name of ``taps``, logits
            in float32 and labels int64 (n,); one with a parameter named ``batch`` is given the `Batch` (the
            images, their index, epoch and step) as well. Default: mean cross-entropy. Of a module, buffers
            are moved to ``device`` and kept in checkpoints. Where the step is captured (see `TrainConfig`) it
            is recorded once: numbers that Python computes, such as a weight that grows by a counter, stay
            what they were.
        taps: depths whose latents the objective is given, see `lggkit.latents.Taps`; in the autocast dtype.
        seed: of data order, augmentation and dropout; equal seeds see equal batches.
        checkpoint: file to write and, where it exists, to continue from.
        checkpoint_every: steps between checkpoints; by default those at an epoch's end are written, where the
            last one is half a minute old. The last step is always saved.
        evaluate: a test set, or ``evaluate(model) -> float | {name: float}``; after the last epoch always.
        evaluate_every: epochs between evaluations.
        after_step: called with the model, without gradients, after every update (Parseval and the like);
            a captured step records it, so it may depend on nothing but the model.
        progress: show a bar.
        tag: any text that tells this training from others (a spec's key); kept in the checkpoint.

    A loss that is not finite ends the training and is told in the result, not raised. On the CPU a training
    that was killed at any moment and started again ends with the same numbers, bit for bit.

    Raises:
        ValueError: the request cannot be trained, such as a last batch of one image that a batch norm has one
            value a channel of, labels that the model has no class for, or no batch at all.
        TypeError: the model returns nothing that logits are found in.
        CheckpointError: the checkpoint cannot be written, or is one of another training.
        OutOfMemory: the models, their activations or the data do not fit; checkpoints are kept.
        OutOfTime: a deadline passed, see `lggkit.training.pace.until`; checkpoints are written.
        RuntimeError: ``evaluate`` moved the model to another place in memory, and its step is captured.
        ValueError: the data set is empty, options exclude each other, or the objective is a module with
            parameters to train.
    """
    return train_many(
        [model],
        data,
        config,
        seeds=[seed],
        objectives=objective,
        taps=taps,
        device=device,
        checkpoints=None if checkpoint is None else [checkpoint],
        checkpoint_every=checkpoint_every,
        evaluate=evaluate,
        evaluate_every=evaluate_every,
        after_step=after_step,
        progress=progress,
        tags=[tag],
    )[0]


def train_many(
    models: Sequence[nn.Module],
    data: DataSet,
    config: TrainConfig,
    *,
    seeds: Sequence[int],
    objectives: Objective | Sequence[Objective | None] | None = None,
    taps: Sequence[str] = (),
    device: torch.device | str = "cpu",
    checkpoints: Sequence[str | Path] | None = None,
    checkpoint_every: int | None = None,
    evaluate: Evaluate = None,
    evaluate_every: int | None = None,
    after_step: Callable[[nn.Module], None] | None = None,
    progress: bool = False,
    tags: Sequence[str] | None = None,
) -> list[TrainResult]:
    """Train several models in lockstep, each with the result that `train` gives it alone.

    ``seeds``, ``checkpoints`` and ``tags`` have one entry a model, ``objectives`` one a model or one for all,
    of which each model but the first gets a copy if it is a module with buffers; the rest is as for `train`.
    Models with equal seeds are given the very same `Batch` at a step, so that a `Teacher` computes its
    latents once for all of them.
    """
    options = Options(taps, evaluate, evaluate_every, checkpoint_every, after_step)
    check_every(evaluate_every=evaluate_every, checkpoint_every=checkpoint_every)
    seeds = check_request(models, seeds, objectives, checkpoints, tags, data, config)
    with telling_memory(len(models), config.batch_size, device):
        chosen = choose_path(config, device, len(data))
        fingerprint = "" if checkpoints is None else fingerprint_of(data)
        data, streams, runs = data.to(chosen.device), {}, []
        for place, (model, seed) in enumerate(zip(models, seeds, strict=True)):
            path = guarded(chosen, model)
            fed = replace(config, channels_last=path.channels_last)
            stream = streams.setdefault((seed, path.channels_last), Stream(data, fed, seed))
            objective = objectives[place] if isinstance(objectives, Sequence) else objectives
            objective = objective_for(model, objective, path.device, [run.objective for run in runs])
            file = None if checkpoints is None else Path(checkpoints[place])
            model.to(device=path.device, memory_format=path.layout)
            check_model(model, stream, path, objective)
            runs.append(Run(model, stream, config, path, options, objective, file))
        names = [
            identity_of(run, tag, fingerprint)
            for run, tag in zip(runs, tags or [""] * len(runs), strict=True)
        ]
        with _prepared(runs, names, chosen.device), _bar(runs, progress) as tick:
            _lockstep(runs, names, tick)
        return [run.result() for run in runs]


def _lockstep(runs: list[Run], names: list[dict[str, Any]], tick: Callable[[Run], None]) -> None:
    began, before, pace = time.perf_counter(), [run.seconds for run in runs], Pace()
    places, reached = {id(run): place for place, run in enumerate(runs)}, -1

    def save(run: Run) -> None:
        place = places[id(run)]
        run.seconds = before[place] + (time.perf_counter() - began) / len(runs)
        with run.lane():
            run.save(names[place])

    while waiting := [run for run in runs if not run.done]:
        run = min(waiting, key=lambda run: (run.step, run.stream.seed))
        if run.step > reached and time_is_up(waiting):
            for each in waiting:
                save(each)
            raise OutOfTime("out of time, continues from its checkpoint")
        crew, reached = run.crew(), run.step
        with run.lane():
            run.advance()
        for member in crew:
            tick(member)
            if pace.due(member):
                save(member)
        if any(member.diverged for member in crew):
            capture_again(crew)


@contextmanager
def _prepared(runs: list[Run], names: list[dict[str, Any]], device: torch.device) -> Iterator[None]:
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


def _resume(run: Run, identity: dict[str, Any]) -> None:
    if run.checkpoint is None or not run.checkpoint.exists():
        return
    try:
        state = read_checkpoint(run.checkpoint)
    except CheckpointDamaged as error:
        kept = set_aside(run.checkpoint)
        warnings.warn(f"{error}; kept as {kept.name}, training begins again", RuntimeWarning, stacklevel=2)
        run.path = run.path.because("begun again, the checkpoint was damaged")
        return
    check_identity(run.checkpoint, state.pop("identity"), identity)
    run.load(state)


@contextmanager
def _bar(runs: list[Run], progress: bool) -> Iterator[Callable[[Run], None]]:
    if not progress:
        yield lambda run: None
        return
    from tqdm.auto import tqdm

    total, made = sum(run.total for run in runs), sum(run.step for run in runs)
    with tqdm(total=total, initial=made, unit="step") as bar:
        yield lambda run: _tick(bar, run)


def _tick(bar: Any, run: Run) -> None:
    bar.update()
    if run.step % run.stream.steps_per_epoch == 0 and "train_loss" in run.curves:
        epoch, loss = run.step // run.stream.steps_per_epoch, run.curves["train_loss"][-1]
        bar.set_postfix(epoch=epoch, loss=f"{loss:.3f}")
