"""What a running study lends to experiments: data, trained networks kept by key, stamps for records."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lggkit import experiments
from lggkit.data import DataSet
from lggkit.data import load as load_data
from lggkit.networks import load_weights, save_weights
from lggkit.record import Record, Spec
from lggkit.study import paths
from lggkit.training import TrainResult


@dataclass
class StudyContext:
    """Implements `lggkit.experiments.Context` on one device, with networks kept under ``_build/weights``."""

    device: torch.device = field(default_factory=lambda: default_device())
    progress: bool = False
    commit: str = field(default_factory=paths.commit)
    weights: Path = field(default_factory=paths.weights)
    _data: dict[tuple[str, bool], DataSet] = field(default_factory=dict, repr=False)

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints of unfinished trainings."""
        return self.weights / "checkpoints"

    def data(self, name: str, train: bool = True) -> DataSet:
        """A data set on the device, loaded and verified once."""
        if (name, train) not in self._data:
            self._data[name, train] = load_data(name, train=train, device=self.device)
        return self._data[name, train]

    def trained(self, spec: Spec) -> torch.nn.Module:
        """The network that a spec defines: loaded by its key, or trained once and kept."""
        return self.trainings([spec])[0].model

    def trainings(self, specs: Sequence[Spec]) -> list[TrainResult]:
        """As ``trained`` for specs of one experiment, with curves, seconds, code path and divergence.

        Those that are not kept yet are trained together. A network that diverged is not kept.
        """
        experiment = experiments.get(specs[0].experiment)
        missing = [spec for spec in dict.fromkeys(specs) if not self._kept(spec)]
        fresh = dict(zip(missing, experiment.train(missing, self), strict=True)) if missing else {}
        for spec, result in fresh.items():
            if result.diverged is None:
                self._keep(result, self._file(spec))
        return [
            fresh.get(spec) or self._restore(experiment.build(spec, self), self._file(spec)) for spec in specs
        ]

    def _file(self, spec: Spec) -> Path:
        return self.weights / f"{spec.key}.pt"

    def _kept(self, spec: Spec) -> bool:
        return self._file(spec).exists() and self._file(spec).with_suffix(".json").exists()

    def record(self, spec: Spec, metrics: Mapping[str, Any], **fields: Any) -> Record:
        """A record of a run, stamped with device, torch version, commit and date."""
        stamp = {
            "device": device_name(self.device),
            "torch": torch.__version__,
            "commit": self.commit,
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        return Record(
            key=spec.key,
            experiment=spec.experiment,
            arm=spec.arm,
            scale=spec.scale,
            seed=spec.seed,
            settings=spec.settings,
            metrics=dict(metrics),
            **stamp | fields,
        )

    def _restore(self, model: torch.nn.Module, file: Path) -> TrainResult:
        load_weights(model, file)
        return TrainResult(
            model=model.to(self.device).eval(), **json.loads(file.with_suffix(".json").read_text())
        )

    def _keep(self, result: TrainResult, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_weights(result.model, file)
        history = {f.name: getattr(result, f.name) for f in dataclasses.fields(result) if f.name != "model"}
        draft = file.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(json.dumps(history))
        os.replace(draft, file.with_suffix(".json"))


def default_device() -> torch.device:
    """The first CUDA device, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """The marketing name of the GPU, or of the processor with the threads in use."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{processor_name()}, {threads} thread{'s' if threads > 1 else ''}"


@functools.cache
def processor_name() -> str:
    """The marketing name of this machine's processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
