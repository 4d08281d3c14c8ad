"""Networks of CIFAR-10 of several families: those of other sections, and narrow siblings trained for this.

A member is named ``family-which``. Members of one family share an architecture but for its width, or a start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from lggkit.experiments.ingredients import Architecture, Images
from lggkit.experiments.networks import Network
from lggkit.experiments.recipes.finetuning import CHOSEN, FineTuned
from lggkit.experiments.recipes.students import ALONE, REDUCED_STUDENTS, SHORT_STUDENTS, Students
from lggkit.experiments.recipes.transfer import Penalty
from lggkit.protocol import Part
from lggkit.training import MultiStep, OneCycle, TrainConfig

FAMILIES = {
    "vgg": "VGG",
    "plain": "plain convolutions",
    "wide": "WideResNet-28",
    "shallow": "wide ResNet of 10 layers",
    "tuned": "ResNet-18, fine-tuned",
}
LOSSES = {"alone": ALONE, "rkd_d": "RKD-D", "gkd": "GKD"}
TITLES = {
    "vgg-8": "VGG, width 8",
    "plain-4": "plain convolutions, width 4",
    "wide-alone": "WideResNet-28, alone",
    "wide-rkd_d": "WideResNet-28, RKD-D",
    "wide-gkd": "WideResNet-28, GKD",
    "shallow-m": "wide ResNet of 10 layers",
    "shallow-s": "wide ResNet of 10 layers, half as wide",
    "tuned-none": "ResNet-18, fine-tuned",
    "tuned-omega_p": "ResNet-18, fine-tuned with Ω_P",
}
"""All members, by name."""
AT_SHORT = tuple(name for name in TITLES if not name.startswith("wide"))
AT_REDUCED = tuple(name for name in TITLES if not name.startswith("shallow"))
"""Other sections have trained residual networks of ten layers for a short time, of 28 for a longer one."""
NAMES = {"vgg": "vgg", "plain": "simple_cnn"}


def family_of(member: str) -> str:
    """The family of a member."""
    return member.partition("-")[0]


@dataclass(frozen=True)
class Families(Part):
    """The settings of all members: ``students`` are those of paper 1, ``tuned`` those of paper 3.

    ``shallow`` is how the shallow networks of paper 3 are trained, ``training`` how those that no other
    section has, which are ``narrower`` times as narrow.
    """

    dataset: str = "cifar10"
    students: Students = field(default_factory=Students)
    tuned: FineTuned = field(default_factory=FineTuned)
    shallow: TrainConfig = field(default_factory=lambda: TrainConfig(204, 64, weight_decay=1e-4))
    training: TrainConfig = field(
        default_factory=lambda: TrainConfig(epochs=200, schedule=MultiStep((60, 120, 160), 0.2))
    )
    narrower: int = 1

    def network(self, member: str) -> Network:
        """The description of a member."""
        family, which = member.split("-")
        made: Mapping[str, Callable[[str], Network]] = {
            "wide": self._student,
            "shallow": self._shallow,
            "tuned": self._tuned,
        }
        return made[family](which) if family in made else self._sibling(family, int(which))

    def _student(self, which: str) -> Network:
        return next(n for (loss, _), (n, _) in self.students.described.items() if loss == LOSSES[which])

    def _shallow(self, which: str) -> Network:
        size = (("depth", 10), ("widen", {"m": 1.0, "s": 0.5}[which]))
        return Network(Images(self.dataset), Architecture("wide_preact_resnet", size), self.shallow)

    def _tuned(self, method: str) -> Network:
        penalty = Penalty() if method == "none" else Penalty(method, CHOSEN[method])
        return replace(self.tuned, penalty=penalty).description

    def _sibling(self, family: str, width: int) -> Network:
        size = (("width", max(1, width // self.narrower)),)
        return Network(Images(self.dataset), Architecture(NAMES[family], size), self.training)


SHORT = Families(
    students=SHORT_STUDENTS,
    tuned=FineTuned(epochs=32),
    shallow=TrainConfig(2, 64, weight_decay=1e-4, schedule=OneCycle(), precision="auto"),
    training=TrainConfig(1, learning_rate=0.2, schedule=OneCycle(), precision="auto", compile=False),
)
REDUCED = Families(
    students=REDUCED_STUDENTS,
    tuned=FineTuned(epochs=96),
    shallow=replace(SHORT.shallow, epochs=6),
    training=replace(SHORT.training, epochs=3),
)
SMALL = TrainConfig(epochs=1, schedule=OneCycle(), augment=False, compile=False)
SMOKE = Families(
    dataset="digits",
    students=Students(
        dataset="digits",
        network="small_net",
        option="width",
        size=4,
        teacher_size=8,
        layers=("stage1", "middle", "penultimate"),
        training=SMALL,
        teacher_training=SMALL,
    ),
    tuned=FineTuned(stand_in="digits", width=2, source_training=SMALL, per_class=5, epochs=2, batch_size=50),
    shallow=SMALL,
    training=SMALL,
    narrower=2,
)
