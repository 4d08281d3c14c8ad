"""What is still to be measured: the units of the queue, in order, and parts of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lggkit import experiments
from lggkit.experiments import Experiment
from lggkit.record import Spec
from lggkit.study.ledger import Ledger


@dataclass
class Unit:
    """The runs of an arm, or of arms that are measured together, that the ledgers lack; seed by seed."""

    experiment: Experiment
    arms: tuple[str, ...]
    scale: str
    specs: list[Spec]

    @property
    def title(self) -> str:
        """The arms that it has runs of, as a line of a list shows them."""
        return " + ".join(dict.fromkeys(spec.arm for spec in self.specs))

    @property
    def table(self) -> bool:
        """Whether an arm of it is in a table."""
        return any(self.experiment.arm(name).table for name in self.arms)

    def part(self, specs: list[Spec]) -> Unit:
        """The same unit with these runs only."""
        return replace(self, specs=specs)


def pending(ledgers: Sequence[Ledger], scale: str, only: str | None = None) -> list[Unit]:
    """Units that no ledger holds, table arms of every chapter before any ablation.

    Raises:
        KeyError: ``only`` names no experiment.
    """
    units = [unit for experiment in chosen(only) for unit in _missing(experiment, scale, ledgers)]
    ordered = sorted(units, key=lambda unit: not unit.table)
    return [unit for unit in ordered if unit.specs]


def chosen(only: str | None = None) -> list[Experiment]:
    """The experiment of that name, or all in the order of the queue.

    Raises:
        KeyError: there is no such experiment.
    """
    return list(experiments.all_experiments()) if only is None else [experiments.get(only)]


def check_arm(arm: str | None, only: str | None = None) -> None:
    """Makes sure that an experiment has an arm of this name, measured or not.

    Raises:
        ValueError: none has; the message names what there is.
        KeyError: ``only`` names no experiment.
    """
    arms = list(dict.fromkeys(a.name for experiment in chosen(only) for a in experiment.arms))
    if arm is not None and arm not in arms:
        near = difflib.get_close_matches(arm, arms, n=5, cutoff=0.4) or arms[:12]
        raise ValueError(
            f"no arm is named {arm!r}; did you mean one of {', '.join(near)}? `study list` names all"
        )


def _missing(experiment: Experiment, scale: str, ledgers: Sequence[Ledger]) -> list[Unit]:
    """A unit for each group of arms, with the runs that no ledger holds; it may be empty."""
    held = {r.key for ledger in ledgers for r in ledger.records(experiment.name, scale)}
    units = []
    for arms in experiment.groups():
        specs = [spec for arm in arms for spec in experiment.specs(scale, arm) if spec.key not in held]
        units.append(Unit(experiment, arms, scale, sorted(specs, key=lambda spec: spec.seed)))
    return units


def only_arm(units: Sequence[Unit], arm: str) -> list[Unit]:
    """What of the units belongs to one arm."""
    cut = [unit.part([spec for spec in unit.specs if spec.arm == arm]) for unit in units]
    return [unit for unit in cut if unit.specs]


def shard(units: Sequence[Unit], text: str) -> list[Unit]:
    """The ``i``-th of ``n`` parts of the queue, for ``n`` processes that run at once: every n-th seed.

    Raises:
        ValueError: the text is not ``i/n`` with 0 ≤ i < n.
    """
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    index, parts = (int(group) for group in match.groups()) if match else (0, 0)
    if not index < parts:
        raise ValueError(f"shard is {text!r}; write i/n with i from 0 to n - 1, as in 0/2")
    cut = [unit.part([spec for spec in unit.specs if spec.seed % parts == index]) for unit in units]
    return [unit for unit in cut if unit.specs]
