"""Paper 5, article 10: blocks of a code made orthogonal, and a two-sample test as a loss.

A seed draws garments, the images that are held out, first weights, order and noise; all arms of a setting
share them. Seeds of an arm are trained at once (`Settings.block` of them), whoever asks for one.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.block_features import Classifier, features_of, fids
from lggkit.experiments.recipes.block_grids import Grid, grid_of
from lggkit.experiments.recipes.block_measures import measured, pictures
from lggkit.experiments.recipes.block_statistic import statistic
from lggkit.experiments.recipes.block_training import Loss, Schedule, built, fitted
from lggkit.experiments.recipes.held import Held
from lggkit.generative import BlockAutoencoder
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec


@dataclass(frozen=True)
class Settings(Protocol):
    """Article 10's settings; ``setting`` names the grid, ``code`` is n_out, ``bottlenecks`` are the n_j.

    ``repeats`` passes over a smaller grid count as one epoch. ``compared`` are the classes of which the
    statistic tests ``tested`` images each; ``block`` seeds are trained together. ``features`` is the network
    of the FID.
    """

    kind: str = "train"
    network: str | None = "block autoencoder"
    dataset: str = "3dshapes"
    setting: str = "five"
    classes: tuple[int, ...] = (1, 9)
    size: int = 64
    code: int = 105
    bottlenecks: tuple[int, ...] = (15, 8, 10, 10, 2)
    hidden: tuple[int, ...] = (128, 64, 32)
    loss: Loss = field(default_factory=Loss)
    training: Schedule | None = field(default_factory=Schedule)
    repeats: int = 1
    block: int = 5
    compared: tuple[int, int] = (0, 6)
    tested: int = 60
    features: Classifier = field(default_factory=Classifier)


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec; the seconds of a training are shared by those that were trained with it."""
    for spec in specs:
        begun, s = time.monotonic(), spec.protocol
        if s.kind == "statistic":
            metrics, arrays = statistic(s, spec.seed, context)
            yield context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - begun)
            continue
        model, grid, curves, seconds = _trained(s, spec.seed, Held(context))
        begun = time.monotonic()
        metrics = measured(model, built(s, spec.seed), grid, spec.seed)
        metrics |= fids(features_of(s, spec.seed, Held(context)), model, grid, spec.seed)
        arrays = pictures(model, grid, spec.seed) if spec.seed == 0 else {}
        how = {"arrays": arrays, "curves": _thinned(curves), "path": "cpu, float32"}
        yield context.record(spec, metrics, seconds=seconds + time.monotonic() - begun, **how)


def _trained(
    s: Settings, seed: int, context: Held
) -> tuple[BlockAutoencoder, Grid, dict[str, list[float]], float]:
    first = seed - seed % s.block
    grids, models, curves, seconds = _block(s, first, context)
    return models[seed - first], grids[seed - first], curves[seed - first], seconds / s.block


@functools.lru_cache(maxsize=16)
def _block(s: Settings, first: int, context: Held) -> tuple[list, list, list, float]:
    begun, seeds = time.monotonic(), range(first, first + s.block)
    grids = [grid_of(s, seed, context) for seed in seeds]
    models, curves = fitted(s, seeds, [grid.images[grid.train] for grid in grids])
    return grids, models, curves, time.monotonic() - begun


def _thinned(curves: dict[str, list[float]], most: int = 40) -> dict[str, list[float]]:
    """At most so many entries of each curve, evenly spaced, the last one among them."""
    return {name: values[::-1][:: -(-len(values) // most)][::-1] for name, values in curves.items()}


PAPER = Settings()
REDUCED = replace(
    PAPER,
    dataset="fashion-mnist",
    size=16,
    bottlenecks=(5, 4, 5, 5, 2),
    training=Schedule(epochs=60, batch=32, rate=3e-3),
)
SHORT = replace(REDUCED, training=replace(REDUCED.training, epochs=20))
SMOKE = replace(
    REDUCED,
    dataset="digits",
    classes=(3, 8),
    size=8,
    hidden=(16, 8),
    training=Schedule(epochs=1, batch=100, rate=3e-3),
    block=1,
    compared=(3, 8),
    tested=20,
    features=Classifier(epochs=2, batch=100),
)
THREE = {"setting": "three", "code": 96, "bottlenecks": (6, 9, 5), "repeats": 4}
NONE = {"kind": "statistic", "network": None, "training": None}
MANY = {"setting": "many", "bottlenecks": PAPER.bottlenecks}
"""Five factors, each of as many values as in the article, and blocks as wide as there."""
ONCE = {"paper": 0}
"""At paper scale the arms of five blocks have these images already."""
WEAK, STRONG = 0.001, 0.1
"""α₁ and α₂ of the article with five and with three blocks."""


CODES = {"loss": Loss(divergence=STRONG, space="latent")}
"""The article's prose in place of its equation 6: the statistic compares codes with the noise itself."""


def _loss(orthogonality: float, divergence: float) -> dict[str, Loss]:
    return {"loss": Loss(orthogonality=orthogonality, divergence=divergence)}


EXPERIMENT = Experiment(
    name="geometries_of_learning/a10_orthogonal_blocks",
    title="Disentanglement in orthogonal blocks",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=(
        Arm("plain", "autoencoder", _loss(0, 0)),
        Arm("dae_g", "DAE-G", _loss(0, WEAK)),
        Arm("dae_og", "DAE-OG", _loss(WEAK, WEAK)),
        Arm("plain-three", "autoencoder, three blocks", THREE | _loss(0, 0)),
        Arm("dae_g-three", "DAE-G, three blocks", THREE | _loss(0, STRONG)),
        Arm("dae_og-three", "DAE-OG, three blocks", THREE | _loss(STRONG, STRONG)),
        Arm("dae_g-three-latent", "DAE-G, three blocks, codes compared", THREE | CODES, False),
        Arm("dae_g-latent", "DAE-G, codes compared", {"loss": Loss(divergence=WEAK, space="latent")}, False),
        Arm("statistic", "the statistic", NONE, False),
        Arm("plain-many", "autoencoder, 24,000 images", MANY | _loss(0, 0), False, ONCE),
        Arm("dae_g-many", "DAE-G, 24,000 images", MANY | _loss(0, WEAK), False, ONCE),
        Arm("dae_og-many", "DAE-OG, 24,000 images", MANY | _loss(WEAK, WEAK), False, ONCE),
        Arm("dae_og-0.01", "DAE-OG, α₁ = 0.01", _loss(0.01, WEAK), False),
        Arm("dae_og-0.1", "DAE-OG, α₁ = 0.1", _loss(0.1, WEAK), False),
    ),
    seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 5},
    ablation_seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 5},
    measure=measure,
    minutes={"smoke": 0.01, "short": 0.5, "reduced": 1.5, "paper": 60},
    priority=92,
)
