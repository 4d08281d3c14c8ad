"""How a network is trained: every setting that changes the numbers, checked when it is written down."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from lggkit.training.schedules import Schedule

OPTIMIZERS = ("sgd", "adam")
PRECISIONS = ("float32", "bfloat16", "auto")


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training; the defaults are those of paper 1's code but for the schedule.

    ``epochs`` and ``batch_size`` count passes and images (the last, short batch of an epoch is kept);
    ``momentum`` and ``nesterov`` belong to ``sgd``; ``weight_decay`` acts on every parameter, for ``adam``
    as an L2 penalty too; ``augment`` crops at random from images padded by ``pad`` zeros and, with
    ``flip``, mirrors half of them; ``label_smoothing`` in [0, 1) belongs to the default objective;
    ``precision`` "auto" is bfloat16 where the processor has matrix units for it; ``compile`` "auto" uses
    ``torch.compile`` on a CPU, where a C++ compiler is found, the training is long enough to repay it and
    some steps that are timed turn out faster (a training that is continued stays what it was); ``capture``
    "auto" replays the step as a CUDA graph on an NVIDIA GPU where the training is long enough; turn it off
    for an objective or a network that counts its calls.

    Raises:
        ValueError: a value is out of range, or two options exclude each other.
    """

    epochs: int
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 5e-4
    schedule: Schedule = field(default_factory=Schedule)
    augment: bool = True
    pad: int = 4
    flip: bool = True
    label_smoothing: float = 0.0
    precision: str = "float32"
    channels_last: bool = True
    compile: bool | str = "auto"
    capture: bool | str = "auto"

    COMPUTED: ClassVar = ("channels_last", "compile", "capture")
    """Fields that say how it is computed, and nothing of what."""

    def __post_init__(self) -> None:
        _at_least("epochs", self.epochs, 1)
        _at_least("batch_size", self.batch_size, 1)
        _at_least("pad", self.pad, 0)
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("compile", self.compile, (False, True, "auto"))
        _one_of("capture", self.capture, (False, True, "auto"))
        _check_numbers(self)

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout of weights and images."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def optimizer_for(self, parameters: list[nn.Parameter], rate: float | Tensor) -> torch.optim.Optimizer:
        """A new optimizer, fused; with a tensor for its rate, one that a CUDA graph can capture.

        Momentum starts at 0 for every parameter, also for those whose first gradient comes later.
        """
        if self.optimizer == "adam":
            capturable = isinstance(rate, Tensor) and rate.is_cuda
            settings = {"weight_decay": self.weight_decay, "capturable": capturable}
            return torch.optim.Adam(parameters, lr=rate, fused=True, **settings)
        settings = {"momentum": self.momentum, "nesterov": self.nesterov, "weight_decay": self.weight_decay}
        optimizer = torch.optim.SGD(parameters, lr=rate, fused=True, **settings)
        for parameter in parameters if self.momentum else ():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate of step number ``step`` (from 0)."""
        return self.learning_rate * self.schedule.factor(step / steps_per_epoch, self.epochs)


def _check_numbers(config: TrainConfig) -> None:
    if not (math.isfinite(config.learning_rate) and config.learning_rate > 0):
        raise ValueError(f"learning_rate is {config.learning_rate}; give a positive number")
    if not 0 <= config.momentum < 1:
        raise ValueError(f"momentum is {config.momentum}; give a number in [0, 1)")
    if not (math.isfinite(config.weight_decay) and config.weight_decay >= 0):
        raise ValueError(f"weight_decay is {config.weight_decay}; give 0 or a positive number")
    if not 0 <= config.label_smoothing < 1:
        raise ValueError(f"label_smoothing is {config.label_smoothing}; give a number in [0, 1)")
    if config.nesterov and (config.optimizer != "sgd" or config.momentum == 0):
        raise ValueError("nesterov needs sgd with a momentum above 0; set momentum, or nesterov=False")
    late = [m for m in getattr(config.schedule, "milestones", ()) if m >= config.epochs]
    if late:
        raise ValueError(
            f"milestone {late[0]} lies outside {config.epochs} epochs; move it or train for longer"
        )


def _at_least(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; give an integer of at least {least}")


def _one_of(name: str, value: object, choices: tuple) -> None:
    if not any(value is choice or value == choice for choice in choices):
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(map(str, choices))}")
