"""Students beside a teacher, as settings and arms of paper 3: whose they are, and what they are taught by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from lggkit.experiments.base import Arm
from lggkit.experiments.networks import Architecture, Guide, Images, Network, Recipe
from lggkit.experiments.recipes import finetuning
from lggkit.experiments.recipes.distillation import Distillation, Distilled
from lggkit.experiments.recipes.transfer import Penalty, Regularised
from lggkit.protocol import Protocol
from lggkit.training import MultiStep, TrainConfig

BATCH, ITERATIONS = 64, 160_000
STEPS = -(-50_000 // BATCH)
GRID = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Weights α that the paper chooses from."""
METHODS = ("none", "omega_i", "omega_u", "kd", "omega_p")
TITLES = {**finetuning.TITLES, "kd": "KD"}
CHOSEN = {"omega_i": 10.0, "omega_u": 1.0, "kd": 10.0, "omega_p": 10.0}
"""The best on the images held out, at the greatest length whose search is recorded. Others have no
seeds below paper scale."""
PAPER_TRAINING = TrainConfig(
    epochs=round(ITERATIONS / STEPS),
    batch_size=BATCH,
    weight_decay=1e-4,
    schedule=MultiStep((80_000 / STEPS, 120_000 / STEPS), 0.1),
)
DATA = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}
SHORTER = ("m", "l_m", "s", "l_s")
"""What is measured below paper scale, on CIFAR-10."""
Size = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Compressed(Protocol):
    """A ``student``, "m" or "s", of a ``teacher``, "l" or "w", or a teacher itself.

    ``large``, ``medium`` and ``slim`` are sizes of ``network``, ``wide`` one of ``wide_network``. A student
    has the ``penalty`` on the neurons of ``layers``, or the weight ``distillation`` on the teacher's answers
    at ``temperature``, or neither. ``stand_in`` names a data set to use for all. With ``validated``,
    ``held_images`` training images are left out and asked too. Neurons are compared on ``compared_images``
    test images.
    """

    dataset: str = "cifar10"
    stand_in: str = ""
    network: str = "bottleneck_resnet"
    wide_network: str = "wide_preact_resnet"
    large: Size = (("depth", 1001),)
    wide: Size = (("depth", 28), ("widen", 10.0))
    medium: Size = (("depth", 56),)
    slim: Size = (("depth", 56), ("width", 8))
    teacher: str = "l"
    student: str = "m"
    is_teacher: bool = False
    teacher_seed: int = 0
    penalty: Penalty = field(default_factory=Penalty)
    distillation: float = 0.0
    temperature: float = 4.0
    layers: tuple[str, ...] = ("penultimate",)
    per_class: int | None = None
    validated: bool = False
    held_images: int = 5000
    training: TrainConfig = PAPER_TRAINING
    teacher_training: TrainConfig | None = None
    compared_images: int = 1000

    @property
    def images(self) -> Images:
        """What the student is trained on; the teacher sees the images held out as well."""
        held_out = self.held_images if self.validated and not self.is_teacher else 0
        return Images(self.stand_in or self.dataset, None, held_out, self.per_class)

    @property
    def teaching(self) -> Compressed:
        """The settings of the teacher."""
        return replace(self, is_teacher=True, penalty=Penalty(), distillation=0.0)

    @property
    def description(self) -> Network:
        """The trained network, teacher or student."""
        sizes = {"l": self.large, "w": self.wide, "m": self.medium, "s": self.slim}
        own = self.teacher if self.is_teacher else self.student
        architecture = Architecture(self.wide_network if own == "w" else self.network, sizes[own])
        schedule = (self.teacher_training or self.training) if self.is_teacher else self.training
        return Network(self.images, architecture, schedule, self._recipe)

    @property
    def _recipe(self) -> Recipe:
        if self.distillation:
            losses = Distillation(hinton=self.distillation, temperature=self.temperature)
            return Distilled(guide=self._guide("output"), losses=losses)
        if self.penalty.alpha:
            return Regularised(guide=self._guide(*self.layers), penalty=self.penalty, layers=self.layers)
        return Recipe()

    def _guide(self, *depths: str) -> Guide:
        return Guide(self.teaching.description, self.teacher_seed, depths, "auto")


def weighted(method: str, alpha: float) -> dict[str, Any]:
    """What a method with its weight changes in the protocol."""
    if method == "none":
        return {}
    return {"distillation": alpha} if method == "kd" else {"penalty": Penalty(method, alpha)}


def table_arm(method: str, dataset: str, place: str) -> Arm:
    """An arm of the table: ``place`` is teacher and student, or the student where there is no teacher."""
    *teacher, student = place.split("_")
    changes = {"dataset": dataset, "student": student} | ({"teacher": teacher[0]} if teacher else {})
    here = dataset == "cifar10" and place in SHORTER and method in ("none", *CHOSEN)
    title = f"{TITLES[method]}, {DATA[dataset]}, {' to '.join(place.upper().split('_'))}"
    seeds = {} if here else {"short": 0, "reduced": 0}
    weight = CHOSEN.get(method, 0.0)
    return Arm(f"{method}-{dataset}-{place}", title, changes | weighted(method, weight), seeds=seeds)


def search_arm(method: str, alpha: float) -> Arm:
    """An arm of the search: a weight, judged on images held out."""
    changes = {**weighted(method, alpha), "validated": True}
    title = f"{TITLES[method]} with α = {alpha:g}"
    return Arm(f"search-{method}-{alpha:g}", title, changes, table=False, seeds={"paper": 0})


def teacher_arm(dataset: str, letter: str) -> Arm:
    """A teacher as an arm of its own."""
    changes = {"dataset": dataset, "teacher": letter, "is_teacher": True}
    below = 1 if (dataset, letter) == ("cifar10", "l") else 0
    seeds = {"short": below, "reduced": below}
    return Arm(
        f"teacher-{dataset}-{letter}", f"Teacher {letter.upper()}, {DATA[dataset]}", changes, False, seeds
    )


def places(method: str) -> tuple[str, ...]:
    """The pairs, or students, that a method is on."""
    if method == "none":
        return ("m", "s")
    return ("l_m",) if method == "omega_i" else ("l_m", "l_s", "w_m", "w_s")
