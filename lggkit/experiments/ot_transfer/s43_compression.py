"""Paper 3, section 4.3: compression under the transport penalty and its peers (Table 2).

Two teachers, a large one of 1,001 layers (L) and a wide one (W), and two students, of 56 layers (M) and of
half its channels (S). Below paper scale all four are shallow and without bottlenecks: 16, 10 and 10 layers at
16 to 64 channels, half of them, and W of 10 layers at twice as many. All students of a teacher share it, so
that every interval is conditional on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lggkit.data import DataSet
from lggkit.evaluation import model_error, predict
from lggkit.evaluation.consistency import agreement
from lggkit.evaluation.neuron_plans import layer_points, plan_between
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.networks import Architecture, Guide, Images, Network, Recipe, TrainedNetwork
from lggkit.experiments.recipes.distillation import Distillation, Distilled
from lggkit.experiments.recipes.transfer import Penalty, Regularised
from lggkit.networks import parameter_count
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training import MultiStep, OneCycle, TrainConfig
from lggkit.transport import cost_matrix

BATCH, ITERATIONS = 64, 160_000
STEPS = -(-50_000 // BATCH)
GRID = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Weights α that the paper chooses from."""
METHODS = ("none", "omega_i", "omega_u", "kd", "omega_p")
TITLES = {"none": "none", "omega_i": "Ω_I", "omega_u": "Ω_U", "kd": "KD", "omega_p": "Ω_P"}
CHOSEN = {"omega_i": 1e-1, "omega_u": 1e-1, "kd": 1.0, "omega_p": 1e-1}
"""Those with the fewest errors on the images held out, at the greatest length that is searched."""
PAPER_TRAINING = TrainConfig(
    epochs=round(ITERATIONS / STEPS),
    batch_size=BATCH,
    weight_decay=1e-4,
    schedule=MultiStep((80_000 / STEPS, 120_000 / STEPS), 0.1),
)
Size = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Settings(Protocol):
    """Section 4.3's settings: a ``student``, "m" or "s", of a ``teacher``, "l" or "w", or a teacher itself.

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
        held = self.held_images if self.validated and not self.is_teacher else 0
        return Images(self.stand_in or self.dataset, None, held, self.per_class)

    @property
    def teaching(self) -> Settings:
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


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: accuracy, and for students how near they are to their teacher."""
    for spec, result in trained(specs, context).items():
        begun = time.monotonic()
        metrics = {} if result.diverged is not None else _metrics(spec, result, context)
        yield context.record(spec, metrics, seconds=time.monotonic() - begun, **how_trained(result))


def _metrics(spec: Spec, result: TrainedNetwork, context: Context) -> dict[str, Any]:
    settings, model = spec.protocol, result.model
    test = context.data(settings.images.data, train=False)
    found = {"accuracy": 100 - model_error(model, test), "parameters": parameter_count(model)}
    if settings.validated:
        held = settings.images.split(context)[1]
        return found | {"validation_accuracy": 100 - model_error(model, held)}
    return found if settings.is_teacher else found | _beside_teacher(settings, result, test, context)


def _beside_teacher(
    settings: Settings, result: TrainedNetwork, test: DataSet, context: Context
) -> dict[str, float]:
    """Equal answers in percent, and what the plan to the teacher's neurons costs over the mean distance."""
    (teacher,) = context.networks([(settings.teaching.description, settings.teacher_seed)])
    if teacher.diverged is not None:
        return {}
    models = (result.model, teacher.model)
    answers = [predict(model, test.images) for model in models]
    seen = test.first(settings.compared_images).images
    points = [layer_points(model, seen, settings.layers) for model in models]
    sides = [[side[layer] for side in points] for layer in settings.layers]
    shares = [
        float((plan_between(*pair) * (cost := cost_matrix(*pair))).sum() / cost.mean()) for pair in sides
    ]
    return {"agreement": agreement(*answers), "relative_cost": sum(shares) / len(shares)}


def _weighted(method: str, alpha: float) -> dict[str, Any]:
    if method == "none":
        return {}
    return {"distillation": alpha} if method == "kd" else {"penalty": Penalty(method, alpha)}


def _arm(method: str, dataset: str, place: str) -> Arm:
    """An arm of the table: ``place`` is teacher and student, or the student where there is no teacher."""
    *teacher, student = place.split("_")
    changes = {"dataset": dataset, "student": student} | ({"teacher": teacher[0]} if teacher else {})
    here = dataset == "cifar10" and place in SHORTER
    title = f"{TITLES[method]}, {DATA[dataset]}, {' to '.join(place.upper().split('_'))}"
    seeds = {} if here else {"short": 0, "reduced": 0}
    return Arm(
        f"{method}-{dataset}-{place}", title, changes | _weighted(method, CHOSEN.get(method, 0)), seeds=seeds
    )


def _search(method: str, alpha: float) -> Arm:
    changes = {**_weighted(method, alpha), "validated": True}
    title = f"{TITLES[method]} with α = {alpha:g}"
    return Arm(f"search-{method}-{alpha:g}", title, changes, table=False, seeds={"paper": 0})


def _teacher(dataset: str, letter: str) -> Arm:
    changes = {"dataset": dataset, "teacher": letter, "is_teacher": True}
    below = 1 if (dataset, letter) == ("cifar10", "l") else 0
    seeds = {"short": below, "reduced": below}
    return Arm(
        f"teacher-{dataset}-{letter}", f"Teacher {letter.upper()}, {DATA[dataset]}", changes, False, seeds
    )


def _places(method: str) -> tuple[str, ...]:
    if method == "none":
        return ("m", "s")
    return ("l_m",) if method == "omega_i" else ("l_m", "l_s", "w_m", "w_s")


DATA = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}
SHORTER = ("m", "l_m", "s", "l_s")
"""What is measured below paper scale, on CIFAR-10."""
TABLE = tuple(
    _arm(method, dataset, place) for dataset in DATA for method in METHODS for place in _places(method)
)
SEARCH = tuple(_search(method, alpha) for method in METHODS[1:] for alpha in GRID)
TEACHERS = tuple(_teacher(dataset, letter) for dataset in DATA for letter in "lw")
SHORT = Settings(
    network="wide_preact_resnet",
    large=(("depth", 16), ("widen", 1.0)),
    wide=(("depth", 10), ("widen", 2.0)),
    medium=(("depth", 10), ("widen", 1.0)),
    slim=(("depth", 10), ("widen", 0.5)),
    training=TrainConfig(2, BATCH, weight_decay=1e-4, schedule=OneCycle(), precision="auto"),
    teacher_training=TrainConfig(5, BATCH, weight_decay=1e-4, schedule=OneCycle(), precision="auto"),
)
REDUCED = replace(
    SHORT,
    training=replace(SHORT.training, epochs=6),
    teacher_training=replace(SHORT.teacher_training, epochs=15),
)
SMOKE = Settings(
    stand_in="digits",
    large=(("depth", 20), ("width", 4)),
    wide=(("depth", 10), ("widen", 0.5)),
    medium=(("depth", 11), ("width", 4)),
    slim=(("depth", 11), ("width", 2)),
    training=TrainConfig(1, 50, schedule=OneCycle(), augment=False),
    per_class=20,
    held_images=200,
    compared_images=100,
)

EXPERIMENT = Experiment(
    name="ot_transfer/s43_compression",
    title="Compression of networks (Table 2)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": Settings()},
    arms=(*TABLE, *TEACHERS, *SEARCH),
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "short": 1, "reduced": 1, "paper": 1},
    measure=measure,
    derived=("penalties",),
    together=(
        *(
            tuple(f"{m}-{dataset}-{place}" for m in METHODS[1:] if place in _places(m))
            for dataset in DATA
            for place in _places("kd")
        ),
        *(tuple(f"search-{method}-{alpha:g}" for alpha in GRID) for method in METHODS[1:]),
    ),
    minutes={"smoke": 0.01, "short": 1, "reduced": 3, "paper": 600},
    priority=32,
)
