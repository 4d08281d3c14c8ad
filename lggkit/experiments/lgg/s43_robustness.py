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
from lggkit.experiments.networks import Architecture, Images, Network, Observer, Recipe
from lggkit.experiments.recipes.defense import Defended, Defense, norms_after
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training import OneCycle, Restart, TrainConfig

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
        return norms_after(tuple(sorted({*range(self.norms_every, last, self.norms_every), last})))


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean, attacked, perturbed and corrupted, and the latent geometry."""
    settings = specs[0].protocol
    everyone = dict.fromkeys([*specs, *(source for spec in specs for source in _sources(spec))])
    results = trained(list(everyone), context, settings.norms)
    sound = {spec: result.model for spec, result in results.items() if result.diverged is None}
    test, begun = context.data(settings.data_name, train=False), time.monotonic()
    answers = {spec: partial(predict, sound[spec]) for spec in specs if spec in sound}
    corrupted = settings.benchmark.metrics(answers, test)
    shared = (time.monotonic() - begun) / max(len(answers), 1)
    direction = cache(lambda spec: spec.protocol.suite.directions(sound[spec], test))
    for spec in specs:
        begun, metrics = time.monotonic(), corrupted.get(spec, {})
        if spec in sound:
            metrics |= _of_network(spec, sound, test, direction, context)
            metrics["final_train_loss"] = results[spec].curves["train_loss"][-1]
        seconds = time.monotonic() - begun + (shared if spec in sound else 0.0)
        yield context.record(spec, metrics, seconds=seconds, **how_trained(results[spec]))


def _sources(spec: Spec) -> list[Spec]:
    """The runs of the same seed that attacks are transferred from."""
    plain = replace(spec.protocol, augmented=False, defense=Defense())
    changes = {arm.name: arm.changes for arm in TABLE}
    names = spec.protocol.transfer_sources
    return [replace(spec, arm=name, protocol=replace(plain, **changes[name])) for name in names]


def _of_network(
    spec: Spec,
    sound: Mapping[Spec, nn.Module],
    test: DataSet,
    direction: Callable[[Spec], Tensor],
    context: Context,
) -> dict[str, Any]:
    settings, model = spec.protocol, sound[spec]
    suite, untrained = settings.suite, settings.description.untrained(spec.seed, context)
    metrics = suite.metrics(model, test, direction(spec))
    metrics |= settings.deformation.metrics(model, untrained, test, suite.images(test))
    for source in (source for source in _sources(spec) if source in sound):
        metrics[f"transfer_from_{source.arm}"] = suite.transferred(model, test, direction(source))
    return metrics


def _table(name: str, title: str, **defense: Any) -> Arm:
    changes = {"defense": Defense(**defense)} if defense else {}
    return Arm(name, title, {**changes, "transfer_sources": TABLE_ARMS})


def _augmented(name: str, title: str, **changes: Any) -> Arm:
    return Arm(name, f"{title}, augmented", {"augmented": True, **changes}, seeds={"smoke": 1})


def _ablation(name: str, title: str, **defense: Any) -> Arm:
    return Arm(name, f"Regulariser, {title}", {"defense": Defense(**defense)}, table=False)


TABLE = (
    _table("vanilla", "Baseline"),
    _table("regularizer", "Label variation regulariser", regularizer=WEIGHT),
    _table("parseval", "Parseval", parseval=BETA),
    _table("both", "Parseval and regulariser", regularizer=WEIGHT, parseval=BETA),
)
AUGMENTED = (
    _augmented("augmented", "Baseline"),
    _augmented("regularizer_augmented", "Regulariser", defense=Defense(regularizer=WEIGHT)),
)
ADVERSARIAL, NORMALIZED = Defense(adversarial_snr=SNR), {"normalized_laplacian": True}
ABLATIONS = (
    Arm("adversarial", "Adversarial training", {"defense": ADVERSARIAL}, table=False),
    _ablation("regularizer_adversarial", "adversarial", regularizer=WEIGHT, adversarial_snr=SNR),
    _ablation("regularizer_m1", "m = 1", regularizer=100 * WEIGHT, power=1),
    _ablation("regularizer_m3", "m = 3", regularizer=WEIGHT / 100, power=3),
    _ablation("regularizer_sum", "sum over depths", regularizer=WEIGHT, reduction="sum"),
    _ablation("regularizer_k10", "k = 10", regularizer=100 * WEIGHT, k=10),
    _ablation("regularizer_normalized", "normalised Laplacian", regularizer=10_000 * WEIGHT, **NORMALIZED),
)
FEW_STEPS = {"pgd_steps": 2, "strong_steps": 1, "restarts": 1, "deepfool_steps": 1}
SMOKE = Settings(
    stand_in="digits",
    width=4,
    training=replace(PAPER_TRAINING, epochs=1, batch_size=100, schedule=OneCycle()),
    norms_every=1,
    suite=RobustnessSuite(50, 10, **FEW_STEPS, levels=(20.0, 33.0), attack_version=2),
    deformation=DeformationSuite(batches=2, graph_size=40),
    benchmark=CorruptionBenchmark(60, ("gaussian_noise", "contrast"), (3, 5), corruption_version=2),
)
SHORT = Settings(
    width=8,
    training=replace(PAPER_TRAINING, epochs=3, schedule=OneCycle()),
    norms_every=1,
    suite=RobustnessSuite(attacked_images=1000, strong_images=100, attack_version=2),
    benchmark=CorruptionBenchmark(corruption_images=1000, corruption_version=2),
)
REDUCED = replace(SHORT, training=replace(SHORT.training, epochs=9, precision="auto"))
PAPER = Settings(suite=RobustnessSuite(attack_version=2), benchmark=CorruptionBenchmark(corruption_version=2))

EXPERIMENT = Experiment(
    name="lgg/s43_robustness",
    title="Robustness by smooth label variation (Table 3)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=(*TABLE, *AUGMENTED, *ABLATIONS),
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 5},
    measure=measure,
    reference="vanilla",
    derived=("corruption", "accuracy"),
    together=(TABLE_ARMS, ("augmented", "regularizer_augmented"), tuple(arm.name for arm in ABLATIONS)),
    minutes={"smoke": 0.02, "short": 14, "reduced": 25, "paper": 3},
    priority=11,
)
