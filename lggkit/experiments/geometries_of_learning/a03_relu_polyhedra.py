"""Paper 5, article 3: the polyhedra of ReLU networks, counted on toys, and compared by set on digits.

Networks on formulas are trained for all seeds at once; a seed's network depends on no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lggkit.experiments.base import Arm, Experiment, by_kind
from lggkit.experiments.recipes import digit_pieces, formula_pieces, image_cells
from lggkit.protocol import Protocol


@dataclass(frozen=True)
class Settings(Protocol):
    """Settings of article 3; ``grid`` are layers and nodes, ``images`` how many a set is measured on.

    ``training`` images train, and a quarter as many test. ``facets`` says whether those of ``balls`` cells
    a set are counted, ``counted`` is how many cells are for a width or dimension, ``checked`` how many are
    asked by linear programs too. ``boxes`` are names, and how far each reaches beyond the data; ``thin``
    divides the nodes.
    """

    kind: str = "toy"
    grid: tuple[tuple[int, int], ...] = ((2, 10),)
    inputs: int = 2
    level: float = 0.4
    samples: int = 10_000
    epochs: int = 100
    batch: int = 256
    rate: float = 1e-2
    block: int = 10
    dataset: str = "mnist-10k"
    stand_in: str | None = None
    training: int = 8_000
    most_epochs: int = 50
    enough: float = 99.0
    images: int = 2_000
    distances: tuple[float, ...] = (0.5, 0.75, 1.0)
    epsilon: float = 0.1
    pairs: int = 60
    bisected: int = 5
    components: int = 40
    component_epsilon: float = 0.44
    balls: int = 40
    boxes: tuple[tuple[str, float], ...] = (("near", 1.0), ("tight", 0.0), ("wide", 10.0))
    facets: bool = True
    checked: int = 1
    counted: int = 10
    dimensions: tuple[int, ...] = (40,)
    thin: int = 1


KINDS = {
    "toy": formula_pieces.toy,
    "table": formula_pieces.table,
    "sets": digit_pieces.sets,
    "depths": digit_pieces.depths,
    "balls": digit_pieces.balls,
    "rules": image_cells.rules,
    "cells": image_cells.cells,
    "counts": image_cells.counts,
}


LAYERS, NODES = tuple((n, 5) for n in (2, 4, 6, 8, 10)), tuple((3, n) for n in (5, 10, 15, 20, 25))
WIDER = tuple((5, n) for n in (300, 350, 400, 450, 500))
FASHION = {"dataset": "fashion-mnist", "grid": ((3, 200),)}
CIFAR = {
    **{"dataset": "cifar10", "grid": ((8, 400),), "distances": (0.1,)},
    **{"component_epsilon": 0.88, "facets": False},
}
DEEPER = tuple((n, 200) for n in (1, 2, 3, 4, 5))
PAPER = Settings()
SMOKE = replace(
    PAPER,
    **{"stand_in": "digits", "samples": 400, "epochs": 2, "block": 2, "most_epochs": 1, "images": 40},
    **{"pairs": 4, "bisected": 2, "balls": 2, "components": 20, "grid": ((2, 4),)},
    **{"counted": 1, "thin": 20},
)
ARMS = (
    Arm("toy1", "2-10-10-1 on a paraboloid", seeds={"paper": 5}),
    Arm("layers", "2 to 10 layers of 5", {"kind": "table", "grid": LAYERS}, seeds={"paper": 50}),
    Arm("nodes", "3 layers of 5 to 25", {"kind": "table", "grid": NODES}, seeds={"paper": 50}),
    Arm("structure-3x200", "3 layers of 200", {"kind": "sets", "grid": ((3, 200),)}),
    Arm("structure-5x300", "5 layers of 300", {"kind": "sets", "grid": ((5, 300),)}),
    Arm("structure-5x500", "5 layers of 500", {"kind": "sets", "grid": ((5, 500),)}, table=False),
    Arm("segments", "1 to 5 layers of 200", {"kind": "depths", "grid": DEEPER}),
    Arm("balls", "3 layers of 200 on principal components", {"kind": "balls", "grid": ((3, 200),)}),
    Arm("cells-digits", "3 layers of 200 on components of digits", {"kind": "cells", "grid": ((3, 200),)}),
    Arm(
        "cells-fashion",
        "3 layers of 200 on components of Fashion-MNIST",
        {"kind": "cells", **FASHION, "facets": False},
        table=False,
    ),
    Arm("rules-digits", "3 layers of 200 on pixels of digits", {"kind": "rules", "grid": ((3, 200),)}),
    Arm(
        "rules-fashion",
        "3 layers of 200 on pixels of Fashion-MNIST",
        {"kind": "rules", **FASHION},
        table=False,
    ),
    Arm("widths", "5 layers of 300 to 500", {"kind": "counts", "grid": WIDER, "counted": 3}),
    Arm(
        "dimensions",
        "3 layers of 200 on 10 to 60 components",
        {"kind": "counts", "grid": ((3, 200),), "dimensions": (10, 20, 40, 60), "counted": 3},
    ),
    Arm("cells-cifar", "8 layers of 400 on components of CIFAR-10", {"kind": "cells", **CIFAR}, table=False),
)

EXPERIMENT = Experiment(
    name="geometries_of_learning/a03_relu_polyhedra",
    title="Polyhedra of ReLU networks",
    protocols={"smoke": SMOKE, "short": replace(PAPER, epochs=35), "reduced": PAPER, "paper": PAPER},
    arms=ARMS,
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    measure=by_kind(KINDS),
    minutes={"smoke": 0.2, "short": 2, "reduced": 2, "paper": 2},
    priority=70,
)
