"""The loop: one model or several together, with evaluation, checkpoints and exact resume."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from lggkit.data import LabelledSet
from lggkit.training.checkpoint import fingerprint_of, identity_of
from lggkit.training.config import TrainConfig
from lggkit.training.lockstep import Lockstep, progress_bar, taken_up
from lggkit.training.memory import telling_memory
from lggkit.training.processor import CodePath, choose_path, guarded
from lggkit.training.request import check_model, check_request
from lggkit.training.run import Run
from lggkit.training.step import Objective, objective_for
from lggkit.training.stream import Stream
from lggkit.training.task import Evaluate, Options, TrainResult


def train(
    model: nn.Module,
    data: LabelledSet,
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
    evaluate_at: Sequence[int] | None = None,
    after_step: Callable[[nn.Module], None] | None = None,
    progress: bool = False,
    tag: str = "",
) -> TrainResult:
    """Train a model in place.

    Args:
        model: takes what the set's batches hold, of a `DataSet` float images (n, c, h, w) in [0, 1] (see
            `lggkit.networks.with_normalization`), of others vectors or ids; and gives logits (n, classes), or
            what `lggkit.networks.outputs.logits_of` finds them in; moved to ``device``. Its initial weights
            are the caller's. All of it is put into training mode, also batch norm that was frozen by
            ``eval()``: override that layer's ``train`` to keep its statistics.
        data: the training set, which lies on ``device`` for the whole training: a `lggkit.data.DataSet`,
            `lggkit.data.VectorSet`, `lggkit.data.TokenSet`, or another `lggkit.data.LabelledSet`.
        objective: ``objective(latents, logits, labels) -> scalar``, with latents by name of ``taps``, logits
            in float32 and labels int64 (n,); one with a parameter named ``batch`` is given the `Batch` (the
            inputs, their index, epoch and step) as well. Default: mean cross-entropy. Of a module, buffers
            are moved to ``device`` and kept in checkpoints. Where the step is captured (see `TrainConfig`) it
            is recorded once: numbers that Python computes, such as a weight that grows by a counter, stay
            what they were.
        taps: depths whose latents the objective is given, see `lggkit.latents.Taps`; in the autocast dtype.
        seed: of data order, augmentation and dropout; equal seeds see equal batches.
        checkpoint: file to write and, where it exists, to continue from.
        checkpoint_every: steps between checkpoints; by default those at an epoch's end are written, where the
            last one is half a minute old. The last step is always saved.
        evaluate: a test set, or ``evaluate(model) -> float | {name: float or tensor}``; after the last epoch
            and, with ``evaluate_every``, whenever so many epochs have passed. The model is in evaluation mode
            meanwhile, and gradients are on: take ``torch.no_grad`` where none are needed.
        evaluate_at: after how many epochs instead, 0 being before the first step.
        after_step: called with the model, without gradients, after every update (Parseval and the like);
            a captured step records it, so it may depend on nothing but the model.
        progress: show a bar.
        tag: any text that tells this training from others (a spec's key); kept in the checkpoint.

    A loss that is not finite ends the training and is told in the result, not raised. On the CPU a training
    that was killed at any moment and started again ends with the same numbers, bit for bit, where all that
    its steps change is in the ``state_dict`` of model and objective and all that they draw comes from torch's
    generators: what a Python attribute counts, or NumPy draws, is not restored.

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
        evaluate_at=evaluate_at,
        after_step=after_step,
        progress=progress,
        tags=[tag],
    )[0]


def train_many(
    models: Sequence[nn.Module],
    data: LabelledSet,
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
    evaluate_at: Sequence[int] | None = None,
    after_step: Callable[[nn.Module], None] | None = None,
    progress: bool = False,
    tags: Sequence[str] | None = None,
    precision: str | None = None,
) -> list[TrainResult]:
    """Train several models in lockstep, each with the result that `train` gives it alone.

    ``seeds``, ``checkpoints`` and ``tags`` have one entry a model, ``objectives`` one a model or one for all,
    of which each model but the first gets a copy if it is a module with buffers; the rest is as for `train`.
    Models with equal seeds are given the very same `Batch` at a step, so that a `Teacher` computes its
    latents once for all of them. ``precision`` says what a precision of "auto" is known to be ("float32" or
    "bfloat16", that of another training of the seed, say); a training that is continued stays what it was.
    """
    options = Options(taps, evaluate, evaluate_every, evaluate_at, checkpoint_every, after_step)
    seeds = check_request(models, seeds, objectives, checkpoints, tags, data, config, options)
    with telling_memory(len(models), config.batch_size, device):
        laid_out = replace(config, channels_last=config.channels_last and data.PIXELS)
        path = choose_path(laid_out, device, len(data), precision)
        fingerprint = "" if checkpoints is None else fingerprint_of(data)
        files = [None if checkpoints is None else Path(checkpoints[place]) for place in range(len(models))]
        each = objectives if isinstance(objectives, Sequence) else [objectives] * len(models)
        given = zip(models, seeds, each, files, strict=True)
        runs = _runs(given, data.to(path.device), config, path, options)
        tagged = zip(runs, tags or [""] * len(runs), strict=True)
        names = [identity_of(run, tag, fingerprint) for run, tag in tagged]
        with taken_up(runs, names, path.device), progress_bar(runs, progress) as tick:
            Lockstep(runs, names, tick).finish()
        return [run.result() for run in runs]


def _runs(
    given: Iterable[tuple[nn.Module, int, Objective | None, Path | None]],
    data: LabelledSet,
    config: TrainConfig,
    path: CodePath,
    options: Options,
) -> list[Run]:
    """A run for each model, its seed, objective and file; those of one seed and layout see one stream."""
    streams: dict[tuple[int, bool], Stream] = {}
    runs: list[Run] = []
    for model, seed, objective, file in given:
        own = guarded(path, model)
        place, laid_out = (seed, own.channels_last), replace(config, channels_last=own.channels_last)
        stream = streams.setdefault(place, Stream(data, laid_out, seed))
        minimised = objective_for(model, objective, own.device, [run.objective for run in runs])
        model.to(device=own.device, memory_format=own.layout)
        check_model(model, stream, own, minimised)
        runs.append(Run(model, stream, config, own, options, minimised, file))
    return runs
