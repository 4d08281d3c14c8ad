"""One training, advanced a step at a time, that can be written down after any step and taken up again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.evaluation import model_error
from lggkit.training.capture import Captured, capture_all
from lggkit.training.checkpoint import write_checkpoint
from lggkit.training.compiled import choose_all
from lggkit.training.config import TrainConfig
from lggkit.training.meter import Meter
from lggkit.training.processor import CodePath
from lggkit.training.seeds import seed_noise
from lggkit.training.selfcheck import places_of
from lggkit.training.step import Objective, default_objective, make_taps, tapped, training_step, with_batch
from lggkit.training.stream import Batch, StillBatch, Stream
from lggkit.training.task import Options, TrainResult

log = logging.getLogger("lggkit.training")


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
    seen: dict[str, list[Tensor]] = field(default_factory=dict)
    first_loss: float | None = None

    def __post_init__(self) -> None:
        self.loss = with_batch(self.objective or default_objective(self.config, self.stream))
        self.total = self.config.epochs * self.stream.steps_per_epoch
        self.meter = Meter(self.stream.sizes(), self.path.device)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.rate_cell: Tensor | None = None
        self.optimizer = self._new_optimizer()
        self.taps = make_taps(self.model, self.options.taps)
        self.captured: Captured | None = None
        self.begun_as: str | None = None

    @property
    def begun_dtype(self) -> torch.dtype | None:
        """The autocast type that a training which is continued was begun in."""
        if self.begun_as is None:
            return None
        return torch.bfloat16 if ", bfloat16," in self.begun_as else torch.float32

    @property
    def done(self) -> bool:
        """Whether there is no step left to make."""
        return self.diverged is not None or self.step >= self.total

    def begin(self) -> None:
        """Decide between captured, compiled and eager, for a run that is alone; the taps must be on."""
        begin([self])

    def lane(self) -> AbstractContextManager:
        """Where the run's work on the device belongs: a captured step has a CUDA stream of its own."""
        return nullcontext() if self.captured is None else torch.cuda.stream(self.captured.lane)

    def crew(self) -> list[Run]:
        """The runs that `advance` makes a step of: this one and those that are captured with it."""
        return [self] if self.captured is None else self.captured.runs

    def advance(self) -> None:
        """Make one step of the crew, and what is due after it."""
        place, crew = self.step % self.stream.steps_per_epoch, self.crew()
        for run in crew:
            run.prepare()
        if self.captured is None:
            self.update(self.stream.batch(self.step), place)
        else:
            self.captured(place)
        for run in crew:
            run.step += 1
            run._due(place + 1)

    def prepare(self) -> None:
        """Set the learning rate, the noise and, at a restart, the optimizer of the coming step."""
        epoch, place = divmod(self.step, self.stream.steps_per_epoch)
        if place == 0 and epoch in self.config.schedule.restarts:
            self._restart()
        rate = self.config.rate(self.step, self.stream.steps_per_epoch)
        if self.rate_cell is not None:
            self.rate_cell.fill_(rate)
        else:
            self._set_rate(rate)
        seed_noise(self.path.device, self.stream.seed, self.step)

    def update(self, batch: Batch | StillBatch, place: int | Tensor) -> None:
        """The step itself, number ``place`` of its epoch; waits for nothing on the device."""
        autocast = self.path.autocast()
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
            "path": self.path.mode,
            "curves": self.curves,
            "seen": self.seen,
            "first_loss": self.first_loss,
            "meter": self.meter.state(),
            "model": self.model.state_dict(),
            "objective": self.objective.state_dict() if isinstance(self.objective, nn.Module) else {},
            "optimizer": self.optimizer.state_dict()["state"],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.step, self.seconds, self.diverged = state["step"], state["seconds"], state["diverged"]
        self.curves, self.begun_as = state["curves"], state["path"]
        self.seen, self.first_loss = state.get("seen", {}), state.get("first_loss")
        self.meter.load(state["meter"])
        self.model.load_state_dict(state["model"])
        if isinstance(self.objective, nn.Module):
            self.objective.load_state_dict(state["objective"])
        self._fill_optimizer(state["optimizer"])

    def save(self, identity: dict[str, Any]) -> None:
        """Write the checkpoint, if this run has one."""
        if self.checkpoint is not None:
            write_checkpoint(self.checkpoint, {"identity": identity, **self.state()})

    def result(self) -> TrainResult:
        """What came out."""
        self.model.eval()
        how = self.seconds, str(self.path), self.step
        return TrainResult(self.model, self.curves, self.diverged, *how, self.seen, self.first_loss)

    def rate_from(self, cell: Tensor | None) -> None:
        """Have the optimizer read its rate from a tensor (None: from a number), its state unchanged."""
        state = self.optimizer.state_dict()["state"]
        self.rate_cell = cell
        self.optimizer = self._new_optimizer()
        self._fill_optimizer(state)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        rate = self.config.learning_rate if self.rate_cell is None else self.rate_cell
        return self.config.optimizer_for(self.parameters, rate)

    def _fill_optimizer(self, state: dict[int, Any]) -> None:
        fresh = self.optimizer.state_dict()
        kept = {**fresh["state"], **state}
        self.optimizer.load_state_dict({"state": kept, "param_groups": fresh["param_groups"]})
        if self.rate_cell is not None:
            self._set_rate(self.rate_cell)

    def _set_rate(self, rate: float | Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _restart(self) -> None:
        if self.rate_cell is None:
            self.optimizer = self._new_optimizer()
            return
        for state in self.optimizer.state.values():
            for value in filter(torch.is_tensor, state.values()):
                value.zero_()

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
        elif self.done and not all(p.isfinite().all() for p in self.parameters):
            self.diverged = f"a weight was not finite after the last step, {self.step - 1}"

    def _end_epoch(self) -> None:
        if self.first_loss is None:
            self.first_loss = float(self.meter.losses[0])
        loss, accuracy = self.meter.summary()
        rate = self.config.rate(self.step - 1, self.stream.steps_per_epoch)
        self._note(train_loss=loss, train_accuracy=accuracy, learning_rate=rate)
        self.meter.reset()
        self.evaluate(self.step // self.stream.steps_per_epoch)

    def evaluate(self, epoch: int) -> None:
        """Evaluate if it is time to, after this many epochs: numbers become curves, tensors are kept."""
        if not self.options.evaluates(epoch, self.config.epochs):
            return
        found = {**self._evaluate(), "test_epoch": epoch}
        tensors = {name: value for name, value in found.items() if isinstance(value, Tensor) and value.dim()}
        for name, value in tensors.items():
            self.seen.setdefault(name, []).append(value.detach().to("cpu", copy=True))
        self._note(**{name: value for name, value in found.items() if name not in tensors})

    def _evaluate(self) -> Mapping[str, float | Tensor]:
        evaluate, places = self.options.evaluate, places_of(self)
        if isinstance(evaluate, DataSet):
            found = model_error(self.model, evaluate, dtype=self.path.dtype)
        else:
            found = evaluate(self.model)
        if self.captured is not None and places_of(self) != places:
            raise RuntimeError(
                "evaluate moved the model, whose captured step goes on at the old place; evaluate a copy"
            )
        if self.taps is not None:
            self.taps.clear()
        self.model.train()
        return found if isinstance(found, Mapping) else {"test_error": found}

    def _note(self, **values: float) -> None:
        for name, value in values.items():
            self.curves.setdefault(name, []).append(float(value))


def begin(runs: Sequence[Run]) -> None:
    """Decide on precision and between captured, compiled and eager for runs that advance together.

    Their taps must be on. What is tried draws no random numbers of the caller's.
    """
    for run in runs:
        run.model.train()
        run.forward = tapped(run.model, run.taps)
    with torch.random.fork_rng(devices=[]):
        choose_all(runs)
    for run in runs:
        if run.step == 0:
            run.evaluate(0)
    capture_all(runs)
    for run in runs:
        if run.begun_as not in (None, run.path.mode):
            run.path = run.path.because(f"begun as [{run.begun_as}]")
    _tell_paths(runs)


def _tell_paths(runs: Sequence[Run]) -> None:
    for path, count in Counter(str(run.path) for run in runs if not run.done).items():
        log.info("  %d %s on %s", count, "network" if count == 1 else "networks", path)


def look_every(device: torch.device) -> int:
    """Steps between two looks for a loss that is not finite: looking makes the host wait for a GPU."""
    return 1 if device.type == "cpu" else 100
