"""Networks of one size, trained alone with several seeds and by two losses beside a teacher (paper 1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from lggkit.experiments.networks import Architecture, Guide, Images, Network, Recipe, Seeded
from lggkit.experiments.recipes.distillation import Distillation, Distilled
from lggkit.training import MultiStep, OneCycle, TrainConfig

PAPER = TrainConfig(epochs=200, schedule=MultiStep((60, 120, 160), 0.2))
ALONE = "cross-entropy"
LOSSES = {"GKD": Distillation(gkd=25.0), "RKD-D": Distillation(rkd_distance=25.0)}


@dataclass(frozen=True)
class Students:
    """Those of section 4.1 of paper 1: ``seeds`` of the baseline, and seed 0 of GKD and RKD-D."""

    dataset: str = "cifar10"
    network: str = "wide_resnet28"
    option: str = "widen"
    size: float = 0.5
    teacher_size: float = 1.0
    layers: tuple[str, ...] = ("stage1", "stage2", "penultimate")
    seeds: tuple[int, ...] = (0, 1, 2)
    training: TrainConfig = PAPER
    teacher_training: TrainConfig = field(default=PAPER)

    @property
    def described(self) -> dict[tuple[str, str], Seeded]:
        """Descriptions and seeds by loss and name of the seed."""
        networks = {(ALONE, f"seed {seed}"): (self._network(Recipe()), seed) for seed in self.seeds}
        guide = Guide(self._teacher, 0, (*self.layers, "output"), self.training.precision)
        for name, losses in LOSSES.items():
            recipe = Distilled(guide=guide, losses=losses, layers=self.layers)
            networks[name, "seed 0"] = self._network(recipe), 0
        return networks

    @property
    def by_width(self) -> dict[tuple[str, str], Seeded]:
        """Descriptions and seeds of the baselines and of the wider teacher, by width and name of the seed."""
        narrow, wide = (f"{self.option} {size:g}" for size in (self.size, self.teacher_size))
        baselines = {(narrow, name): one for (loss, name), one in self.described.items() if loss == ALONE}
        return baselines | {(wide, "seed 0"): (self._teacher, 0)}

    @property
    def _teacher(self) -> Network:
        return Network(Images(self.dataset), self._architecture(self.teacher_size), self.teacher_training)

    def _network(self, recipe: Recipe) -> Network:
        return Network(Images(self.dataset), self._architecture(self.size), self.training, recipe)

    def _architecture(self, size: float) -> Architecture:
        return Architecture(self.network, ((self.option, size),))


SHORT_STUDENTS = Students(
    training=TrainConfig(epochs=3, schedule=OneCycle()),
    teacher_training=TrainConfig(epochs=6, schedule=OneCycle()),
)
REDUCED_STUDENTS = Students(
    training=TrainConfig(epochs=10, schedule=OneCycle(), precision="auto"),
    teacher_training=TrainConfig(epochs=18, schedule=OneCycle(), precision="auto"),
)
