"""How a network is trained: every setting that changes the numbers, checked when it is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from lggkit.training.checks import number, one_of, whole
from lggkit.training.schedules import Schedule

OPTIMIZERS = ("sgd", "adam")
PRECISIONS = ("float32", "bfloat16", "auto")
SWITCHES = ("nesterov", "augment", "flip", "channels_last", "drop_last")
CHOICES = {
    "optimizer": OPTIMIZERS,
    "precision": PRECISIONS,
    "compile": (False, True, "auto"),
    "capture": (False, True, "auto"),
    **dict.fromkeys(SWITCHES, (False, True)),
}
NUMBERS = {
    "learning_rate": ("give a positive number", lambda value: value > 0),
    "momentum": ("give a number in [0, 1)", lambda value: 0 <= value < 1),
    "weight_decay": ("give 0 or a positive number", lambda value: value >= 0),
    "label_smoothing": ("give a number in [0, 1)", lambda value: 0 <= value < 1),
}


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training; the defaults are those of paper 1's code but for the schedule.

    ``epochs`` and ``batch_size`` count passes and samples (the last, short batch of an epoch is kept, or left
    out with ``drop_last``: other samples in every epoch);
    ``momentum`` and ``nesterov`` belong to ``sgd``; ``weight_decay`` acts on every parameter, for ``adam``
    as an L2 penalty too; ``augment`` crops at random from images padded by ``pad`` zeros and, with
    ``flip``, mirrors half of them (these three and ``channels_last`` are what an image set is told; vectors
    and tokens stay as they are, whatever they say); ``label_smoothing`` in [0, 1) belongs to the default
    objective;
    ``precision`` "auto" is bfloat16 where a GPU has matrix units for it, on a CPU where some steps that are
    timed turn out faster by a tenth and give the same loss; ``compile`` "auto" is tried on a CPU where a C++
    compiler is found and the training is long enough to repay it: first our own kernels for batch norm and
    ReLU, and, where some steps that are timed are no faster by these, ``torch.compile`` (a training that is
    continued stays in its precision, and compiled if it was); ``capture``
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
    drop_last: bool = False

    COMPUTED: ClassVar = ("channels_last", "compile", "capture")
    """Fields that say how it is computed, and nothing of what."""

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("pad", 0)):
            object.__setattr__(self, name, whole(name, getattr(self, name), least))
        for name, (remedy, inside) in NUMBERS.items():
            object.__setattr__(self, name, number(name, getattr(self, name), remedy, inside))
        for name, choices in CHOICES.items():
            one_of(name, getattr(self, name), choices)
        _check_together(self)

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


def _check_together(config: TrainConfig) -> None:
    if not isinstance(config.schedule, Schedule):
        raise ValueError(f"schedule is {config.schedule!r}; give a Schedule, such as OneCycle()")
    if config.nesterov and (config.optimizer != "sgd" or config.momentum == 0):
        raise ValueError("nesterov needs sgd with a momentum above 0; set momentum, or nesterov=False")
    late = [m for m in getattr(config.schedule, "milestones", ()) if m >= config.epochs]
    if late:
        raise ValueError(
            f"milestone {late[0]} lies outside {config.epochs} epochs; move it or train for longer"
        )
