"""What is asked of a training beside its steps, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from lggkit.data import DataSet

Evaluate = Callable[[nn.Module], float | dict[str, float]] | DataSet | None


@dataclass(frozen=True)
class Options:
    """What a training does beside its steps; see `lggkit.training.train`."""

    taps: Sequence[str] = ()
    evaluate: Evaluate = None
    evaluate_every: int | None = None
    checkpoint_every: int | None = None
    after_step: Callable[[nn.Module], None] | None = None


@dataclass(frozen=True)
class TrainResult:
    """What a training gave.

    ``model``: the network that was passed in, trained, in evaluation mode. ``curves``: per epoch
    ``train_loss``, ``train_accuracy`` (0 to 1, of the answers given while training), ``learning_rate`` (of
    the epoch's last step); per evaluation ``test_error`` (percent; or what the callable names) and
    ``test_epoch`` (epochs trained by then). ``diverged``: None, or what was not finite, and when.
    ``seconds``: wall time of its steps and evaluations, those before an interruption included; models
    trained together share the time of the call equally. ``path``: how it was computed, and why so.
    ``steps``: updates made.
    """

    model: nn.Module
    curves: dict[str, list[float]]
    diverged: str | None
    seconds: float
    path: str
    steps: int
