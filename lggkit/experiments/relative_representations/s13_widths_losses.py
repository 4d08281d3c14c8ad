"""Paper 4, sections 1 to 3, on networks of other sections: heads between two widths, and between two losses.

Baselines of section 4.1 of paper 1 and its teacher, twice as wide; and networks of section 4.4 of paper 2,
one architecture by cross-entropy and by graph smoothness. Heads are trained on their last latents, which are
of one width where losses differ, and of two where widths do: absolute ones then have no foreign head.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.embedder import REDUCED_EMBEDDER, SHORT_EMBEDDER, SMOKE_EMBEDDER
from lggkit.experiments.recipes.loss_pair import LossPair
from lggkit.experiments.recipes.network_latents import Named, drawn_latents, latents_of
from lggkit.experiments.recipes.stitched import by_pair, kind_apart, scored, stitched
from lggkit.experiments.recipes.students import Students
from lggkit.experiments.relative_representations import s13_images
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training.vectors import VectorTraining


@dataclass(frozen=True)
class Settings(Protocol):
    """``apart`` is what sets networks apart, widths or losses; the rest is as in `s13_images`."""

    dataset: str = "cifar10"
    network: str = "networks of other sections"
    apart: str = "widths"
    map: str = "plain"
    students: Students = field(default_factory=Students)
    losses: LossPair = field(default_factory=LossPair)
    anchors: int = 256
    labelled: int = 2000
    head_epochs: int = 40
    batch_size: int = 250
    learning_rate: float = 1e-3

    @property
    def named(self) -> Named:
        """The networks by kind and name of the seed."""
        return self.students.by_width if self.apart == "widths" else self.losses.by_loss


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec; latents of the networks are computed once."""
    for spec in sorted(specs, key=lambda spec: spec.seed):
        start = time.monotonic()
        metrics, arrays = _measured(spec.protocol, spec.seed, context)
        yield context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - start, path="cpu")


def _measured(settings: Settings, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Means over pairs of networks, and the matrix; ``encoder`` is what heads of the encoder's own have."""
    named, sizes = settings.named, (settings.labelled, settings.anchors)
    networks = drawn_latents(named, settings.dataset, sizes, seed, context)
    training = VectorTraining(settings.head_epochs, settings.batch_size, settings.learning_rate)
    scores, _ = stitched(settings.map, networks, settings.anchors, training, seed)
    if settings.map == "absolute":
        wide = np.array([latents.shape[-1] for latents in latents_of(named, settings.dataset, context)[0]])
        for matrix in scores.values():
            matrix[wide[:, None] != wide] = math.nan
    metrics, arrays = scored(scores, list(named), kind_apart)
    accuracy = scores["accuracy"]
    own = accuracy.diagonal().expand_as(accuracy).where(~accuracy.isnan(), math.nan)
    metrics |= by_pair(own, list(named), "encoder", kind_apart)
    metrics["chance_accuracy"] = 100 / len(networks.classes)
    return {name: value for name, value in metrics.items() if not math.isnan(value)}, arrays


SMOKE = Settings(
    dataset="digits",
    students=s13_images.SMOKE.students,
    losses=LossPair(SMOKE_EMBEDDER),
    anchors=64,
    labelled=200,
    head_epochs=10,
    batch_size=50,
    learning_rate=5e-3,
)
SEEDS = (0, 1, 2)
"""Those of the networks that section 4.4 of paper 2 trains at short and at reduced length."""
SHORT, REDUCED = (
    Settings(students=students.students, losses=LossPair(embedder, SEEDS))
    for students, embedder in ((s13_images.SHORT, SHORT_EMBEDDER), (s13_images.REDUCED, REDUCED_EMBEDDER))
)
WIDTHS, LOSSES = (
    tuple(
        Arm(
            f"{name}-{apart}",
            f"{title}, {apart}",
            {"map": s13_images.MAPS[name], "apart": apart},
            table=shown,
        )
        for name, title in s13_images.TITLES.items()
    )
    for apart, shown in {"widths": True, "losses": False}.items()
)

EXPERIMENT = Experiment(
    name="relative_representations/s13_widths_losses",
    title="Stitching across widths and losses",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": Settings()},
    arms=(*WIDTHS, *LOSSES),
    seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 10},
    ablation_seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 10},
    measure=measure,
    minutes={"smoke": 0.02, "short": 0.2, "reduced": 0.2, "paper": 0.2},
    together=(tuple(arm.name for arm in WIDTHS), tuple(arm.name for arm in LOSSES)),
    priority=73,
)
