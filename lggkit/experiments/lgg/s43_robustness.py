"""Paper 1, section 4.3: robustness by smooth label variation (Table 3), against Parseval training.

The paper prints neither schedule, weight nor attack: those here are of its authors' code. The reference of
every relative corruption error, and the first source of transferred attacks, is the plain network of the same
seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import nn

from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.robust_runs import SNR, RobustnessSettings, robust_records
from lggkit.experiments.robust_training import Defense
from lggkit.networks import build, with_normalization
from lggkit.objectives import spectral_norms
from lggkit.record import Record, Spec
from lggkit.training import OneCycle, Restart, TrainConfig, TrainResult, train_many

PAPER_TRAINING = TrainConfig(epochs=100, batch_size=100, augment=False, flip=False, schedule=Restart())
WEIGHT, BETA = 1e-4, 0.01
TABLE_ARMS = ("vanilla", "regularizer", "parseval", "both")


@dataclass(frozen=True)
class Settings(RobustnessSettings):
    """Section 4.3's settings: what is trained; `RobustnessSettings` say how it is measured.

    ``stand_in`` is the data set that is used in place of ``dataset`` (digits, at smoke scale).
    ``norms_every`` is the number of epochs from one look at the spectral norms to the next.
    """

    dataset: str = "cifar10"
    stand_in: str | None = None
    network: str = "preact_resnet18"
    width: int = 64
    training: TrainConfig = field(default_factory=lambda: PAPER_TRAINING)
    augmented: bool = False
    defense: Defense = field(default_factory=Defense)
    norms_every: int = 10

    @property
    def data_name(self) -> str:
        """The data set that is read."""
        return self.stand_in or self.dataset

    @property
    def own_training(self) -> TrainConfig:
        """How the network is trained: as all are, but for augmentation."""
        return replace(self.training, augment=self.augmented, flip=self.augmented)


def build_network(spec: Spec, context: Context) -> nn.Module:
    """The untrained network of a spec, its input normalisation inside."""
    settings, data = spec.protocol, context.data(spec.protocol.data_name)
    shape = {"classes": len(data.classes), "channels": data.images.shape[1], "width": settings.width}
    residual = {"parseval": True} if settings.defense.parseval else {}
    inner = build(settings.network, seed=spec.seed, **shape, **residual)
    return with_normalization(inner, data.mean, data.std).to(context.device)


def train_networks(specs: Sequence[Spec], context: Context) -> list[TrainResult]:
    """The trained networks of specs; those that are trained alike go in lockstep."""

    def alike(spec: Spec) -> tuple[Any, ...]:
        return (
            spec.protocol.own_training,
            spec.protocol.defense.parseval,
            bool(spec.protocol.defense.regularizer),
        )

    results: dict[Spec, TrainResult] = {}
    for key in dict.fromkeys(map(alike, specs)):
        same = [spec for spec in specs if alike(spec) == key]
        results |= dict(zip(same, _train_together(same, context), strict=True))
    return [results[spec] for spec in specs]


def _train_together(specs: Sequence[Spec], context: Context) -> list[TrainResult]:
    settings, models = specs[0].protocol, [build_network(spec, context) for spec in specs]
    data = context.data(settings.data_name)
    defenses = [(spec.protocol.defense, model) for spec, model in zip(specs, models, strict=True)]
    return train_many(
        models,
        data,
        settings.own_training,
        seeds=[spec.seed for spec in specs],
        objectives=[defense.objective(model, len(data.classes)) for defense, model in defenses],
        taps=settings.defense.taps(models[0]),
        device=context.device,
        checkpoints=[context.checkpoints / f"{spec.key}.pt" for spec in specs],
        evaluate=_norms,
        evaluate_every=settings.norms_every,
        after_step=settings.defense.after_step(),
        progress=context.progress,
        tags=[spec.key for spec in specs],
    )


def _norms(model: nn.Module) -> dict[str, float]:
    values = [float(value) for value in spectral_norms(model).values()]
    return {"spectral_norm_largest": max(values), "spectral_norm_mean": sum(values) / len(values)}


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean, attacked, perturbed and corrupted, and the latent geometry."""
    return robust_records(specs, other_arm, context, partial(build_network, context=context))


def other_arm(spec: Spec, arm: str) -> Spec:
    """The run of another arm with a spec's scale and seed."""
    return EXPERIMENT.spec(arm, spec.scale, spec.seed)


def _ablation(name: str, title: str, **defense: Any) -> Arm:
    return Arm(name, title, {"defense": Defense(**defense)}, table=False)


REGULARIZED = Defense(regularizer=WEIGHT)
TRANSFER = {"transfer_sources": TABLE_ARMS}
TABLE = (
    Arm("vanilla", "Baseline", TRANSFER),
    Arm("regularizer", "Label variation regulariser", {"defense": REGULARIZED, **TRANSFER}),
    Arm("parseval", "Parseval", {"defense": Defense(parseval=BETA), **TRANSFER}),
    Arm(
        "both",
        "Parseval and regulariser",
        {"defense": replace(REGULARIZED, parseval=BETA), **TRANSFER},
    ),
)
AUGMENTED = (
    Arm("augmented", "Baseline, augmented", {"augmented": True}, seeds={"smoke": 1}),
    Arm(
        "regularizer_augmented",
        "Regulariser, augmented",
        {"augmented": True, "defense": REGULARIZED},
        seeds={"smoke": 1},
    ),
)
ABLATIONS = (
    _ablation("adversarial", "Adversarial training", adversarial_snr=SNR),
    _ablation("regularizer_adversarial", "Regulariser, adversarial", regularizer=WEIGHT, adversarial_snr=SNR),
    _ablation("regularizer_m1", "Regulariser, m = 1", regularizer=100 * WEIGHT, power=1),
    _ablation("regularizer_m3", "Regulariser, m = 3", regularizer=WEIGHT / 100, power=3),
    _ablation("regularizer_sum", "Regulariser, sum over depths", regularizer=WEIGHT, reduction="sum"),
    _ablation("regularizer_k10", "Regulariser, k = 10", regularizer=100 * WEIGHT, k=10),
    _ablation(
        "regularizer_normalized",
        "Regulariser, normalised Laplacian",
        regularizer=10_000 * WEIGHT,
        normalized_laplacian=True,
    ),
)
SMOKE = Settings(
    stand_in="digits",
    width=4,
    training=replace(PAPER_TRAINING, epochs=1, batch_size=50, schedule=OneCycle()),
    norms_every=1,
    attacked_images=50,
    strong_images=10,
    pgd_steps=2,
    strong_steps=2,
    restarts=1,
    deepfool_steps=2,
    levels=(20.0, 33.0),
    batches=2,
    graph_size=40,
    corruption_images=60,
    corruptions=("gaussian_noise", "contrast"),
    severities=(3, 5),
    corruption_version=2,
    attack_version=2,
)
REDUCED = Settings(
    width=8,
    training=replace(PAPER_TRAINING, epochs=3, schedule=OneCycle()),
    norms_every=1,
    attacked_images=1000,
    strong_images=100,
    corruption_images=1000,
)

EXPERIMENT = Experiment(
    name="lgg/s43_robustness",
    title="Robustness by smooth label variation (Table 3)",
    protocols={
        "smoke": SMOKE,
        "reduced": REDUCED,
        "paper": Settings(corruption_version=2, attack_version=2),
    },
    arms=(*TABLE, *AUGMENTED, *ABLATIONS),
    seeds={"smoke": 2, "reduced": 3, "paper": 5},
    measure=measure,
    build=build_network,
    train=train_networks,
    together=(TABLE_ARMS, ("augmented", "regularizer_augmented"), tuple(arm.name for arm in ABLATIONS)),
    minutes={"smoke": 0.02, "reduced": 14, "paper": 3},
    priority=11,
)
