"""Paper 4, sections 1 to 3: relative maps, plain and robust, and stitching encoders to foreign decoders.

The poster's reviews and pre-trained encoders could not be had. Here encoders of verses in English and French
are fitted and frozen; a linear head is trained on the coordinates of each, with the schedule of the authors'
code. Arms that end in ``tokens`` have encoders that are trained from the words on. Rates, anchors and widths
are varied one at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from lggkit.evaluation.invariance import intertwiner_residuals, invariance_violations
from lggkit.evaluation.stitching import isometric_similarity
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.bilingual import NETWORKS, VIEWS, Bilingual, Encoded, encoded, source
from lggkit.experiments.recipes.stitched import retrieval, scored, stitched, sweep
from lggkit.experiments.recipes.token_encoders import TOKENS, token_encoded
from lggkit.record import Record, Spec
from lggkit.similarity import choose_anchors
from lggkit.training.vectors import VectorTraining


@dataclass(frozen=True)
class Settings(Bilingual):
    """What is varied: the map, the width of the latents, the anchors, the learning rate of the heads.

    ``maps`` of several are for arms that hold them against each other on the same encoders. The last four
    are of encoders on ids of words.
    """

    map: str = "plain"
    maps: tuple[str, ...] = ("robust", "plain")
    kinds: tuple[str, ...] = (*VIEWS, *NETWORKS)
    used_width: int = 256
    epochs: int = 40
    batch_size: int = 96
    learning_rate: float = 2e-4
    choice: str = "random"
    counts: tuple[int, ...] = (8, 32, 128, 512, 1024)
    widths: tuple[int, ...] = (8, 32, 128, 256)
    factors: tuple[float, ...] = (0.1, 1.0, 10.0, 27.713)
    vocabulary: int = 5000
    length: int = 48
    token_epochs: int = 4
    token_rate: float = 1e-2

    @property
    def training(self) -> VectorTraining:
        """That of the heads."""
        return VectorTraining(self.epochs, self.batch_size, self.learning_rate)


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec; encoders of a seed are fitted once."""
    for spec in sorted(specs, key=lambda spec: spec.seed):
        start = time.monotonic()
        metrics, arrays = _MEASURED.get(spec.arm, _of_map)(spec)
        how = {"path": "cpu", "precision": "float64" if spec.arm == "exact" else "float32"}
        yield context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - start, **how)


Found = tuple[dict[str, Any], dict[str, Any]]


def _of_map(spec: Spec) -> Found:
    settings, encoders = spec.protocol, _held(spec)
    scores, test = stitched(settings.map, encoders, settings.anchors, settings.training, spec.seed)
    metrics, arrays = scored(scores, encoders.names)
    metrics |= {"chance_accuracy": 100 / len(encoders.classes)} | retrieval(test, encoders.names)
    return metrics, arrays


def _held(spec: Spec) -> Encoded:
    settings = spec.protocol
    if settings.kinds == TOKENS:
        return token_encoded(settings, spec.seed)
    return encoded(settings, spec.seed).of(settings.kinds, settings.used_width)


def _gain(spec: Spec) -> Found:
    """Stitched accuracy of the robust map less that of the plain one, on the same encoders."""
    settings, encoders = spec.protocol, _held(spec)
    accuracies = sweep(settings.maps, [(encoders, settings.anchors, settings.training)], spec.seed)
    return {
        f"gain_{n}": accuracies[f"{n}_robust"][0] - accuracies[f"{n}_plain"][0] for n in ("own", "stitched")
    }, {}


def _anchors(spec: Spec) -> Found:
    settings, encoders = spec.protocol, _held(spec)
    generator = source(spec.seed, "anchors")
    order = choose_anchors(encoders.pool[0], max(settings.counts), settings.choice, generator)
    variants = [(encoders, order[:count], settings.training) for count in settings.counts]
    if settings.choice == "kmeans":
        draws = (choose_anchors(encoders.pool[0], count, "kmeans", generator) for count in settings.counts)
        variants = [(encoders, places, settings.training) for places in draws]
    return sweep(settings.maps, variants, spec.seed), {}


def _widths(spec: Spec) -> Found:
    settings, encoders = spec.protocol, _held(spec)
    variants = [
        (encoders.of(settings.kinds, w), settings.anchors, settings.training) for w in settings.widths
    ]
    return sweep(settings.maps, variants, spec.seed), {}


def _rates(spec: Spec) -> Found:
    settings, encoders = spec.protocol, _held(spec)
    rates = [replace(settings.training, learning_rate=settings.learning_rate * f) for f in settings.factors]
    variants = [(encoders, settings.anchors, rate) for rate in rates]
    return sweep(settings.maps, variants, spec.seed), {}


def _trained(spec: Spec) -> Found:
    """How near the tested passages are to an isometry and a scale in two networks, all pairs of four."""
    everything = encoded(spec.protocol, spec.seed)
    networks = everything.of(NETWORKS)
    spaces = networks.test if spec.arm == "trained" else everything.untrained
    similarities: dict[str, list[float]] = {}
    for (i, one), (j, other) in product(enumerate(networks.names), repeat=2):
        if i < j:
            similarity = isometric_similarity(spaces[i], spaces[j])
            language = "language" if one[0] != other[0] else "seed"
            for name in ("similarity", f"similarity_{language}"):
                similarities.setdefault(f"procrustes_{name}", []).append(similarity)
    return {name: sum(values) / len(values) for name, values in similarities.items()}, {}


def _exact(spec: Spec) -> Found:
    """Claims 1 to 3 on random points and matrices, in float64."""
    generator = source(spec.seed, "exact")
    return invariance_violations(generator) | intertwiner_residuals(generator), {}


_MEASURED: dict[str, Callable[[Spec], Found]] = {
    "relative_robust_wide": _gain,
    "relative_robust_narrow": _gain,
    "anchors-random": _anchors,
    "anchors-far": _anchors,
    "anchors-kmeans": _anchors,
    "widths": _widths,
    "rates": _rates,
    "trained": _trained,
    "untrained": _trained,
    "exact": _exact,
}

SMOKE = Settings(
    dataset="invented", width=24, used_width=24, features=500, fitted=500, labelled=40, tested=30, pool=96,
    anchors=64, network_epochs=2, epochs=6, batch_size=50, learning_rate=5e-3, counts=(8, 32, 96),
    widths=(4, 8, 16), factors=(0.1, 1.0),
)  # fmt: skip
TABLE = (
    Arm("absolute", "absolute", {"map": "absolute"}),
    Arm("relative_vanilla", "relative, divided by √k as released", {"map": "plain_scaled"}),
    Arm("relative_unscaled", "relative, as on the poster"),
    Arm("relative_robust", "relative, robust", {"map": "robust"}),
    Arm("relative_centred", "relative, centred only", {"map": "centred"}),
    Arm("relative_robust_scaled", "robust, divided by √k", {"map": "robust_scaled"}),
    Arm("relative_robust_own", "robust, anchors by their own statistics", {"map": "robust_own"}),
    Arm("relative_robust_wide", "robust less plain, whole width", {"kinds": VIEWS}),
    Arm("relative_robust_narrow", "robust less plain, 16 wide", {"kinds": VIEWS, "used_width": 16}),
    Arm("trained", "trained networks"),
    Arm("untrained", "the same before training"),
    Arm("exact", "exact claims"),
)
OF_TOKENS = tuple(
    Arm(f"{arm.name}-tokens", f"{arm.title}, on ids of words", {**arm.changes, "kinds": TOKENS})
    for arm in TABLE[:4]
)
FEWER = {"kinds": (*VIEWS, NETWORKS[0])}
ABLATIONS = (
    *(Arm(f"anchors-{how}", f"number of anchors, {how}", {"choice": how, **FEWER}, table=False)
      for how in ("random", "far", "kmeans")),
    Arm("widths", "width of the latents", {"kinds": VIEWS}, table=False),
    Arm("rates", "learning rate", {"maps": ("plain", "plain_scaled", "robust"), **FEWER}, table=False),
)  # fmt: skip
PAPER = Settings()

EXPERIMENT = Experiment(
    name="relative_representations/s13_robust_relative",
    title="Robust relative representations and stitching",
    protocols={"smoke": SMOKE, "short": PAPER, "reduced": PAPER, "paper": PAPER},
    arms=(*TABLE, *OF_TOKENS, *ABLATIONS),
    seeds={"smoke": 2, "short": 3, "reduced": 5, "paper": 10},
    ablation_seeds={"smoke": 1, "short": 1, "reduced": 2, "paper": 3},
    measure=measure,
    minutes={"smoke": 0.02, "short": 0.3, "reduced": 0.3, "paper": 0.3},
    together=tuple(tuple(arm.name for arm in arms) for arms in (TABLE, OF_TOKENS, ABLATIONS)),
    priority=70,
)
