"""One training, advanced a step at a time, that can be written down after any step and taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import LabelledSet
from lggkit.evaluation import model_error
from lggkit.evaluation.accuracy import evaluating
from lggkit.latents import Taps
from lggkit.networks.own_kernels import own_kernels
from lggkit.training.config import TrainConfig
from lggkit.training.meter import History, Meter, measured
from lggkit.training.processor import CodePath
from lggkit.training.seeds import seed_noise
from lggkit.training.step import Objective, cross_entropy, places_of, tapped, training_step, with_batch
from lggkit.training.stream import Batch, StillBatch, Stream
from lggkit.training.task import Options, PathTaken, TrainResult
from lggkit.training.updates import Updates


class Stepper:
    """How steps are made; this one, one run at a time as Python says it."""

    captured = False

    def crew(self, run: Run) -> Sequence[Run]:
        """The runs that a step is made of together with a run, itself included."""
        return [run]

    def lane(self) -> AbstractContextManager:
        """Where the work on the device belongs."""
        return nullcontext()

    def make(self, run: Run, place: int) -> None:
        """Make step number ``place`` of the crew's epoch."""
        run.update(run.stream.batch(run.step), place)


@dataclass
class Run:
    """A training between two steps: the model, its optimizer and how far it is.

    ``forward`` and ``stepper`` are as plain as can be until `lggkit.training.begin` decides on others.
    """

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

    def __post_init__(self) -> None:
        default = cross_entropy(self.config.label_smoothing, self.stream.highest_label + 1)
        self.loss = with_batch(self.objective or default)
        self.total = self.config.epochs * self.stream.steps_per_epoch
        self.meter = Meter(self.stream.sizes(), self.path.device)
        self.history = History()
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.updates = Updates(self.config, self.parameters)
        self.taps = Taps(self.model, list(self.options.taps)) if self.options.taps else None
        self.forward = tapped(self.model, self.taps)
        self.stepper = Stepper()
        self.begun_as: PathTaken | None = None

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """What updates the parameters."""
        return self.updates.optimizer

    @property
    def done(self) -> bool:
        """Whether there is no step left to make."""
        return self.diverged is not None or self.step >= self.total

    def advance(self) -> None:
        """Make one step of the stepper's crew, and what is due after it."""
        place, crew = self.step % self.stream.steps_per_epoch, self.stepper.crew(self)
        for run in crew:
            run.prepare()
        self.stepper.make(self, place)
        for run in crew:
            run.step += 1
            run._due(place + 1)

    def prepare(self) -> None:
        """Set the learning rate, the noise and, at a restart, the optimizer of the coming step."""
        epoch, place = divmod(self.step, self.stream.steps_per_epoch)
        if place == 0 and epoch in self.config.schedule.restarts:
            self.updates.restart()
        self.updates.set_rate(self.config.rate(self.step, self.stream.steps_per_epoch))
        seed_noise(self.path.device, self.stream.seed, self.step)

    def update(self, batch: Batch | StillBatch, place: int | Tensor) -> None:
        """The step itself, number ``place`` of its epoch; waits for nothing on the device."""
        autocast = self.path.autocast()
        with own_kernels(self.path.kernels):
            loss, logits = training_step(self.forward, self.loss, self.optimizer, batch, autocast)
        self.meter.add(place, loss, logits, batch.labels)
        if self.taps is not None:
            self.taps.clear()
        if self.options.after_step is not None:
            with torch.no_grad():
                self.options.after_step(self.model)

    def state(self) -> dict[str, Any]:
        """Everything that the following steps depend on, as tensors and plain containers."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "diverged": self.diverged,
            "path": self.path.taken.plain(),
            **self.history.state(),
            "meter": self.meter.state(),
            "model": self.model.state_dict(),
            "objective": self.objective.state_dict() if isinstance(self.objective, nn.Module) else {},
            "optimizer": self.updates.state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.step, self.seconds, self.diverged = state["step"], state["seconds"], state["diverged"]
        self.begun_as = PathTaken.read(state["path"])
        self.history.load(state)
        self.meter.load(state["meter"])
        self.model.load_state_dict(state["model"])
        if isinstance(self.objective, nn.Module):
            self.objective.load_state_dict(state["objective"])
        self.updates.load(state["optimizer"])

    def result(self) -> TrainResult:
        """What came out."""
        self.model.eval()
        how = self.diverged, self.seconds, self.path.taken, self.step
        return TrainResult(self.model, self.history.curves, *how, self.history.seen, self.history.first_loss)

    def evaluate(self, epoch: int) -> None:
        """Evaluate if it is time to, after this many epochs."""
        if self.options.evaluates(epoch, self.config.epochs):
            self.history.take({**measured(self._evaluate()), "test_epoch": epoch})

    def _evaluate(self) -> Any:
        evaluate, places = self.options.evaluate, places_of(self.model, self.objective)
        with evaluating(self.model):
            if isinstance(evaluate, LabelledSet):
                outcome = model_error(self.model, evaluate, dtype=self.path.dtype)
            else:
                outcome = evaluate(self.model)
        if self.stepper.captured and places_of(self.model, self.objective) != places:
            raise RuntimeError(
                "evaluate moved the model, whose captured step goes on at the old place; evaluate a copy"
            )
        if self.taps is not None:
            self.taps.clear()
        return outcome

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
            place = f"step {epoch * self.stream.steps_per_epoch + bad} (epoch {epoch})"
            self.diverged = f"the loss was {value} at {place}"
            if epoch == 0:
                self.history.begin(self.meter.losses[0])
        elif self.done and not all(p.isfinite().all() for p in self.parameters):
            self.diverged = f"a weight was not finite after the last step, {self.step - 1}"

    def _end_epoch(self) -> None:
        self.history.begin(self.meter.losses[0])
        loss, accuracy = self.meter.summary()
        rate = self.config.rate(self.step - 1, self.stream.steps_per_epoch)
        self.history.note(train_loss=loss, train_accuracy=accuracy, learning_rate=rate)
        self.meter.reset()
        self.evaluate(self.step // self.stream.steps_per_epoch)


def look_every(device: torch.device) -> int:
    """Steps between two looks for a loss that is not finite: looking makes the host wait for a GPU."""
    return 1 if device.type == "cpu" else 100
