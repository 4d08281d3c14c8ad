"""Paper 1, section 4.3: robustness by smooth label variation (Table 3), against Parseval training.

The paper prints neither schedule, weight nor attack: those here are of its authors' code. The reference of
every relative corruption error, and the first source of transferred attacks, is the plain network of the same
seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.evaluation import predict
from lggkit.evaluation.benchmark import CorruptionBenchmark
from lggkit.evaluation.deformation_suite import DeformationSuite
from lggkit.evaluation.robustness import SNR, RobustnessSuite
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.lockstep import Observer
from lggkit.experiments.networks import Architecture, Images, Network, Recipe
from lggkit.experiments.recipes.defense import Defended, Defense
from lggkit.objectives import spectral_norms
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training import OneCycle, Restart, TrainConfig, TrainResult

PAPER_TRAINING = TrainConfig(epochs=100, batch_size=100, augment=False, flip=False, schedule=Restart())
WEIGHT, BETA = 1e-4, 0.01
TABLE_ARMS = ("vanilla", "regularizer", "parseval", "both")


@dataclass(frozen=True)
class Settings(Protocol):
    """Section 4.3's settings.

    ``stand_in`` is the data set that is used in place of ``dataset`` (digits, at smoke scale).
    ``norms_every`` is the number of epochs from one look at the spectral norms to the next. Attacks are
    transferred from the networks of ``transfer_sources``, arms of the same seed.
    """

    dataset: str = "cifar10"
    stand_in: str | None = None
    network: str = "preact_resnet18"
    width: int = 64
    training: TrainConfig = field(default_factory=lambda: PAPER_TRAINING)
    augmented: bool = False
    defense: Defense = field(default_factory=Defense)
    norms_every: int = 10
    suite: RobustnessSuite = field(default_factory=RobustnessSuite)
    deformation: DeformationSuite = field(default_factory=DeformationSuite)
    benchmark: CorruptionBenchmark = field(default_factory=CorruptionBenchmark)
    transfer_sources: tuple[str, ...] = ("vanilla",)

    @property
    def data_name(self) -> str:
        """The data set that is read."""
        return self.stand_in or self.dataset

    @property
    def own_training(self) -> TrainConfig:
        """How the network is trained: as all are, but for augmentation."""
        return replace(self.training, augment=self.augmented, flip=self.augmented)

    @property
    def description(self) -> Network:
        """The trained network."""
        residual = (("parseval", True),) if self.defense.parseval else ()
        architecture = Architecture(self.network, (("width", self.width), *residual))
        recipe = Recipe() if self.defense == Defense() else Defended(defense=self.defense)
        return Network(Images(self.data_name), architecture, self.own_training, recipe)

    @property
    def norms(self) -> Observer:
        """Looks at the spectral norms, the last time after the last epoch."""
        last = self.own_training.epochs
        epochs = sorted({*range(self.norms_every, last, self.norms_every), last})
        return Observer("spectral norms", _norms, tuple(epochs))


def _norms(network: Network, model: nn.Module) -> dict[str, float]:
    values = [float(value) for value in spectral_norms(model).values()]
    return {"spectral_norm_largest": max(values), "spectral_norm_mean": sum(values) / len(values)}


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean, attacked, perturbed and corrupted, and the latent geometry."""
    settings = specs[0].protocol
    sources = [EXPERIMENT.spec(arm, s.scale, s.seed) for s in specs for arm in s.protocol.transfer_sources]
    results = trained(list(dict.fromkeys([*specs, *sources])), context, settings.norms)
    sound = {spec: result.model for spec, result in results.items() if result.diverged is None}
    test, begun = context.data(settings.data_name, train=False), time.monotonic()
    answers = {spec: partial(predict, sound[spec]) for spec in specs if spec in sound}
    corrupted = settings.benchmark.metrics(answers, test)
    shared = (time.monotonic() - begun) / len(specs)
    direction = cache(lambda spec: spec.protocol.suite.directions(sound[spec], test))
    for spec in specs:
        begun, metrics = time.monotonic(), corrupted.get(spec, {})
        if spec in sound:
            metrics |= _of_network(spec, results[spec], test, direction(spec), context)
            metrics |= _transferred(spec, sound, test, direction)
        seconds = shared + time.monotonic() - begun
        yield context.record(spec, metrics, seconds=seconds, **how_trained(results[spec]))


def _of_network(
    spec: Spec, result: TrainResult, test: DataSet, direction: Tensor, context: Context
) -> dict[str, Any]:
    settings, model = spec.protocol, result.model
    untrained = settings.description.untrained(spec.seed, context)
    return {
        **settings.suite.metrics(model, test, direction),
        **settings.deformation.metrics(model, untrained, test, settings.suite.images(test)),
        "final_train_loss": result.curves["train_loss"][-1],
    }


def _transferred(
    spec: Spec, sound: Mapping[Spec, nn.Module], test: DataSet, direction: Callable[[Spec], Tensor]
) -> dict[str, float]:
    """Errors on images that FGSM crafted on other arms' networks."""
    sources = (EXPERIMENT.spec(arm, spec.scale, spec.seed) for arm in spec.protocol.transfer_sources)
    suite, model = spec.protocol.suite, sound[spec]
    return {
        f"transfer_from_{source.arm}": suite.transferred(model, test, direction(source))
        for source in sources
        if source in sound
    }


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
    suite=RobustnessSuite(
        attacked_images=50,
        strong_images=10,
        pgd_steps=2,
        strong_steps=2,
        restarts=1,
        deepfool_steps=2,
        levels=(20.0, 33.0),
        attack_version=2,
    ),
    deformation=DeformationSuite(batches=2, graph_size=40),
    benchmark=CorruptionBenchmark(60, ("gaussian_noise", "contrast"), (3, 5), corruption_version=2),
)
SHORT = Settings(
    width=8,
    training=replace(PAPER_TRAINING, epochs=3, schedule=OneCycle()),
    norms_every=1,
    suite=RobustnessSuite(attacked_images=1000, strong_images=100),
    benchmark=CorruptionBenchmark(corruption_images=1000),
)
REDUCED = replace(
    SHORT,
    training=replace(SHORT.training, epochs=9, precision="auto"),
    suite=replace(SHORT.suite, attack_version=2),
    benchmark=replace(SHORT.benchmark, corruption_version=2),
)
PAPER = Settings(suite=RobustnessSuite(attack_version=2), benchmark=CorruptionBenchmark(corruption_version=2))

EXPERIMENT = Experiment(
    name="lgg/s43_robustness",
    title="Robustness by smooth label variation (Table 3)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=(*TABLE, *AUGMENTED, *ABLATIONS),
    seeds={"smoke": 2, "short": 3, "reduced": 3, "paper": 5},
    measure=measure,
    reference="vanilla",
    derived=("corruption", "accuracy"),
    together=(TABLE_ARMS, ("augmented", "regularizer_augmented"), tuple(arm.name for arm in ABLATIONS)),
    minutes={"smoke": 0.02, "short": 14, "reduced": 25, "paper": 3},
    priority=11,
)
