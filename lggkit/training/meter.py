"""What a training gathers: loss and accuracy of an epoch on the device, curves, tensors in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


class Meter:
    """Per-step losses and the number of correct answers of the epoch that runs.

    ``sizes``: samples in each batch of an epoch, (steps,), on the CPU. Only `summary`, `first_bad` and
    `state` wait for the device.
    """

    def __init__(self, sizes: Tensor, device: torch.device) -> None:
        self.sizes = sizes
        self.losses = torch.zeros(len(sizes), dtype=torch.float32, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, place: int | Tensor, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Take in step number ``place`` of the epoch; in a captured step a scalar on the device."""
        if isinstance(place, Tensor):
            self.losses.index_copy_(0, place.view(1), loss.view(1))
        else:
            self.losses[place] = loss
        self.correct += (logits.argmax(1) == labels).sum()

    def first_bad(self, steps: int) -> int | None:
        """The first of the epoch's first ``steps`` steps whose loss is not finite, or None."""
        bad = (~self.losses[:steps].isfinite()).nonzero()
        return int(bad[0]) if len(bad) else None

    def summary(self) -> tuple[float, float]:
        """Mean loss over the epoch's samples, and the share (0 to 1) of right answers while training."""
        loss = (self.losses.cpu().double() * self.sizes).sum() / self.sizes.sum()
        return float(loss), float(self.correct) / float(self.sizes.sum())

    def reset(self) -> None:
        """Begin an epoch."""
        self.losses.zero_()
        self.correct.zero_()

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"losses": self.losses.clone().cpu(), "correct": self.correct.clone().cpu()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from `state`."""
        self.losses.copy_(state["losses"])
        self.correct.copy_(state["correct"])


OWN = ("train_loss", "train_accuracy", "learning_rate", "test_epoch")


def measured(outcome: Any) -> dict[str, Any]:
    """What an evaluation gave, by name; a single number is the test error.

    Raises:
        ValueError: a name is that of a curve which the training keeps itself.
        TypeError: a value is neither a number nor a tensor.
    """
    found = {**outcome} if isinstance(outcome, Mapping) else {"test_error": outcome}
    for name, value in found.items():
        if name in OWN:
            raise ValueError(f"evaluate gave {name!r}, a curve of the training itself; name it otherwise")
        if not _is_number(value):
            raise TypeError(f"evaluate gave {value!r:.80} as {name}; return a number, or numbers by name")
    return found


def _is_number(value: Any) -> bool:
    """Whether ``float`` takes a value; tensors of several numbers are kept as they are."""
    if isinstance(value, Tensor) and value.dim():
        return True
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


@dataclass
class History:
    """``curves`` and ``seen`` by name, and the loss of the first batch, as `TrainResult` gives them."""

    curves: dict[str, list[float]] = field(default_factory=dict)
    seen: dict[str, list[Tensor]] = field(default_factory=dict)
    first_loss: float | None = None

    def begin(self, loss: Tensor) -> None:
        """Take in the loss of the first batch, unless there is one or it is not finite."""
        if self.first_loss is None and bool(loss.isfinite()):
            self.first_loss = float(loss)

    def note(self, **values: float | Tensor) -> None:
        """Add a value to each curve that is named."""
        for name, value in values.items():
            self.curves.setdefault(name, []).append(float(value))

    def take(self, measured: Mapping[str, float | Tensor]) -> None:
        """Add what an evaluation found; tensors with dimensions are copied to the CPU."""
        tensors = {
            name: value for name, value in measured.items() if isinstance(value, Tensor) and value.dim()
        }
        for name, value in tensors.items():
            self.seen.setdefault(name, []).append(value.detach().to("cpu", copy=True))
        self.note(**{name: value for name, value in measured.items() if name not in tensors})

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"curves": self.curves, "seen": self.seen, "first_loss": self.first_loss}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`; earlier versions kept curves only."""
        self.curves = state["curves"]
        self.seen, self.first_loss = state.get("seen", {}), state.get("first_loss")
