"""Fine-tuning on few labels, as settings that sections of paper 3 share: start, target, penalty, length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lggkit.data import DataSet
from lggkit.experiments.base import Arm, trained
from lggkit.experiments.networks import (
    Architecture,
    Context,
    Guide,
    Images,
    Network,
    Observer,
    TrainedNetwork,
)
from lggkit.experiments.recipes.transfer import OF_NEURONS, Penalty, Regularised, traces_after
from lggkit.protocol import Protocol
from lggkit.record import Spec
from lggkit.training import MultiStep, OneCycle, TrainConfig

START_SEED = 0
LATE = 2 / 3
"""After this share of the epochs the learning rate falls to a tenth, as in the paper."""
CHOSEN = {"l2": 1e-2, "l2_sp": 1.0, "omega_i": 1.0, "omega_u": 1e-3, "omega_p": 1e-1}
"""Those with the fewest errors on the images held out, at reduced length."""
TITLES = {"none": "none", "l2": "L2", "l2_sp": "L2-SP", "omega_i": "Ω_I", "omega_u": "Ω_U", "omega_p": "Ω_P"}
TARGETS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "cifar10": ("20 labels a class", {}),
    "overlap": ("seen classes", {"target": "cifar100", "classes_kept": 10}),
    "cifar10-100": ("100 labels a class", {"per_class": 100}),
}


@dataclass(frozen=True)
class FineTuned(Protocol):
    """A network of ``source`` images is trained on with ``per_class`` labels of each class of ``target``.

    ``classes_kept`` are the target's first classes, None all; where source and target are one data set, the
    target's classes are among those that the start has seen. With ``scratch`` there is no start. All seeds
    have the same start and the same labels: they differ in the order of the images and in the last layer, as
    in the paper. Penalties of neurons are at ``layers``. ``stand_in`` names a data set to use for both. With
    ``validated``, ``held_images`` training images of the target are left out and asked too. Traces of the
    plan to the start are of ``traced_images`` test images, looked at ``looks`` times while training.
    """

    source: str = "cifar100"
    target: str = "cifar10"
    stand_in: str = ""
    network: str = "resnet18"
    width: int = 8
    source_training: TrainConfig = field(
        default_factory=lambda: TrainConfig(18, learning_rate=0.2, schedule=OneCycle(), precision="auto")
    )
    classes_kept: int | None = None
    per_class: int = 20
    validated: bool = False
    held_images: int = 5000
    scratch: bool = False
    penalty: Penalty = field(default_factory=Penalty)
    layers: tuple[str, ...] = ("block5", "penultimate")
    epochs: int = 96
    batch_size: int = 64
    learning_rate: float = 0.02
    augment: bool = True
    traced_images: int = 3000
    traced_depths: tuple[str, ...] = ("penultimate",)
    looks: int = 12

    @property
    def target_name(self) -> str:
        """The data set of the target."""
        return self.stand_in or self.target

    @property
    def images(self) -> Images:
        """What the network is fine-tuned on."""
        held_out = self.held_images if self.validated else 0
        return Images(self.target_name, self.classes_kept, held_out, self.per_class)

    @property
    def start(self) -> Network:
        """The network that is fine-tuned, as it was trained before."""
        architecture = Architecture(self.network, (("width", self.width),))
        return Network(Images(self.stand_in or self.source), architecture, self.source_training)

    @property
    def schedule(self) -> TrainConfig:
        """How it is fine-tuned; the last, incomplete batch of each epoch is left out."""
        return TrainConfig(
            self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            schedule=MultiStep((round(LATE * self.epochs),), 0.1),
            augment=self.augment,
            precision="auto",
            drop_last=True,
        )

    @property
    def description(self) -> Network:
        """The fine-tuned network."""
        layers = self.layers if self.penalty.method in OF_NEURONS else ()
        guide = Guide(self.start, START_SEED, layers, "auto") if layers else None
        recipe = Regularised(guide=guide, penalty=self.penalty, layers=layers)
        begun = Network(self.images, self.start.architecture, self.schedule, recipe)
        if self.scratch:
            return begun
        return replace(begun, start=self.start, start_seed=START_SEED, fresh=(recipe.head,))

    def test(self, context: Context) -> DataSet:
        """The test images of the target's classes."""
        data = context.data(self.target_name, train=False)
        return data if self.classes_kept is None else data.first_classes(self.classes_kept)

    def traces(self, context: Context) -> Observer:
        """Looks at the plan to the start, the last time after the last epoch."""
        epochs = {0, *(round(self.epochs * i / self.looks) for i in range(1, self.looks + 1))}
        return traces_after(tuple(sorted(epochs)), self.traced(context), self.traced_depths, context)

    def traced(self, context: Context) -> DataSet:
        """The test images on which neurons are compared."""
        test = self.test(context)
        return test.subset(range(min(self.traced_images, len(test))))


def penalty_of(method: str, alpha: float | None = None, **options: Any) -> Penalty:
    """The penalty of a method, with the chosen weight where none is given."""
    if method == "none":
        return Penalty()
    return Penalty(method, CHOSEN[method] if alpha is None else alpha, **options)


def tuned(method: str, target: str, **options: Any) -> dict[str, Any]:
    """What an arm of a method and a target changes in the protocol."""
    return {"penalty": penalty_of(method, **options), **TARGETS[target][1]}


def arm_of(method: str, target: str) -> Arm:
    """The arm of a method and a target, whichever section has it."""
    return Arm(f"{method}-{target}", f"{TITLES[method]}, {TARGETS[target][0]}", tuned(method, target))


def fine_tuned(specs: Sequence[Spec], context: Context) -> dict[Spec, TrainedNetwork]:
    """The networks of specs with their traces; those that are looked at alike may be trained together."""
    groups: dict[str, list[Spec]] = defaultdict(list)
    for spec in specs:
        groups[spec.protocol.traces(context).identity].append(spec)
    results: dict[Spec, TrainedNetwork] = {}
    for group in groups.values():
        results |= trained(group, context, group[0].protocol.traces(context))
    return results


SMALL: Mapping[str, Any] = {
    "stand_in": "digits",
    "network": "small_net",
    "width": 4,
    "layers": ("middle", "penultimate"),
    "source_training": TrainConfig(2, batch_size=100, learning_rate=0.1, schedule=OneCycle(), augment=False),
    "per_class": 7,
    "epochs": 2,
    "held_images": 200,
    "augment": False,
    "traced_images": 100,
    "looks": 2,
}
"""What a smoke protocol has instead."""
