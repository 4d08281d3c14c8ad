"""Refuses a training that cannot be made, before anything is computed or written."""

from __future__ import annotations

import copy
from collections.abc import Sequence, Sized
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lggkit.data import LabelledSet
from lggkit.training.checks import whole
from lggkit.training.config import TrainConfig
from lggkit.training.processor import CodePath, first_line
from lggkit.training.step import Objective
from lggkit.training.stream import Stream
from lggkit.training.task import Options

INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm)
TOO_FEW = "Expected more than 1"  # how PyTorch's normalisations begin to say so


def check_request(
    models: Sequence,
    seeds: Sequence,
    objectives: Any,
    checkpoints: Any,
    tags: Any,
    data: LabelledSet,
    config: TrainConfig,
    options: Options,
) -> list[int]:
    """The seeds, as integers.

    Raises:
        ValueError: numbers of models and of what belongs to them differ, a model or a checkpoint is given
            twice, a seed is no integer, the data give no batch or no whole sub-batches, or options exclude
            each other.
    """
    given = {"seeds": seeds, "checkpoints": checkpoints, "tags": tags}
    given["objectives"] = objectives if isinstance(objectives, Sequence) else None
    for name, values in {"models": models, **given}.items():
        if values is not None and (isinstance(values, (str, nn.Module)) or not isinstance(values, Sized)):
            raise ValueError(f"{name} is one {type(values).__name__}; give a list, one for each model")
        if values is not None and len(values) != len(models):
            raise ValueError(f"{len(models)} models are given {len(values)} {name}; give one each")
    _check_distinct("model", "a copy", [id(model) for model in models])
    _check_distinct("checkpoint", "another path", [Path(path).resolve() for path in checkpoints or ()])
    _check_batches(data, config)
    late = [epoch for epoch in options.evaluate_at or () if epoch > config.epochs]
    if late:
        raise ValueError(f"evaluate_at has epoch {late[0]} of {config.epochs}; give 0 to {config.epochs}")
    if objectives is not None and config.label_smoothing:
        raise ValueError(
            "label_smoothing belongs to the default objective; smooth inside your own, or set it to 0"
        )
    return [whole("seed", seed) for seed in seeds]


def _check_distinct(what: str, remedy: str, each: Sequence) -> None:
    first = {one: place for place, one in reversed(list(enumerate(each)))}
    twice = [place for place, one in enumerate(each) if first[one] != place]
    if twice:
        both = f"runs {first[each[twice[0]]]} and {twice[0]}"
        raise ValueError(f"{both} have one and the same {what}; give {remedy}")


def check_model(model: nn.Module, stream: Stream, path: CodePath, objective: Objective | None) -> None:
    """Refuse a model that cannot be trained on these batches; it is left as it is.

    Raises:
        ValueError: nothing of the model is trained, its normalisation has too few values in the smallest
            batch, or the default objective is given a negative label.
    """
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("no parameter of the model requires a gradient; unfreeze one")
    if objective is None and stream.lowest_label < 0:
        raise ValueError(f"labels begin at {stream.lowest_label}; number the classes from 0")
    if any(_may_lack_values(layer, stream.last_size) for layer in model.modules()):
        _try_normalisation(model, stream, path)


def _may_lack_values(layer: nn.Module, samples: int) -> bool:
    return isinstance(layer, INSTANCE_NORMS) or (samples == 1 and isinstance(layer, NORMS))


def _try_normalisation(model: nn.Module, stream: Stream, path: CodePath) -> None:
    """Put the smallest batch through a copy: only it knows how many positions arrive at a layer."""
    first = torch.arange(stream.last_size, device=path.device)
    inputs = stream.data.inputs(first, (), stream.config)
    devices = [path.device] if path.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad(), path.autocast():
            copy.deepcopy(model).train()(inputs)
    except Exception as error:  # what else a forward pass or a copy raises, the training itself tells
        if str(error).startswith(TOO_FEW):
            raise ValueError(_too_few(stream, first_line(error))) from None


def _too_few(stream: Stream, said: str) -> str:
    size, count, wanted = stream.last_size, len(stream.data), stream.config.batch_size
    whole_set = f"{count} {stream.data.SAMPLE}s by {wanted}"
    batch = f"batches of {size}" if size == wanted else f"the last batch, of {size} ({whole_set})"
    short = "set drop_last=True or another batch_size" if size < wanted else "raise batch_size"
    remedy = short if size == 1 else f"give larger {stream.data.SAMPLE}s or take another normalisation"
    return f"a normalisation has one value a channel in {batch}; {remedy} (PyTorch: {said})"


def _check_batches(data: LabelledSet, config: TrainConfig) -> None:
    if not len(data):
        raise ValueError(f"the data set {data.name} is empty; give at least one {data.SAMPLE}")
    if config.drop_last and len(data) < config.batch_size:
        raise ValueError(
            f"drop_last leaves no batch of {config.batch_size} in {len(data)} {data.SAMPLE}s; "
            f"set batch_size to at most {len(data)}, or drop_last=False"
        )
    if data.sub_batch is not None:
        _check_sub_batches(data, config)


def _check_sub_batches(data: LabelledSet, config: TrainConfig) -> None:
    """Refuse a set whose batches would not all be made of whole sub-batches of every class."""
    counts = torch.bincount(data.labels)
    whole, least = len(counts) * data.sub_batch, int(counts.min())
    if config.batch_size % whole:
        classes = f"{len(counts)} classes by a sub_batch of {data.sub_batch}"
        raise ValueError(f"batch_size is {config.batch_size} for {classes}; give a multiple of {whole}")
    full, used = least // data.sub_batch * whole, len(data)
    used -= used % config.batch_size if config.drop_last else 0
    if used > full:
        few = f"class {int(counts.argmin())} has {least} of {len(data)} {data.SAMPLE}s"
        balanced = least * len(counts) == len(data)
        remedy = "set drop_last=True" if balanced else "give as many of each class, as per_class does"
        raise ValueError(f"{few}, so that sub-batches of {data.sub_batch} fill no more than {full}; {remedy}")
