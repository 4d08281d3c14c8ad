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

from lggkit.data import DataSet
from lggkit.data import load as load_data
from lggkit.experiments.lockstep import Observer, Seeded, TrainedNetwork, named, train_networks
from lggkit.experiments.networks import Network
from lggkit.record import Record, Spec
from lggkit.study import paths
from lggkit.study.network_ledger import NetworkLedger, Training
from lggkit.study.network_store import NetworkStore


@dataclass
class StudyContext:
    """Implements `lggkit.experiments.Context` on one device, with networks kept under ``_build/weights``.

    ``trainings``, if given, gets a line for each network that is trained.
    """

    device: torch.device = field(default_factory=lambda: default_device())
    progress: bool = False
    commit: str = field(default_factory=paths.commit)
    weights: Path = field(default_factory=paths.weights)
    trainings: NetworkLedger | None = None
    _data: dict[tuple[str, bool], DataSet] = field(default_factory=dict, repr=False)

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints of unfinished trainings."""
        return self.weights / "checkpoints"

    @property
    def store(self) -> NetworkStore:
        """Where trained networks are kept."""
        return NetworkStore(self.weights)

    def data(self, name: str, train: bool = True) -> DataSet:
        """A data set on the device, loaded and verified once."""
        if (name, train) not in self._data:
            self._data[name, train] = load_data(name, train=train, device=self.device)
        return self._data[name, train]

    def networks(self, wanted: Sequence[Seeded], observe: Observer | None = None) -> list[TrainedNetwork]:
        """Trained networks of descriptions and seeds, with how they were trained.

        What is kept is loaded, what is missing is trained together; a network that diverged is not kept. One
        that is kept but was not seen by ``observe`` is trained again.
        """
        kept: dict[Seeded, TrainedNetwork] = {}
        for network, seed in dict.fromkeys(wanted):
            found = self.store.load(network, seed, self, observe)
            kept |= {} if found is None else {(network, seed): found}
        missing = [one for one in dict.fromkeys(wanted) if one not in kept]
        fresh = train_networks(missing, self, observe) if missing else []
        for one, result in zip(missing, fresh, strict=True):
            kept[one] = named(one, result, device_name(self.device))
            self.store.keep(kept[one], observe)
            self._note(one, kept[one])
        return [kept[one] for one in wanted]

    def network(self, description: Network, seed: int) -> torch.nn.Module:
        """A trained network without its history."""
        return self.networks([(description, seed)])[0].model

    def _note(self, one: Seeded, result: TrainedNetwork) -> None:
        if self.trainings is not None:
            stamp = {"torch": torch.__version__, "commit": self.commit, "date": _now()}
            self.trainings.append(Training.of(*one, result, **stamp))

    def record(self, spec: Spec, metrics: Mapping[str, Any], **fields: Any) -> Record:
        """A record of a run, stamped with device, torch version, commit and date."""
        stamp = {
            "device": device_name(self.device),
            "torch": torch.__version__,
            "commit": self.commit,
            "date": _now(),
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


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
