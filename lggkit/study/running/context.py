"""What a running study lends to experiments: data, trained networks kept by key, stamps for records."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lggkit import strict
from lggkit.data import DataSet
from lggkit.data import load as load_data
from lggkit.durable import require_writable
from lggkit.experiments.lockstep import train_networks
from lggkit.experiments.networks import Network, Observer, Seeded, TrainedNetwork, named
from lggkit.record import Record, Spec
from lggkit.study import paths
from lggkit.study.records.network_ledger import NetworkLedger, Training
from lggkit.study.running.kept import KeptNetwork
from lggkit.study.running.turns import turns


@dataclass
class StudyContext:
    """Implements `lggkit.experiments.Context` on one device, with networks kept under ``_build/weights``.

    Several processes may share the folder of networks: one trains a given network, the others wait for it.
    ``trainings``, if given, gets a line for each network that is trained.
    """

    device: torch.device = field(default_factory=lambda: default_device())
    progress: bool = False
    commit: str = field(default_factory=paths.commit)
    weights: Path = field(default_factory=paths.weights)
    trainings: NetworkLedger | None = None
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

    def network(self, description: Network, seed: int) -> torch.nn.Module:
        """A trained network without its history."""
        return self.networks([(description, seed)])[0].model

    def networks(self, wanted: Sequence[Seeded], observe: Observer | None = None) -> list[TrainedNetwork]:
        """Trained networks of descriptions and seeds, with how they were trained.

        Those that are not kept yet are trained together, except where another process is at it: that is
        waited for. A network that diverged is not kept; a file that is damaged is set aside, and its network
        trained again, and so is one that ``observe`` has not seen.

        Raises:
            OutOfTime: the budget was spent while another process was waited for.
        """
        results: dict[Seeded, TrainedNetwork] = {}
        while missing := [one for one in dict.fromkeys(wanted) if one not in results]:
            results |= self._load(missing, observe)
            results |= self._train(self._ready(missing, results), observe)
        return [results[one] for one in wanted]

    def precision_of(self, network: Network, seed: int) -> str | None:
        """The precision of a seed's first training in the network ledger, of those that it is paired with."""
        return None if self.trainings is None else self.trainings.precision_of(network, seed)

    def probe(self) -> None:
        """Make sure, before anything is trained, that networks and checkpoints can be kept: else OSError."""
        require_writable(self.checkpoints)

    def _ready(self, wanted: Sequence[Seeded], trained: Mapping[Seeded, TrainedNetwork]) -> list[Seeded]:
        """Those still to be trained that need none of the others; what else they need is trained first.

        This is before any turn is taken: who holds one must not wait for another network.
        """
        missing = [seeded for seeded in wanted if seeded not in trained]
        needs = {seeded: seeded[0].needs(seeded[1]) for seeded in missing}
        elsewhere = (need for all_of in needs.values() for need in all_of)
        self.networks(
            [seeded for seeded in dict.fromkeys(elsewhere) if seeded not in missing and seeded not in trained]
        )
        return [seeded for seeded in missing if not set(needs[seeded]) & set(missing)]

    def _train(self, wanted: Sequence[Seeded], observe: Observer | None) -> dict[Seeded, TrainedNetwork]:
        """Train and keep those of the networks that nobody else is training or has just trained."""
        by_key = {network.key(seed): (network, seed) for network, seed in wanted}
        with turns(self.weights, list(by_key)) as taken:
            results = self._load([by_key[key] for key in taken], observe)
            mine = {key: self._kept(key, observe) for key in taken if by_key[key] not in results}
            for store in mine.values():
                store.make_room()
            fresh = train_networks([by_key[key] for key in mine], self, observe)
            for (key, store), trained in zip(mine.items(), fresh, strict=True):
                results[by_key[key]] = named(trained, key, device_name(self.device))
                self._finish(by_key[key], results[by_key[key]], store)
        return results

    def _finish(self, seeded: Seeded, result: TrainedNetwork, store: KeptNetwork) -> None:
        if result.diverged is None:
            store.keep(result)
        if self.trainings is not None:
            self.trainings.append(Training.of(*seeded, result, **self._stamp()))

    def _stamp(self) -> dict[str, str]:
        return {"torch": torch.__version__, "commit": self.commit, "date": strict.now()}

    def _load(self, wanted: Sequence[Seeded], observe: Observer | None) -> dict[Seeded, TrainedNetwork]:
        """Those of the networks that are kept and sound."""
        loaded = {}
        for network, seed in wanted:
            store = self._kept(network.key(seed), observe)
            if store.file.exists():
                result = store.load(network.untrained(seed, self))
                loaded |= {} if result is None else {(network, seed): result}
        return loaded

    def _kept(self, key: str, observe: Observer | None) -> KeptNetwork:
        return KeptNetwork(Path(self.weights), key, "" if observe is None else observe.identity)

    def record(self, spec: Spec, metrics: Mapping[str, Any], **fields: Any) -> Record:
        """A record of a run, stamped with device, torch version, commit and date."""
        stamp = {"device": device_name(self.device), **self._stamp()}
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
