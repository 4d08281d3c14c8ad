"""Paper 5, article 1: one detector of attacks for several networks, by linear maps between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lggkit.experiments.base import Arm, Experiment, by_kind
from lggkit.experiments.networks import Architecture, Images, Network
from lggkit.experiments.recipes import transfer_grid, wide_maps
from lggkit.protocol import Protocol
from lggkit.training import MultiStep, OneCycle, TrainConfig

DIGIT_NETWORKS = {"cnn": ("digit_cnn", 128), "mlp": ("digit_mlp", 128), "wide": ("digit_mlp", 256)}
FAMILIES = {
    "efficientnet": ("efficientnet", 1.5),
    "resnet": ("resnet18", 0.5),
    "vgg": ("vgg", 1),
    "mobilenet": ("mobilenet_v2", 1.5),
    "googlenet": ("googlenet", 1),
}
"""The networks of CIFAR-10, and how wide each is beside ``family_width``."""
DIGITS = TrainConfig(
    epochs=20,
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=0.0,
    schedule=OneCycle(),
    augment=False,
    compile=False,
)


@dataclass(frozen=True)
class Settings(Protocol):
    """Settings of article 1.

    Of the training images ``held_out`` are not trained on; with the test images they are cut in three, at
    most ``pool`` of them, or a ``few`` where an arm is to have ``fewer``. ``c`` is the detector's; ``steps``
    are PGD's, each of ε / 4, ``strong_steps`` those of the strong ensemble, without random starts. ``rows``
    and ``ridge`` are of the wide layer: samples of the fit, and λ in units of the mean square of a feature.
    Networks of CIFAR-10 have ``family_training`` and ``family_width``, times the factor of `FAMILIES`.
    """

    kind: str = "grid"
    perturbation: str = "fgsm"
    dataset: str = "mnist-10k"
    stand_in: str | None = None
    held_out: int = 4_000
    pool: int = 6_000
    members: tuple[str, ...] = tuple(DIGIT_NETWORKS)
    training: TrainConfig = field(default_factory=lambda: DIGITS)
    family_width: int = 64
    family_training: TrainConfig = field(
        default_factory=lambda: TrainConfig(epochs=200, schedule=MultiStep((60, 120, 160), 0.2))
    )
    epsilons: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2)
    steps: int = 10
    fewer: bool = False
    few: int = 2_000
    strong_steps: int = 20
    c: float = 1.0
    spectra: bool = True
    rows: tuple[int, ...] = (500, 1_000, 1_400, 1_568, 1_750, 2_200, 3_000, 4_000)
    ridge: float = 0.01

    @property
    def images(self) -> Images:
        """The training images, and those held out."""
        return Images(self.data, held_out=self.held_out)

    @property
    def data(self) -> str:
        """The data set that is read."""
        return self.stand_in or self.dataset

    @property
    def networks(self) -> dict[str, Network]:
        """The networks of the grid by name."""
        return {name: self._network(name) for name in self.members}

    def _network(self, name: str) -> Network:
        if name in FAMILIES:
            kind, factor = FAMILIES[name]
            architecture = Architecture(kind, (("width", int(factor * self.family_width)),))
            return Network(self.images, architecture, self.family_training)
        kind, width = DIGIT_NETWORKS[name]
        return Network(self.images, Architecture(kind, (("width", width),)), self.training)


KINDS = {"grid": transfer_grid.grid, "interpolation": wide_maps.interpolation}
PAPER = Settings()
REDUCED = replace(
    PAPER,
    family_width=16,
    family_training=TrainConfig(epochs=18, learning_rate=0.2, schedule=OneCycle(), precision="auto"),
)
SHORT = replace(REDUCED, family_training=replace(REDUCED.family_training, epochs=6, precision="float32"))
FEW = {"epochs": 1, "batch_size": 64}
SMOKE = replace(
    SHORT,
    **{"stand_in": "digits", "held_out": 900, "pool": 150, "family_width": 4, "steps": 2},
    **{"few": 60, "strong_steps": 2},
    **{"training": replace(DIGITS, **FEW), "rows": (40, 1_568)},
    family_training=TrainConfig(augment=False, compile=False, **FEW),
)
CIFAR10 = {"dataset": "cifar10", "held_out": 0, "pool": 10_000, "members": tuple(FAMILIES)}
NAMES = {"fgsm": "FGSM", "pgd": "PGD", "signs": "random signs"}
FEW_SEEDS = {"smoke": 1, "short": 3, "reduced": 3, "paper": 5}
ARMS = (
    *(Arm(f"{kind}-digits", f"{name}, digits", {"perturbation": kind}) for kind, name in NAMES.items()),
    Arm(
        *("interpolation-digits", "a wide layer, digits"),
        {"kind": "interpolation", "members": ("cnn", "mlp"), "epsilons": (0.1,)},
    ),
    *(
        Arm(
            *(f"{kind}-cifar10", f"{name}, CIFAR-10"),
            {**CIFAR10, "perturbation": kind, "epsilons": (0.05,)},
            table=False,
            seeds=FEW_SEEDS,
        )
        for kind, name in NAMES.items()
    ),
    *(
        Arm(
            *(f"{kind}_few-{data}", f"{name}, 2,000 images of {title}"),
            {**changes, "perturbation": kind, "fewer": True, "epsilons": epsilons},
            table=False,
            seeds=FEW_SEEDS,
        )
        for data, title, changes, epsilons in (
            ("digits", "digits", {}, (0.05, 0.1)),
            ("cifar10", "CIFAR-10", CIFAR10, (0.05,)),
        )
        for kind, name in ({"strong": "strong ensemble"} | NAMES).items()
        if kind != "pgd"
    ),
)

EXPERIMENT = Experiment(
    name="geometries_of_learning/a01_linear_maps",
    title="Linear maps between networks, and detectors of attacks behind them",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=ARMS,
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 5},
    measure=by_kind(KINDS),
    together=tuple(
        tuple(a.name for a in ARMS if a.name.endswith(end) and a.table == table)
        for end, table in (("digits", True), ("digits", False), ("cifar10", False))
    ),
    minutes={"smoke": 0.1, "short": 20, "reduced": 60, "paper": 3},
    priority=80,
)
