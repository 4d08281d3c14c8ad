"""What is still to be measured: the units of the queue, in order, and parts of it."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lggkit import experiments
from lggkit.experiments import Experiment
from lggkit.record import Spec
from lggkit.study.entered import paper
from lggkit.study.records.ledger import Ledger

STAND_INS = ("short", "reduced")
"""Scales that stand for the papers' own until that is measured."""


@dataclass
class Unit:
    """The runs with one seed, of an arm or of arms that are measured together, that the ledgers lack."""

    experiment: Experiment
    arms: tuple[str, ...]
    scale: str
    specs: list[Spec]

    @property
    def seed(self) -> int:
        """The seed of its runs."""
        return self.specs[0].seed

    @property
    def seeds(self) -> str:
        """The seeds of its runs, in words: "seed 0", or "seeds 0, 1, 2" where some go together."""
        seeds = sorted({spec.seed for spec in self.specs})
        return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"

    @property
    def title(self) -> str:
        """The arms that it has runs of, as a line of a list shows them."""
        return " + ".join(dict.fromkeys(spec.arm for spec in self.specs))

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that name the group of arms and the seed, whatever is missing of it."""
        text = "\n".join([self.experiment.name, self.scale, *self.arms, str(self.seed)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def rank(self) -> int:
        """0 if a claim names its arms, 1 if a table has them, else 2."""
        return _rank(self.experiment, self.arms[0], claimed_arms(self.experiment))

    def part(self, specs: list[Spec]) -> Unit:
        """The same unit with these runs only."""
        return replace(self, specs=specs)


def pending(
    ledgers: Sequence[Ledger], scale: str, only: str | None = None, named: Sequence[str] = ()
) -> list[Unit]:
    """Units that no ledger holds, in the order in which they are measured.

    Arms that claims name come before other arms of tables and these before ablations; among equals seed 0 of
    every chapter before seed 1 of any, and within a seed chapters by priority. An arm of which every run at
    paper scale is recorded is left out at the scales below, unless it is ``named``.

    Raises:
        KeyError: ``only`` names no experiment.
    """
    units = [unit for experiment in chosen(only) for unit in _units(experiment, scale, ledgers, named)]
    return sorted(units, key=lambda unit: (unit.rank, unit.seed))


def at_paper_scale(experiment: Experiment, scale: str, ledgers: Sequence[Ledger]) -> set[str]:
    """The arms that ``scale`` can add nothing about, as all their runs at paper scale are recorded."""
    if scale not in STAND_INS or "paper" not in experiment.protocols:
        return set()
    recorded = recorded_keys(experiment, "paper", ledgers)
    specs = experiment.specs("paper")
    return {spec.arm for spec in specs} - {spec.arm for spec in specs if spec.key not in recorded}


def missing(unit: Unit, ledgers: Sequence[Ledger]) -> Unit:
    """What of a unit no ledger holds by now; it may have no runs."""
    recorded = recorded_keys(unit.experiment, unit.scale, ledgers)
    return unit.part([spec for spec in unit.specs if spec.key not in recorded])


def claimed_arms(experiment: Experiment) -> set[str]:
    """The arms that claims of its paper name; none where the paper's claims are not entered.

    Raises:
        ValueError: ``claims.csv`` has an entry that cannot be understood.
    """
    try:
        claims = paper.claims(experiment.paper)
    except (KeyError, FileNotFoundError):
        return set()
    sides = {side for one in claims if one.experiment == experiment.name for side in (one.left, one.right)}
    return {side.partition(":")[0] for side in sides if side}


def chosen(only: str | None = None) -> list[Experiment]:
    """The experiment of that name, or all in the order of the queue; a KeyError where there is none."""
    return list(experiments.all_experiments()) if only is None else [experiments.get(only)]


def check_arms(asked: Sequence[str], only: str | None = None) -> None:
    """Makes sure that experiments have arms of these names, measured or not.

    Raises:
        ValueError: none has one of them; the message names what there is.
        KeyError: ``only`` names no experiment.
    """
    arms = list(dict.fromkeys(a.name for experiment in chosen(only) for a in experiment.arms))
    for arm in (name for name in asked if name not in arms):
        near = difflib.get_close_matches(arm, arms, n=5, cutoff=0.4) or arms[:12]
        raise ValueError(
            f"no arm is named {arm!r}; did you mean one of {', '.join(near)}? `study list` names all"
        )


def _units(experiment: Experiment, scale: str, ledgers: Sequence[Ledger], named: Sequence[str]) -> list[Unit]:
    """A unit for each group of arms and seed of which a run is missing."""
    recorded, units = recorded_keys(experiment, scale, ledgers), []
    decided = at_paper_scale(experiment, scale, ledgers) - set(named)
    for arms in _groups_of_one_rank(experiment):
        by_seed: dict[int, list[Spec]] = {}
        for spec in (spec for arm in arms if arm not in decided for spec in experiment.specs(scale, arm)):
            if spec.key not in recorded:
                by_seed.setdefault(spec.seed, []).append(spec)
        units += [Unit(experiment, arms, scale, specs) for specs in by_seed.values()]
    return units


def _groups_of_one_rank(experiment: Experiment) -> list[tuple[str, ...]]:
    """The experiment's groups, in parts: an ablation does not come early for a claimed arm of its group."""
    claimed, parts = claimed_arms(experiment), []
    for arms in experiment.groups():
        ranks = {name: _rank(experiment, name, claimed) for name in arms}
        parts += [tuple(name for name in arms if ranks[name] == rank) for rank in sorted(set(ranks.values()))]
    return parts


def _rank(experiment: Experiment, arm: str, claimed: set[str]) -> int:
    if arm in claimed:
        return 0
    return 1 if experiment.arm(arm).table else 2


def recorded_keys(experiment: Experiment, scale: str, ledgers: Sequence[Ledger]) -> set[str]:
    """The keys of its records at a scale, in any of the ledgers."""
    return {record.key for ledger in ledgers for record in ledger.records(experiment.name, scale)}


def only_arms(units: Sequence[Unit], arms: Sequence[str]) -> list[Unit]:
    """What of the units belongs to some arms."""
    cut = [unit.part([spec for spec in unit.specs if spec.arm in arms]) for unit in units]
    return [unit for unit in cut if unit.specs]


def joined(units: Sequence[Unit], seeds: int = 5) -> list[Unit]:
    """Units that differ in the seed alone, so many seeds at a time as one unit, where the first of them was.

    On a GPU, which one small network does not fill, they are trained in lockstep.
    """
    groups: dict[tuple, list[Unit]] = {}
    for unit in units:
        groups.setdefault((unit.experiment.name, unit.arms, unit.scale, unit.seed // seeds), []).append(unit)
    return [group[0].part([spec for unit in group for spec in unit.specs]) for group in groups.values()]


def shard(units: Sequence[Unit], text: str) -> list[Unit]:
    """The ``i``-th of ``n`` parts of the queue, for ``n`` processes that run at once: every n-th seed.

    Raises:
        ValueError: the text is not ``i/n`` with 0 ≤ i < n.
    """
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    index, parts = (int(group) for group in match.groups()) if match else (0, 0)
    if not index < parts:
        raise ValueError(f"shard is {text!r}; write i/n with i from 0 to n - 1, as in 0/2")
    return [unit for unit in units if unit.seed % parts == index]
