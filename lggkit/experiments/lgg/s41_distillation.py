"""Paper 1, section 4.1: knowledge distillation with latent geometry graphs (Table 1), against its peers.

The paper prints neither schedule nor loss weights: those here are of its authors' code. Weights of methods
that the paper does not have are their own authors' (RKD-A 50, SP 3000). All students of a block share one
teacher, as the authors' do, so that every interval is conditional on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from torch import Tensor, nn

from lggkit.evaluation import error_rate, predict
from lggkit.evaluation.cost import relative_cost
from lggkit.experiments.base import Arm, Context, Experiment, how_trained
from lggkit.experiments.distilling import Distillation
from lggkit.experiments.students import against_others, distances_to_teacher, variation_by_depth
from lggkit.networks import build, with_normalization
from lggkit.record import Protocol, Record, Spec
from lggkit.training import MultiStep, Objective, OneCycle, Teacher, TrainConfig, TrainResult, train_many

SIZES = {"wide_resnet28": "widen", "small_net": "width"}
Answers = Callable[[Spec], Tensor]


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
    training: TrainConfig = field(
        default_factory=lambda: TrainConfig(epochs=200, schedule=MultiStep((60, 120, 160), 0.2))
    )
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


def build_network(spec: Spec, context: Context) -> nn.Module:
    """The untrained network of a spec, its input normalisation inside."""
    settings, data = spec.protocol, context.data(spec.protocol.dataset)
    size = settings.teacher_size if settings.is_teacher else settings.size
    shape = {"classes": len(data.classes), "channels": data.images.shape[1]}
    size = int(size) if settings.network == "small_net" else size
    inner = build(settings.network, seed=spec.seed, **shape, **{SIZES[settings.network]: size})
    return with_normalization(inner, data.mean, data.std).to(context.device)


def train_networks(specs: Sequence[Spec], context: Context) -> list[TrainResult]:
    """The trained networks of specs of one scale, students of several arms and seeds in one lockstep."""
    results: dict[Spec, TrainResult] = {}
    for config in dict.fromkeys(spec.protocol.own_training for spec in specs):
        same = [spec for spec in specs if spec.protocol.own_training == config]
        results |= dict(zip(same, _train_together(same, config, context), strict=True))
    return [results[spec] for spec in specs]


def _train_together(specs: Sequence[Spec], config: TrainConfig, context: Context) -> list[TrainResult]:
    protocol = specs[0].protocol
    teachers = {
        seed: _teacher(replace(specs[0], protocol=replace(protocol, teacher_seed=seed)), context)
        for seed in {spec.protocol.teacher_seed for spec in specs if spec.protocol.distillation.weights}
    }
    return train_many(
        [build_network(spec, context) for spec in specs],
        context.data(protocol.dataset),
        config,
        seeds=[spec.seed for spec in specs],
        objectives=[_objective(spec.protocol, teachers) for spec in specs],
        taps=() if protocol.is_teacher else protocol.layers,
        device=context.device,
        checkpoints=[context.checkpoints / f"{spec.key}.pt" for spec in specs],
        progress=context.progress,
        tags=[spec.key for spec in specs],
    )


def _teacher(spec: Spec, context: Context) -> Teacher:
    settings = spec.protocol
    names = [*settings.layers, "output"]
    return Teacher(context.trained(teacher_of(spec)), names, settings.precision)


def teacher_of(spec: Spec) -> Spec:
    """The run that trains the teacher of a student's run."""
    return EXPERIMENT.spec("teacher", spec.scale, spec.protocol.teacher_seed)


def _objective(settings: Settings, teachers: dict[int, Teacher]) -> Objective | None:
    losses = settings.distillation
    return losses.objective(teachers[settings.teacher_seed], settings.layers) if losses.weights else None


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: error and cost; for students gain, agreement with the teacher, geometry."""
    results = dict(zip(specs, context.trainings(specs), strict=True))
    answers = cache(lambda spec: _answers(spec, context))
    for spec, result in results.items():
        metrics: dict[str, Any] = {}
        if result.diverged is None:
            metrics |= _of_network(spec, result.model, answers, context)
        if result.diverged is None and not spec.protocol.is_teacher:
            metrics |= _of_student(spec, result.model, answers, context)
        yield context.record(spec, metrics, seconds=result.seconds, **how_trained(result))


def _answers(spec: Spec, context: Context) -> Tensor:
    return predict(context.trained(spec), context.data(spec.protocol.dataset, train=False).images)


def _of_network(spec: Spec, model: nn.Module, answers: Answers, context: Context) -> dict[str, Any]:
    settings, test = spec.protocol, context.data(spec.protocol.dataset, train=False)
    teacher = build_network(teacher_of(spec), context)
    return {
        **relative_cost(model, teacher, test.images.shape[1:]),
        "test_error": error_rate(answers(spec), test.labels),
        "sigma_all_depths": variation_by_depth(model, test, settings.draws, settings.per_class),
    }


def _of_student(spec: Spec, model: nn.Module, answers: Answers, context: Context) -> dict[str, Any]:
    settings, test = spec.protocol, context.data(spec.protocol.dataset, train=False)
    baseline, teacher = EXPERIMENT.spec("baseline", spec.scale, spec.seed), teacher_of(spec)
    size = settings.training.batch_size
    some = test.images[: settings.batches * size]
    return {
        **against_others(*map(answers, (spec, baseline, teacher)), test.labels),
        **distances_to_teacher(model, context.trained(teacher), some, settings.layers, size),
    }


def _ablation(
    name: str, title: str, losses: Distillation, seeds: dict[str, int] | None = None, **changes: Any
) -> Arm:
    return Arm(name, title, {"distillation": losses, **changes}, table=False, seeds=seeds or {})


GKD, RKD_D = Distillation(gkd=25.0), Distillation(rkd_distance=25.0)
CLAIMED = {"paper": 10}
TABLE = (
    Arm("teacher", "Teacher", {"is_teacher": True}, seeds={"smoke": 1, "reduced": 1, "paper": 5}),
    Arm("baseline", "Baseline"),
    Arm("rkd_d", "RKD-D", {"distillation": RKD_D}),
    Arm("gkd", "GKD", {"distillation": GKD}),
)
ABLATIONS = (
    _ablation("gkd_inter", "GKD, edges between classes", Distillation(gkd=25.0, edges="inter"), CLAIMED),
    _ablation("gkd_intra", "GKD, edges within classes", Distillation(gkd=25.0, edges="intra")),
    _ablation("gkd_unnormalized", "GKD, not normalised", Distillation(gkd=25.0, normalized=False), CLAIMED),
    _ablation(
        "gkd_unnormalized_mean",
        "GKD, not normalised, mean",
        Distillation(gkd=25.0, normalized=False, reduction="mean"),
    ),
    _ablation("gkd_k5", "GKD, k = 5", Distillation(gkd=25.0, k=5)),
    _ablation("gkd_k10", "GKD, k = 10", Distillation(gkd=25.0, k=10)),
    _ablation("gkd_k5_teacher", "GKD, teacher's k = 5", Distillation(gkd=25.0, k=5, order="normalize-first")),
    _ablation(
        "gkd_k10_teacher", "GKD, teacher's k = 10", Distillation(gkd=25.0, k=10, order="normalize-first")
    ),
    _ablation("gkd_p2", "GKD, p = 2", Distillation(gkd=25.0, exponent=2)),
    _ablation("gkd_p3", "GKD, p = 3", Distillation(gkd=25.0, exponent=3)),
    _ablation("gkd_rbf", "GKD, RBF", Distillation(gkd=25.0, similarity="rbf")),
    _ablation("rkd_a", "RKD-A", Distillation(rkd_angle=50.0)),
    _ablation("kd", "Hinton KD", Distillation(hinton=16.0)),
    _ablation("sp", "SP", Distillation(similarity_preserving=3000.0)),
    _ablation("gkd_kd", "GKD + KD", Distillation(gkd=25.0, hinton=16.0)),
    _ablation("gkd_teacher1", "GKD, second teacher", GKD, teacher_seed=1),
    _ablation("rkd_d_teacher1", "RKD-D, second teacher", RKD_D, teacher_seed=1),
)
PRECISION = _ablation(
    "baseline_bfloat16",
    "Baseline, bfloat16",
    Distillation(),
    {"smoke": 2, "reduced": 5, "paper": 5},
    precision="bfloat16",
)
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
REDUCED = Settings(
    training=TrainConfig(epochs=3, schedule=OneCycle()),
    teacher_training=TrainConfig(epochs=6, schedule=OneCycle()),
)

EXPERIMENT = Experiment(
    name="lgg/s41_distillation",
    title="Knowledge distillation with latent geometry graphs (Table 1)",
    protocols={"smoke": SMOKE, "reduced": REDUCED, "paper": Settings()},
    arms=(*TABLE, *ABLATIONS, PRECISION),
    seeds={"smoke": 2, "reduced": 5, "paper": 10},
    measure=measure,
    build=build_network,
    train=train_networks,
    together=(("rkd_d", "gkd"), tuple(arm.name for arm in ABLATIONS)),
    minutes={"smoke": 0.02, "reduced": 12, "paper": 1},
    priority=10,
)
