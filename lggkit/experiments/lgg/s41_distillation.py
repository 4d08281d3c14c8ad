"""Paper 1, section 4.1: knowledge distillation with latent geometry graphs (Table 1), against its peers.

The paper prints neither schedule nor loss weights: those here are of its authors' code. Weights of methods
that the paper does not have are their own authors' (RKD-A 50, SP 3000). All students of a block share one
teacher, as the authors' do, so that every interval is conditional on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from torch import Tensor

from lggkit.data import DataSet
from lggkit.evaluation import consistency, error_rate, predict
from lggkit.evaluation.cost import relative_cost
from lggkit.evaluation.geometry import mean_variations
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.networks import Architecture, Guide, Images, Network, Recipe, TrainedNetwork
from lggkit.experiments.recipes.distillation import Distillation, Distilled, distances_to_teacher, taught
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training import MultiStep, OneCycle, TrainConfig

PAPER_TRAINING = TrainConfig(epochs=200, schedule=MultiStep((60, 120, 160), 0.2))
SIZES = {"wide_resnet28": "widen", "small_net": "width"}
Trained, Answers = Callable[[Network, int], TrainedNetwork], Callable[[Network, int], Tensor]


@dataclass(frozen=True)
class Settings(Protocol):
    """Section 4.1's settings.

    ``size`` and ``teacher_size`` are the networks' widening factor (the width of ``small_net``), ``layers``
    the depths that are matched. Label variation is measured over ``draws`` batches of ``per_class`` test
    images of each class, the distance to the teacher's graphs over ``batches`` test batches.
    """

    dataset: str = "cifar10"
    network: str = "wide_resnet28"
    size: float = 0.5
    teacher_size: float = 1.0
    teacher_seed: int = 0
    is_teacher: bool = False
    layers: tuple[str, ...] = ("stage1", "stage2", "penultimate")
    training: TrainConfig = PAPER_TRAINING
    teacher_training: TrainConfig | None = None
    distillation: Distillation = field(default_factory=Distillation)
    draws: int = 50
    per_class: int = 10
    batches: int = 20
    precision: str = "float32"

    @property
    def own_training(self) -> TrainConfig:
        """How the network of these settings, teacher or student, is trained."""
        chosen = (self.teacher_training or self.training) if self.is_teacher else self.training
        return replace(chosen, precision=self.precision)

    @property
    def teacher(self) -> Settings:
        """The settings of the teacher, which an arm of another precision shares with the others."""
        precision = Settings.precision if self.precision == "bfloat16" else self.precision
        return replace(self, is_teacher=True, distillation=Distillation(), precision=precision)

    @property
    def description(self) -> Network:
        """The trained network, teacher or student."""
        size = self.teacher_size if self.is_teacher else self.size
        size = int(size) if self.network == "small_net" else size
        architecture = Architecture(self.network, ((SIZES[self.network], size),))
        return Network(Images(self.dataset), architecture, self.own_training, self._recipe)

    @property
    def _recipe(self) -> Recipe:
        if not self.distillation.weights:
            return Recipe()
        guide = Guide(self.teacher.description, self.teacher_seed, (*self.layers, "output"), self.precision)
        return Distilled(guide=guide, losses=self.distillation, layers=self.layers)


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: error and cost; for students agreement with the teacher, and geometry."""
    context.networks(taught(specs))
    results, images = trained(specs, context), context.data(specs[0].protocol.dataset, train=False).images
    by_key = {(spec.protocol.description, spec.seed): result for spec, result in results.items()}
    networks = cache(lambda *key: by_key[key] if key in by_key else context.networks([key])[0])
    answers = cache(lambda *key: predict(networks(*key).model, images))
    for spec, result in results.items():
        begun, sound = time.monotonic(), result.diverged is None
        metrics = _of_network(spec, networks, answers, context) if sound else {}
        yield context.record(spec, metrics, seconds=time.monotonic() - begun, **how_trained(result))


def _of_network(spec: Spec, networks: Trained, answers: Answers, context: Context) -> dict[str, Any]:
    settings, test = spec.protocol, context.data(spec.protocol.dataset, train=False)
    own, teacher = settings.description, settings.teacher.description
    model = networks(own, spec.seed).model
    metrics = {
        **relative_cost(model, teacher.untrained(0, context), test.images.shape[1:]),
        "test_error": error_rate(answers(own, spec.seed), test.labels),
        "sigma_all_depths": mean_variations(model, test, settings.draws, settings.per_class),
    }
    alone = settings.is_teacher or networks(teacher, settings.teacher_seed).diverged is not None
    return metrics if alone else metrics | _of_student(spec, networks, answers, test)


def _of_student(spec: Spec, networks: Trained, answers: Answers, test: DataSet) -> dict[str, Any]:
    """Agreement with the teacher and distance to it."""
    settings, size = spec.protocol, spec.protocol.training.batch_size
    own, teacher = (settings.description, spec.seed), (settings.teacher.description, settings.teacher_seed)
    agreed = consistency(answers(*own), answers(*teacher), test.labels)
    on_errors = {} if agreed.on_errors is None else {"consistency_on_teacher_errors": agreed.on_errors}
    both, some = (networks(*one).model for one in (own, teacher)), test.images[: settings.batches * size]
    return {
        "consistency": agreed.overall,
        "teacher_error": error_rate(answers(*teacher), test.labels),
        **on_errors,
        **distances_to_teacher(*both, some, settings.layers, size),
    }


def _ablation(name: str, title: str, losses: Distillation, **changes: Any) -> Arm:
    return Arm(name, title, {"distillation": losses, **changes}, table=False)


def _gkd(name: str, title: str, **options: Any) -> Arm:
    seeds = {"short": 5, "reduced": 5, "paper": 10} if name in CLAIMED else {}
    return replace(_ablation(name, title, replace(GKD, **options)), seeds=seeds)


GKD, RKD_D = Distillation(gkd=25.0), Distillation(rkd_distance=25.0)
CLAIMED = ("gkd_inter", "gkd_unnormalized")
TABLE = (
    Arm("teacher", "Teacher", {"is_teacher": True}, seeds={"smoke": 1, "short": 1, "reduced": 1, "paper": 5}),
    Arm("baseline", "Baseline"),
    Arm("rkd_d", "RKD-D", {"distillation": RKD_D}),
    Arm("gkd", "GKD", {"distillation": GKD}),
)
ABLATIONS = (
    _gkd("gkd_inter", "GKD, edges between classes", edges="inter"),
    _gkd("gkd_intra", "GKD, edges within classes", edges="intra"),
    _gkd("gkd_unnormalized", "GKD, not normalised", normalized=False),
    _gkd("gkd_unnormalized_mean", "GKD, not normalised, mean", normalized=False, reduction="mean"),
    _gkd("gkd_k5", "GKD, k = 5", k=5),
    _gkd("gkd_k10", "GKD, k = 10", k=10),
    _gkd("gkd_k5_teacher", "GKD, teacher's k = 5", k=5, order="normalize-first"),
    _gkd("gkd_k10_teacher", "GKD, teacher's k = 10", k=10, order="normalize-first"),
    _gkd("gkd_p2", "GKD, p = 2", exponent=2),
    _gkd("gkd_p3", "GKD, p = 3", exponent=3),
    _gkd("gkd_rbf", "GKD, RBF", similarity="rbf"),
    _ablation("rkd_a", "RKD-A", Distillation(rkd_angle=50.0)),
    _ablation("kd", "Hinton KD", Distillation(hinton=16.0)),
    _ablation("sp", "SP", Distillation(similarity_preserving=3000.0)),
    _gkd("gkd_kd", "GKD + KD", hinton=16.0),
    _ablation("gkd_teacher1", "GKD, second teacher", GKD, teacher_seed=1),
    _ablation("rkd_d_teacher1", "RKD-D, second teacher", RKD_D, teacher_seed=1),
)
SEEDS = {"smoke": 2, "short": 5, "reduced": 0, "paper": 5}
PRECISION = Arm("baseline_bfloat16", "Baseline, bfloat16", {"precision": "bfloat16"}, False, SEEDS)
SMOKE = Settings(
    dataset="digits",
    network="small_net",
    size=4,
    teacher_size=8,
    layers=("stage1", "middle", "penultimate"),
    training=TrainConfig(epochs=1, schedule=OneCycle(), augment=False),
    teacher_training=TrainConfig(epochs=3, schedule=OneCycle(), augment=False),
    draws=4,
    per_class=5,
    batches=1,
)
SHORT = Settings(
    training=TrainConfig(epochs=3, schedule=OneCycle()),
    teacher_training=TrainConfig(epochs=6, schedule=OneCycle()),
)
REDUCED = replace(
    SHORT,
    training=replace(SHORT.training, epochs=10),
    teacher_training=replace(SHORT.teacher_training, epochs=18),
    precision="auto",
)

EXPERIMENT = Experiment(
    name="lgg/s41_distillation",
    title="Knowledge distillation with latent geometry graphs (Table 1)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": Settings()},
    arms=(*TABLE, *ABLATIONS, PRECISION),
    seeds={"smoke": 2, "short": 5, "reduced": 5, "paper": 10},
    measure=measure,
    reference="baseline",
    derived=("gain",),
    together=(("rkd_d", "gkd"), tuple(arm.name for arm in ABLATIONS)),
    minutes={"smoke": 0.02, "short": 12, "reduced": 25, "paper": 1},
    priority=10,
)
