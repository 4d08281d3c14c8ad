"""Paper 5, article 6, claim 8: are networks whose RDMs are more like people's more robust?

The article's title says so and its text does not try it. Here networks of CIFAR-10 are compared with people
twice: with their confusions of test images (CIFAR-10H), and with their inferior temporal cortex (IT) on the
92 objects. Each is attacked and perturbed. The arm ``across`` correlates the two over the networks of a seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from torch import Tensor

from lggkit.data import DataSet
from lggkit.evaluation import predict
from lggkit.experiments.base import Arm, Context, Experiment, how_trained
from lggkit.experiments.networks import Network
from lggkit.experiments.recipes import families
from lggkit.experiments.recipes.across import across
from lggkit.experiments.recipes.brain_rdms import PUBLISHED
from lggkit.experiments.recipes.families import TITLES, Families, family_of
from lggkit.experiments.recipes.harmed import Harms
from lggkit.experiments.recipes.likeness import chosen_images, entropy, likeness, shares_of
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec

SHOWN = 6
"""As many of the most ambiguous images stand on the page."""
Measured = Callable[["Settings", int], Mapping[str, Any]]


@dataclass(frozen=True)
class Settings(Protocol):
    """A network, ``member`` of `Families`, or without one all ``members`` of a seed taken together.

    ``compared`` test images are in each RDM, ``tested`` ones are asked for the error, and ``objects`` is the
    set that people's IT is known for; ``draws`` is how often families are drawn anew.
    """

    member: str = ""
    members: tuple[str, ...] = tuple(TITLES)
    families: Families = field(default_factory=Families)
    compared: int = 1_000
    tested: int = 10_000
    objects: str = PUBLISHED
    harms: Harms = field(default_factory=Harms)
    draws: int = 2_000

    @property
    def description(self) -> Network | None:
        """The trained network, if it is one."""
        return self.families.network(self.member) if self.member else None


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: a network beside people and under harm, or all of a seed taken together."""

    @cache
    def of(settings: Settings, seed: int) -> Mapping[str, Any]:
        return _of_network(settings, seed, context)

    for spec in specs:
        begun = time.monotonic()
        fields = (_alone if spec.protocol.member else _together)(spec, of, context)
        yield context.record(spec, seconds=time.monotonic() - begun, **fields)


def _alone(spec: Spec, of: Measured, context: Context) -> dict[str, Any]:
    (result,) = context.networks([(spec.protocol.description, spec.seed)])
    sound = result.diverged is None
    return {"metrics": of(spec.protocol, spec.seed) if sound else {}, **how_trained(result)}


def _of_network(settings: Settings, seed: int, context: Context) -> Mapping[str, Any]:
    """What is measured of a network, its likeness also before training."""
    model, untrained = context.network(settings.description, seed), settings.description.untrained
    before = likeness(untrained(seed, context), settings, context, answers=False)
    metrics = likeness(model, settings, context)
    metrics |= settings.harms.metrics(model, context.data(settings.families.dataset, train=False))
    return metrics | {f"untrained_{name}": value for name, value in before.items()}


def _together(spec: Spec, of: Measured, context: Context) -> dict[str, Any]:
    settings = spec.protocol
    each = {name: replace(settings, member=name) for name in settings.members}
    results = context.networks([(one.description, spec.seed) for one in each.values()])
    models = {name: r.model for name, r in zip(each, results, strict=True) if r.diverged is None}
    found = {name: of(each[name], spec.seed) for name in models}
    whole = len(models) == len(each)  # Other networks would be another pool.
    taken = across(found, [family_of(name) for name in models], settings.draws, spec.seed)
    test = context.data(settings.families.dataset, train=False)
    shares = shares_of(test, settings.families.dataset)
    places = _shown(test, shares)
    answers = [predict(model, test.images[places]).cpu().softmax(1).numpy() for model in models.values()]
    arrays = {
        "thumbnails": test.images[places].cpu().numpy(),
        "labels": test.labels[places].cpu().numpy(),
        "shares": shares[places].float().numpy(),
        "answers": np.stack(answers),
        "members": np.array(list(models), dtype=str),
        "class_names": np.array(test.classes, dtype=str),
    }
    return {"metrics": taken if whole else {"zero": 0.0}, "arrays": arrays}


def _shown(test: DataSet, shares: Tensor) -> Tensor:
    """The most ambiguous image of each of the classes that have the most ambiguous ones."""
    labels = test.labels.cpu()
    each = chosen_images(labels, shares, len(labels.unique()))["ambiguous"]
    return each[entropy(shares[each]).argsort(descending=True, stable=True)[:SHOWN]]


FAST = Harms(attacked=300, steps=3)
SHORT = Settings(families=families.SHORT, compared=500, tested=2_000, harms=FAST, members=families.AT_SHORT)
REDUCED = replace(SHORT, families=families.REDUCED, members=families.AT_REDUCED)
PAPER = Settings()
SMOKE = Settings(
    families=families.SMOKE,
    compared=60,
    objects="generated objects",
    harms=Harms(attacked=300, steps=2),
    draws=50,
)


def _seeds(member: str) -> dict[str, int]:
    """At the lengths that a member is not trained for it has no seeds."""
    left_out = {"short": families.AT_SHORT, "reduced": families.AT_REDUCED}
    return {scale: 0 for scale, there in left_out.items() if member not in there}


ARMS = (
    *(Arm(name, title, {"member": name}, seeds=_seeds(name)) for name, title in TITLES.items()),
    Arm("across", "all networks of a seed"),
)

EXPERIMENT = Experiment(
    name="geometries_of_learning/a06_networks",
    title="Likeness to people and robustness of networks",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=ARMS,
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 5},
    measure=measure,
    together=(tuple(arm.name for arm in ARMS),),
    minutes={"smoke": 0.1, "short": 2, "reduced": 3, "paper": 5},
    priority=90,
)
