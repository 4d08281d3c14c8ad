"""Paper 5, article 4: local affine maps of ReLU networks, drawn, clustered, and carried between networks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lggkit.experiments.base import Arm, Experiment, by_kind
from lggkit.experiments.recipes import image_maps, toy_maps
from lggkit.protocol import Protocol


@dataclass(frozen=True)
class Settings(Protocol):
    """Settings of article 4: of the plane first, then of images.

    ``every`` is how many steps lie between two looks at a restart, ``sgd`` a rate, a momentum and a decay,
    ``pool`` the side of the squares of pixels whose mean the networks see.
    """

    kind: str = "circles"
    shape: tuple[int, ...] = (2, 3, 2)
    four: bool = False
    samples: int = 100_000
    restarts: int = 20
    epochs: int = 1
    batch: int = 100
    rate: float = 0.1
    momentum: float = 0.9
    decay: float = 1e-4
    every: int = 10
    enough: float = 98.0
    frames: tuple[int, ...] = (1, 50, 150)
    widths: tuple[int, ...] = (2, 20, 100)
    xor_steps: int = 1_000
    dataset: str = "mnist-10k"
    stand_in: str | None = None
    training: int = 8_000
    asked: int = 2_000
    pool: int = 2
    mapped: int = 3_000
    clusters: tuple[int, ...] = (1, 10, 100, 500)
    sgd: tuple[float, float, float] = (0.01, 0.5, 0.01)
    image_batch: int = 64
    image_epochs: int = 15
    deep_sgd: tuple[float, float, float] = (0.1, 0.9, 1e-4)
    deep_batch: int = 50
    deep_epochs: int = 4
    kernel: int = 3
    padding: int = 0
    width: int = 16
    blocks: int = 8
    drawn: int = 4


KINDS = {
    "xor": toy_maps.xor,
    "narrow": toy_maps.narrow,
    "circles": toy_maps.circles,
    "images": image_maps.images,
}


PAPER = Settings()
SHORT = replace(PAPER, image_epochs=5, deep_epochs=1)
SMOKE = replace(
    PAPER,
    **{"stand_in": "digits", "samples": 2_000, "restarts": 2, "frames": (1, 10), "xor_steps": 100},
    **{"training": 600, "asked": 80, "mapped": 500, "image_epochs": 1},
    **{"deep_epochs": 1, "pool": 1, "padding": 1, "width": 4, "blocks": 2},
)
WIDE = (2, 8, 8, 8, 2)
MOMENTS = (1, *range(10, 100, 10), *range(100, 300, 20), *range(300, 700, 40), *range(700, 1001, 60))
"""Steps of which a film has a frame."""
FIVE = {"paper": 5}
ARMS = (
    Arm("xor", "XOR, by hand and trained", {"kind": "xor"}, seeds=FIVE),
    Arm("narrow", "random networks of two units a layer", {"kind": "narrow"}, seeds=FIVE),
    Arm("circle_2", "a disc in a ring, 2-2-2", {"shape": (2, 2, 2)}, seeds=FIVE),
    Arm("circle_3", "a disc in a ring, 2-3-2", seeds=FIVE),
    Arm("circle_888", "a disc in a ring, 2-8-8-8-2", {"shape": WIDE}, seeds=FIVE),
    Arm(
        *("four_888", "four of them, 2-8-8-8-2", {"shape": WIDE, "four": True, "epochs": 4}),
        table=False,
    ),
    Arm(
        *("film", "a disc in a ring, step by step", {"shape": WIDE, "frames": MOMENTS}),
        **{"table": False, "seeds": {"paper": 1}},
    ),
    Arm("images-digits", "10,000 MNIST digits", {"kind": "images"}),
    Arm(
        *("images-fashion", "Fashion-MNIST", {"kind": "images", "dataset": "fashion-mnist"}),
        table=False,
    ),
)

EXPERIMENT = Experiment(
    name="geometries_of_learning/a04_local_linearity",
    title="Locally linear attributes of ReLU networks",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": PAPER, "paper": PAPER},
    arms=ARMS,
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    measure=by_kind(KINDS),
    minutes={"smoke": 0.1, "short": 2, "reduced": 3, "paper": 3},
    priority=70,
)
