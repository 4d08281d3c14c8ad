"""What an experiment is: arms in a table, a protocol per scale, and one function that measures."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lggkit.experiments.networks import Context, Observer, TrainedNetwork
from lggkit.protocol import Protocol, changed
from lggkit.record import Record, Spec


@dataclass(frozen=True)
class Arm:
    """One row of an experiment: a name, what it changes in the protocol, and whether a table shows it.

    Arms that are not in a table (``table=False``) are ablations: fewer seeds, no verdict. ``seeds`` is how
    many seeds a scale gets where this differs from what the experiment says for arms of its kind.
    """

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    table: bool = True
    seeds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """One section of a paper as data with a function.

    ``seeds[scale]`` is how many seeds a table arm gets, ``ablation_seeds[scale]`` an ablation. ``measure``
    takes many specs, because seeds train together, and yields a record for each; where networks are trained
    it asks the context for them by their descriptions (`lggkit.experiments.networks`). ``together`` names
    arms that are measured in one call. ``minutes[scale]`` is a guess of one run's length for time budgets,
    until a record of the same arm on the same device says better. Chapters with a lower ``priority`` run
    first. ``derived`` names what is computed from records when they are read, ``reference`` the arm that it
    is over (`lggkit.study.judging.derived`).
    """

    name: str
    title: str
    protocols: Mapping[str, Protocol]
    arms: Sequence[Arm]
    seeds: Mapping[str, int]
    measure: Callable[[Sequence[Spec], Context], Iterator[Record]]
    ablation_seeds: Mapping[str, int] = field(
        default_factory=lambda: {"smoke": 1, "short": 2, "reduced": 2, "paper": 3}
    )
    minutes: Mapping[str, float] = field(
        default_factory=lambda: {"smoke": 0.1, "short": 10, "reduced": 30, "paper": 5}
    )
    together: Sequence[Sequence[str]] = ()
    priority: int = 100
    reference: str = ""
    derived: Sequence[str] = ()

    @property
    def paper(self) -> str:
        """The folder name of the paper that this section belongs to."""
        return self.name.split("/")[0]

    def arm(self, name: str) -> Arm:
        """The arm of this name.

        Raises:
            KeyError: the experiment has no such arm; the message lists those it has.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(f"{self.name} has no arm {name!r}; it has {', '.join(a.name for a in self.arms)}")

    def spec(self, arm: str, scale: str, seed: int = 0) -> Spec:
        """The run of one arm at a scale with a seed."""
        protocol = changed(self.protocols[scale], self.arm(arm).changes)
        return Spec(self.name, arm, scale, seed, protocol)

    def specs(self, scale: str, arm: str | None = None) -> list[Spec]:
        """All runs at a scale, table arms first, all seeds of an arm together."""
        chosen = [a for a in self.arms if arm in (None, a.name)]
        ordered = sorted(chosen, key=lambda a: not a.table)
        return [self.spec(a.name, scale, seed) for a in ordered for seed in range(self.seed_count(a, scale))]

    def seed_count(self, arm: Arm, scale: str) -> int:
        """How many seeds an arm gets at a scale."""
        return arm.seeds.get(scale, (self.seeds if arm.table else self.ablation_seeds)[scale])

    def groups(self) -> list[tuple[str, ...]]:
        """Names of the arms that are measured in one call, in the order of the arms; most stand alone."""
        group = {name: tuple(names) for names in self.together for name in names}
        return list(dict.fromkeys(group.get(arm.name, (arm.name,)) for arm in self.arms))


def trained(
    specs: Sequence[Spec], context: Context, observe: Observer | None = None
) -> dict[Spec, TrainedNetwork]:
    """The training behind each spec whose protocol has a ``description`` of its network."""
    wanted = [(spec.protocol.description, spec.seed) for spec in specs]
    return dict(zip(specs, context.networks(wanted, observe), strict=True))


def by_kind(
    kinds: Mapping[str, Callable[[Any, int, Context], tuple[dict[str, Any], dict[str, Any]]]],
) -> Callable[[Sequence[Spec], Context], Iterator[Record]]:
    """A ``measure`` for protocols with a ``kind``: each spec by itself, by the function of its kind.

    Such a function takes protocol, seed and context, and gives metrics and arrays.
    """

    def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
        for spec in specs:
            start = time.monotonic()
            metrics, arrays = kinds[spec.protocol.kind](spec.protocol, spec.seed, context)
            yield context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - start)

    return measure


def how_trained(result: TrainedNetwork) -> dict[str, Any]:
    """What a record says of its network's training: path, precision, curves; where it diverged, why."""
    reason = {} if result.diverged is None else {"reason": result.diverged, "status": "diverged"}
    network = {"network": result.key, "trained_on": result.device, "curves": result.curves}
    return {"path": str(result.path), "precision": result.precision, **network, **reason}


def get(name: str) -> Experiment:
    """The experiment of a name such as ``lgg/s33_latent_geometry_graphs``.

    Raises:
        KeyError: there is none; the message lists what there is.
    """
    known = {experiment.name: experiment for experiment in all_experiments()}
    if name not in known:
        raise KeyError(f"no experiment is named {name!r}; there are {', '.join(known)}")
    return known[name]


def all_experiments() -> list[Experiment]:
    """Every experiment of the package, in the order of the queue: any module with an ``EXPERIMENT``."""
    package = importlib.import_module("lggkit.experiments")
    experiments = []
    for info in pkgutil.walk_packages(package.__path__, prefix="lggkit.experiments."):
        if not info.ispkg and not info.name.endswith(".base"):
            module = importlib.import_module(info.name)
            experiments += [module.EXPERIMENT] if hasattr(module, "EXPERIMENT") else []
    return sorted(experiments, key=lambda experiment: (experiment.priority, experiment.name))
