"""What is asked of a training beside its steps, and what it gives: the result, and how it was computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from lggkit.data import LabelledSet
from lggkit.training.checks import whole

TF32 = " (TF32 convolutions)"


@dataclass(frozen=True)
class PathTaken:
    """What a training was computed on, and how.

    ``device``: "cpu" or the marketing name of a GPU. ``precision``: ``float32`` or ``bfloat16``, the type of
    the forward pass; ``tf32`` where convolutions in float32 round to ten bits. ``layout``: ``channels_last``
    or ``contiguous``. ``reasons``: why it is this path, in the order in which it was chosen.

    ``str`` gives it as records keep it: ``cpu, float32, channels_last, eager: too short to repay ...``.
    """

    device: str
    precision: str = "float32"
    layout: str = "channels_last"
    compiled: bool = False
    captured: bool = False
    tf32: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        """The path without its reasons."""
        how = " and ".join(["compiled"] * self.compiled + ["captured"] * self.captured) or "eager"
        return f"{self.device}, {self.precision}{TF32 * self.tf32}, {self.layout}, {how}"

    def __str__(self) -> str:
        return f"{self.mode}: {'; '.join(self.reasons)}" if self.reasons else self.mode

    def plain(self) -> dict[str, Any]:
        """The fields by name, as a file keeps them; `read` takes them back."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, value: PathTaken | Mapping[str, Any] | str) -> PathTaken:
        """The path of its `plain` fields, or of the line that earlier versions kept.

        Raises:
            TypeError: there is an unknown field, or one is missing.
        """
        if isinstance(value, PathTaken):
            return value
        if isinstance(value, str):
            return _of_line(value)
        return cls(**{**value, "reasons": tuple(value.get("reasons", ()))})


def _of_line(line: str) -> PathTaken:
    mode, _, reasons = line.partition(": ")
    device, precision, layout, how = [*mode.split(", "), *("",) * 4][:4]
    return PathTaken(
        device=device,
        precision=precision.removesuffix(TF32) or PathTaken.precision,
        layout=layout or PathTaken.layout,
        compiled="compiled" in how,
        captured="captured" in how,
        tf32=precision.endswith(TF32),
        reasons=tuple(reasons.split("; ")) if reasons else (),
    )


Evaluate = Callable[[nn.Module], float | Mapping[str, float | Tensor]] | LabelledSet | None


@dataclass(frozen=True)
class Options:
    """What a training does beside its steps, see `lggkit.training.train`.

    Raises:
        ValueError: an interval is neither None nor an integer of at least 1, ``evaluate_at`` is no collection
            of epochs, or one of the two says when without the other, or without an ``evaluate``.
    """

    taps: Sequence[str] = ()
    evaluate: Evaluate = None
    evaluate_every: int | None = None
    evaluate_at: Sequence[int] | None = None
    checkpoint_every: int | None = None
    after_step: Callable[[nn.Module], None] | None = None

    def __post_init__(self) -> None:
        for name in ("evaluate_every", "checkpoint_every"):
            if getattr(self, name) is not None:
                whole(name, getattr(self, name), 1)
        if self.evaluate_at is not None:
            object.__setattr__(self, "evaluate_at", _epochs(self.evaluate_at))
        given = [name for name in ("evaluate_every", "evaluate_at") if getattr(self, name) is not None]
        if len(given) == 2:
            raise ValueError("evaluate_every and evaluate_at exclude each other; give one of them")
        if given and self.evaluate is None:
            raise ValueError(f"{given[0]} says when, but nothing is evaluated; give evaluate as well")

    def evaluates(self, epoch: int, last: int) -> bool:
        """Whether there is an evaluation after this many epochs, ``last`` being the whole training."""
        if self.evaluate is None:
            return False
        if self.evaluate_at is not None:
            return epoch in self.evaluate_at
        return epoch == last or bool(epoch and self.evaluate_every and epoch % self.evaluate_every == 0)


def _epochs(value: Any) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"evaluate_at is {value!r}; give a list of epochs, 0 being before the first step")
    return tuple(whole("an epoch of evaluate_at", epoch, 0) for epoch in value)


@dataclass(frozen=True)
class TrainResult:
    """What a training gave.

    ``model``: the network that was passed in, trained, in evaluation mode. ``curves``: per epoch
    ``train_loss``, ``train_accuracy`` (0 to 1, of the answers given while training), ``learning_rate`` (of
    the epoch's last step); per evaluation ``test_error`` (percent; or what the callable names) and
    ``test_epoch`` (epochs trained by then). ``diverged``: None, or what was not finite, and when.
    ``seconds``: wall time of its steps and evaluations, those before an interruption included; models
    trained together share the time of the call equally. ``path``: how it was computed, and why so.
    ``steps``: updates made. ``seen``: tensors that evaluations gave, by name in their order, on the CPU.
    ``first_loss``: of the first batch, before any update (None where no step was made, or it was not finite).
    """

    model: nn.Module
    curves: dict[str, list[float]]
    diverged: str | None
    seconds: float
    path: PathTaken
    steps: int
    seen: dict[str, list[Tensor]] = field(default_factory=dict)
    first_loss: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", PathTaken.read(self.path))

    @property
    def precision(self) -> str:
        """``float32`` or ``bfloat16``, as it was computed in."""
        return self.path.precision
