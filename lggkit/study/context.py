"""What a running study lends to experiments: data, trained networks kept by key, stamps for records."""

from __future__ import annotations

import datetime
import functools
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lggkit import experiments, strict
from lggkit.data import DataSet
from lggkit.data import load as load_data
from lggkit.durable import require_writable
from lggkit.record import Record, Spec
from lggkit.study import paths
from lggkit.study.kept import KeptNetwork
from lggkit.study.turns import turns
from lggkit.training import TrainResult


@dataclass
class StudyContext:
    """Implements `lggkit.experiments.Context` on one device, with networks kept under ``_build/weights``.

    Several processes may share the folder of networks: one trains a given network, the others wait for it.
    """

    device: torch.device = field(default_factory=lambda: default_device())
    progress: bool = False
    commit: str = field(default_factory=paths.commit)
    weights: Path = field(default_factory=paths.weights)
    _data: dict[tuple[str, bool], DataSet] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        strict.text("commit", self.commit)

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

        Those that are not kept yet are trained together, except where another process is at it: that is
        waited for. A network that diverged is not kept; a file that is damaged is set aside, and its network
        trained again.

        Raises:
            OutOfTime: the budget was spent while another process was waited for.
        """
        results: dict[Spec, TrainResult] = {}
        while missing := [spec for spec in dict.fromkeys(specs) if spec not in results]:
            results |= self._train([spec for spec in missing if not self._kept(spec).exists()])
            results |= self._load([spec for spec in missing if spec not in results])
        return [results[spec] for spec in specs]

    def probe(self) -> None:
        """Make sure, before anything is trained, that networks and checkpoints can be kept: else OSError."""
        require_writable(self.checkpoints)

    def _train(self, specs: Sequence[Spec]) -> dict[Spec, TrainResult]:
        """Train and keep those of the networks that nobody else is training or has just trained."""
        with turns(self.weights, [spec.key for spec in specs]) as mine:
            kept = {spec: self._kept(spec) for spec in specs if spec.key in mine}
            mine = [spec for spec in kept if not kept[spec].exists()]
            for spec in mine:
                kept[spec].make_room()
            fresh = experiments.get(mine[0].experiment).train(mine, self) if mine else []
            results = dict(zip(mine, fresh, strict=True))
            for spec, result in results.items():
                if result.diverged is None:
                    kept[spec].keep(result)
        return results

    def _load(self, specs: Sequence[Spec]) -> dict[Spec, TrainResult]:
        """Those of the networks that are kept and sound."""
        found = {}
        for spec in specs:
            if (kept := self._kept(spec)).exists():
                result = kept.load(experiments.get(spec.experiment).build(spec, self), self.device)
                found |= {} if result is None else {spec: result}
        return found

    def _kept(self, spec: Spec) -> KeptNetwork:
        return KeptNetwork(Path(self.weights), spec.key)

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
