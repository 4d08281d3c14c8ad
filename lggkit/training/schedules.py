"""Learning-rate schedules: frozen dataclasses that turn a position in training into a factor of the rate."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from numbers import Integral, Real

from lggkit.training.checks import number


@dataclass(frozen=True)
class Schedule:
    """The constant schedule, and what every schedule answers.

    ``factor(epoch, epochs)`` multiplies the learning rate of the step that starts ``epoch`` epochs (a
    fraction inside an epoch, in [0, epochs)) into a training of ``epochs``; at every epoch of ``restarts``
    the optimizer is created anew, so that its momentum starts from zero.
    """

    kind: str = field(default="constant", init=False)

    @property
    def restarts(self) -> tuple[int, ...]:
        """Epochs at whose start the optimizer forgets its state."""
        return ()

    def factor(self, epoch: float, epochs: int) -> float:
        """The factor of the learning rate at ``epoch`` of ``epochs``."""
        return 1.0


@dataclass(frozen=True)
class MultiStep(Schedule):
    """Multiply by ``gamma`` at every milestone (in epochs): 0.2 at 60, 120, 160 for paper 1's Table 1.

    Raises:
        ValueError: milestones do not increase from at least 1, or gamma is not positive.
    """

    milestones: tuple[int, ...] = (60, 120, 160)
    gamma: float = 0.2
    kind: str = field(default="multi-step", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestones", _increasing(self.milestones, bool(self.restarts)))
        number("gamma", self.gamma, "give a positive number", lambda gamma: gamma > 0)

    def factor(self, epoch: float, epochs: int) -> float:
        """``gamma`` to the number of milestones that ``epoch`` has reached."""
        return self.gamma ** sum(epoch >= m for m in self.milestones)


@dataclass(frozen=True)
class Restart(MultiStep):
    """`MultiStep` whose optimizer is created anew at each milestone: momentum starts again from zero.

    The robustness protocol of paper 1 (Table 3) is ``Restart(milestones=(50,), gamma=0.01)`` on a rate of
    0.1: 50 epochs at 0.1 and 50 at 0.001.
    """

    milestones: tuple[int, ...] = (50,)
    gamma: float = 0.01
    kind: str = field(default="restart", init=False)

    @property
    def restarts(self) -> tuple[int, ...]:
        """The milestones."""
        return self.milestones


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Rise linearly from ``start`` to 1 over the fraction ``warmup``, then fall linearly to ``final``.

    Raises:
        ValueError: warmup is outside (0, 1), or start or final outside [0, 1].
    """

    warmup: float = 0.3
    start: float = 0.04
    final: float = 0.0
    kind: str = field(default="one-cycle", init=False)

    def __post_init__(self) -> None:
        _fraction("warmup", self.warmup, lambda part: 0 < part < 1)
        _fraction("start", self.start, lambda part: 0 <= part <= 1)
        _fraction("final", self.final, lambda part: 0 <= part <= 1)

    def factor(self, epoch: float, epochs: int) -> float:
        """Linear up, linear down."""
        place = epoch / epochs
        if place < self.warmup:
            return self.start + (1 - self.start) * place / self.warmup
        return 1 + (self.final - 1) * (place - self.warmup) / (1 - self.warmup)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from 1 to 0: ``(1 + cos(π epoch / epochs)) / 2``, at the start of each epoch."""

    kind: str = field(default="cosine", init=False)

    def factor(self, epoch: float, epochs: int) -> float:
        """Constant within an epoch, as torch's schedule is where it is stepped once an epoch."""
        return (1 + math.cos(math.pi * math.floor(epoch) / epochs)) / 2


def _increasing(milestones: tuple[int, ...], whole_ones: bool = False) -> tuple[int, ...]:
    kinds = Integral if whole_ones else Real
    listed = tuple(milestones) if isinstance(milestones, Iterable) else ()
    numbers = all(isinstance(m, kinds) and not isinstance(m, bool) for m in listed)
    if not (listed and numbers and all(m >= 1 for m in listed) and all(map(operator.lt, listed, listed[1:]))):
        epochs = "whole epochs" if whole_ones else "epochs"
        raise ValueError(f"milestones are {milestones}; give increasing {epochs} from 1 on")
    return tuple(int(m) if isinstance(m, Integral) else float(m) for m in listed)


def _fraction(name: str, value: float, inside: Callable[[float], bool]) -> None:
    number(name, value, "give a fraction of training between 0 and 1", inside)
