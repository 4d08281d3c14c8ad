"""One training, advanced a step at a time, that can be written down after any step and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.evaluation import model_error
from lggkit.training.checkpoint import write_checkpoint
from lggkit.training.compiled import choose_forward
from lggkit.training.config import TrainConfig
from lggkit.training.meter import Meter
from lggkit.training.processor import CodePath
from lggkit.training.seeds import seed_noise
from lggkit.training.step import Objective, cross_entropy, make_taps, tapped, training_step, with_batch
from lggkit.training.stream import Stream

Evaluate = Callable[[nn.Module], float | dict[str, float]] | DataSet | None


@dataclass(frozen=True)
class Options:
    """What a training does beside its steps; see `lggkit.training.train`."""

    taps: Sequence[str] = ()
    evaluate: Evaluate = None
    evaluate_every: int | None = None
    checkpoint_every: int | None = None
    after_step: Callable[[nn.Module], None] | None = None
    tag: str = ""


@dataclass(frozen=True)
class TrainResult:
    """What a training gave.

    ``model``: the network that was passed in, trained, in evaluation mode. ``curves``: per epoch
    ``train_loss``, ``train_accuracy`` (0 to 1, of the answers given while training), ``learning_rate`` (of
    the epoch's last step); per evaluation ``test_error`` (percent; or what the callable names) and
    ``test_epoch`` (epochs trained by then). ``diverged``: None, or which step's loss was not finite.
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


@dataclass
class Run:
    """A training between two steps: the model, its optimizer and how far it is."""

    model: nn.Module
    stream: Stream
    config: TrainConfig
    path: CodePath
    options: Options = field(default_factory=Options)
    objective: Objective | None = None
    checkpoint: Path | None = None
    step: int = 0
    seconds: float = 0.0
    diverged: str | None = None
    curves: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loss = with_batch(self.objective or cross_entropy(self.config.label_smoothing))
        self.total = self.config.epochs * self.stream.steps_per_epoch
        self.meter = Meter(self.stream.sizes(), self.path.device)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = self._new_optimizer()
        self.taps = make_taps(self.model, self.options.taps)

    @property
    def done(self) -> bool:
        """Whether there is no step left to make."""
        return self.diverged is not None or self.step >= self.total

    def begin(self) -> None:
        """Decide between compiled and eager; the taps must be on."""
        self.model.train()
        self.forward = tapped(self.model, self.taps)
        if self.path.compile and not self.done:
            images = self.stream.batch(self.step).images
            self.forward, self.path = choose_forward(self.model, self.forward, images, self.path)

    def advance(self) -> None:
        """Make one step, and what is due after it."""
        batch = self.stream.batch(self.step)
        place = self.step % self.stream.steps_per_epoch
        self._set_rate(batch.epoch, place)
        seed_noise(self.path.device, self.stream.seed, self.step)
        autocast = self.path.autocast()
        loss, logits = training_step(self.forward, self.loss, self.optimizer, batch, autocast)
        self.meter.add(place, loss, logits, batch.labels)
        self._after_step()
        self.step += 1
        self._due(place + 1)

    def state(self) -> dict[str, Any]:
        """Everything that the following steps depend on, as tensors and plain containers."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "diverged": self.diverged,
            "path": str(self.path),
            "curves": self.curves,
            "meter": self.meter.state(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.step, self.seconds, self.diverged = state["step"], state["seconds"], state["diverged"]
        self.curves = state["curves"]
        self.meter.load(state["meter"])
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["path"] != str(self.path):
            self.path = self.path.because(f"begun as [{state['path']}]")

    def save(self, identity: dict[str, Any]) -> None:
        """Write the checkpoint, if this run has one."""
        if self.checkpoint is not None:
            write_checkpoint(self.checkpoint, {"identity": identity, **self.state()})

    def result(self) -> TrainResult:
        """What came out."""
        self.model.eval()
        return TrainResult(self.model, self.curves, self.diverged, self.seconds, str(self.path), self.step)

    def checkpoint_due(self) -> bool:
        """Whether the step just made is one after which to save."""
        every = self.options.checkpoint_every or self.stream.steps_per_epoch
        return self.done or self.step % every == 0

    def _new_optimizer(self) -> torch.optim.Optimizer:
        return self.config.optimizer_for(self.parameters, self.config.learning_rate)

    def _set_rate(self, epoch: int, place: int) -> None:
        if place == 0 and epoch in self.config.schedule.restarts:
            self.optimizer = self._new_optimizer()
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.rate(self.step, self.stream.steps_per_epoch)

    def _after_step(self) -> None:
        if self.taps is not None:
            self.taps.clear()
        if self.options.after_step is not None:
            with torch.no_grad():
                self.options.after_step(self.model)

    def _due(self, steps: int) -> None:
        last = steps == self.stream.steps_per_epoch
        if last or steps % look_every(self.path.device) == 0:
            self._look(steps)
        if last and self.diverged is None:
            self._end_epoch()

    def _look(self, steps: int) -> None:
        bad = self.meter.first_bad(steps)
        if bad is not None:
            epoch, value = (self.step - 1) // self.stream.steps_per_epoch, float(self.meter.losses[bad])
            step = epoch * self.stream.steps_per_epoch + bad
            self.diverged = f"the loss was {value} at step {step} (epoch {epoch})"

    def _end_epoch(self) -> None:
        loss, accuracy = self.meter.summary()
        rate = self.optimizer.param_groups[0]["lr"]
        self._note(train_loss=loss, train_accuracy=accuracy, learning_rate=rate)
        self.meter.reset()
        epoch, every = self.step // self.stream.steps_per_epoch, self.options.evaluate_every
        if self.options.evaluate is not None and (self.done or (every and epoch % every == 0)):
            self._note(**self._evaluate(), test_epoch=epoch)

    def _evaluate(self) -> dict[str, float]:
        evaluate = self.options.evaluate
        if isinstance(evaluate, DataSet):
            found = model_error(self.model, evaluate, dtype=self.path.dtype)
        else:
            found = evaluate(self.model)
        if self.taps is not None:
            self.taps.clear()
        self.model.train()
        return found if isinstance(found, dict) else {"test_error": found}

    def _note(self, **values: float) -> None:
        for name, value in values.items():
            self.curves.setdefault(name, []).append(float(value))


def look_every(device: torch.device) -> int:
    """Steps between two looks for a loss that is not finite: looking makes the host wait for a GPU."""
    return 1 if device.type == "cpu" else 100
