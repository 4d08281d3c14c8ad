"""Refuses a training that cannot be made, before anything is computed or written."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from lggkit.data import LabelledSet
from lggkit.training.checks import whole
from lggkit.training.config import TrainConfig
from lggkit.training.processor import CodePath, first_line
from lggkit.training.step import Objective
from lggkit.training.stream import Stream

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
) -> list[int]:
    """The seeds, as integers.

    Raises:
        ValueError: numbers of models and of what belongs to them differ, a seed is no integer, the data give
            no batch, or options exclude each other.
    """
    given = {"seeds": seeds, "checkpoints": checkpoints, "tags": tags}
    given["objectives"] = objectives if isinstance(objectives, Sequence) else None
    for name, values in given.items():
        if values is not None and len(values) != len(models):
            raise ValueError(f"{len(models)} models are given {len(values)} {name}; give one each")
    _check_batches(data, config)
    if objectives is not None and config.label_smoothing:
        raise ValueError(
            "label_smoothing belongs to the default objective; smooth inside your own, or set it to 0"
        )
    return [whole("seed", seed) for seed in seeds]


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
