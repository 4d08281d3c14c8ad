"""Paper "Geometries of learning", article 5: Schubert varieties of best fit of sets of cats and dogs.

A seed is a split of the images. All arms of a seed have the same split, training sets and test sets. The work
is done in the span of the images, which changes no angle, but for the article's solver, whose first weights
are uniform in the space of pixels.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes import set_arms, set_measures
from lggkit.experiments.recipes.set_arms import Drawn, Found
from lggkit.experiments.recipes.set_heads import Head
from lggkit.experiments.recipes.sets import Points, grouped, points
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec


@dataclass(frozen=True)
class Settings(Protocol):
    """Article 5's settings; ``kind`` and ``maker`` say what an arm measures, and of which subspaces."""

    kind: str = "prototypes"
    maker: str = "schubert"
    dataset: str = "catdog"
    classes: tuple[int, int] = (0, 1)
    per_class: int = 121
    pixels: str = "unit"
    share: float = 0.78
    sizes: tuple[int, ...] = (1, 2, 3, 4, 5)
    dims: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    groupings: int = 5
    starts: int = 1
    head: Head = field(default_factory=Head)
    adam_steps: int = 40_000
    adam_dimension: int = 4
    timed_n: tuple[int, ...] = (64, 512, 4096)
    timed_k: tuple[int, ...] = (8, 32, 128, 512)
    timed_l: tuple[int, ...] = (1, 4, 16, 64)
    timed_sets: int = 100


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec."""
    by_place: dict[Any, Points] = {}
    fits: dict[Any, torch.Tensor] = {}
    for spec in specs:
        begun, s = time.monotonic(), spec.protocol
        metrics, arrays, curves = (
            ALONE[s.kind](spec) if s.kind in ALONE else _of_images(spec, by_place, fits, context)
        )
        precision = "float32" if s.kind in ("solver", "timing") else "float64"
        how = {"arrays": arrays, "curves": curves, "precision": precision, "path": f"cpu, {precision}"}
        yield context.record(spec, metrics, seconds=time.monotonic() - begun, **how)


def _of_images(
    spec: Spec, by_place: dict[Any, Points], fits: dict[Any, torch.Tensor], context: Context
) -> Found:
    s = spec.protocol
    place = (s.dataset, s.classes, s.per_class, s.pixels)
    if place not in by_place:
        by_place[place] = points(context, *place)
    return KINDS[s.kind](Drawn(s, spec.seed, by_place[place], fits))


def _solver(drawn: Drawn) -> Found:
    """The article's solver in the space of pixels, in float32, on ten sets of two cats."""
    s = drawn.settings
    whole = replace(drawn.train, vectors=drawn.train.vectors @ drawn.whole.frame.T)
    pairs = grouped(whole, 2, torch.Generator().manual_seed(1000 * drawn.seed + 9))
    x = pairs.of(0)[: set_arms.FITTED].float()
    metrics, curves = set_measures.against_adam(x, s.adam_dimension, s.adam_steps, drawn.seed)
    return metrics, {}, curves


def _timing(spec: Spec) -> Found:
    """Table 1 on this processor: milliseconds of a step, rows k and l, columns n, and their growth."""
    s = spec.protocol
    milliseconds = {
        (k, l, n): set_measures.step_milliseconds(n, k, l, s.timed_sets, 2)
        for k in s.timed_k
        for l in s.timed_l
        for n in s.timed_n
    }
    most, some, wide = s.timed_n[-1], s.timed_l[1], s.timed_k[1:]
    in_k = set_measures.log_slope(wide, [milliseconds[k, some, most] for k in wide])
    in_l = set_measures.log_slope(s.timed_l, [milliseconds[s.timed_k[1], l, most] for l in s.timed_l])
    times = {f"ms_k{k}_l{l}_n{n}": value for (k, l, n), value in milliseconds.items()}
    return times | {"slope_k": in_k, "slope_l": in_l, "slope_one": 1.0}, {}, {}


def _exact(spec: Spec) -> Found:
    """What holds of any subspaces, on random ones in float64."""
    return set_measures.identities(torch.Generator().manual_seed(spec.seed)), {}, {}


KINDS = {
    "prototypes": set_arms.prototypes,
    "coordinates": set_arms.coordinates,
    "node": set_arms.node,
    "tanh": set_arms.tanh,
    "fit": set_arms.fit,
    "images": set_arms.images,
    "angles": set_arms.angles,
    "solver": _solver,
}
ALONE = {"timing": _timing, "exact": _exact}

SMOKE = Settings(
    dataset="digits",
    classes=(3, 5),
    per_class=60,
    sizes=(1, 2, 3),
    dims=(1, 2, 4, 6),
    groupings=1,
    head=Head(steps=30),
    adam_steps=1000,
    timed_n=(16, 32),
    timed_k=(2, 4, 8),
    timed_l=(1, 2),
    timed_sets=5,
)
SHORT = Settings(dims=(1, 2, 3, 4, 6, 8, 10), sizes=(1, 2, 3, 5), groupings=3, adam_steps=10_000)
PIXELS = {"centred": "less the mean image", "image": "each image to [-1, 1]"}
PROTOTYPES = {
    "svbf": ("schubert", "algorithm II: best fit"),
    "flag_mean": ("flag_mean", "flag mean of the sets"),
    "pca": ("pca", "class PCA without centring"),
    "pca_centred": ("pca_centred", "class PCA with centring"),
}
FEW = {"smoke": 1, "short": 2, "reduced": 3, "paper": 3}

EXPERIMENT = Experiment(
    name="geometries_of_learning/a05_schubert_best_fit",
    title="Schubert varieties of best fit",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": SHORT, "paper": Settings()},
    arms=(
        *(Arm(f"{name}_prototypes", title, {"maker": made}) for name, (made, title) in PROTOTYPES.items()),
        Arm("svbf_coordinates", "algorithm I: best fit", {"kind": "coordinates"}),
        Arm("pca_coordinates", "algorithm I: PCA", {"kind": "coordinates", "maker": "pca"}),
        Arm("svbf_node", "algorithm III: node and head", {"kind": "node"}),
        Arm("tanh_layer", "a layer of tanh units", {"kind": "tanh"}),
        Arm("fit", "fits against k", {"kind": "fit"}),
        Arm("images", "prototypes as images", {"kind": "images"}),
        Arm("solver", "the article's solver", {"kind": "solver"}, seeds=FEW),
        Arm("timing", "times of a step", {"kind": "timing"}, seeds=FEW),
        Arm("exact", "exact claims", {"kind": "exact"}, seeds=FEW),
        *(
            Arm(f"{name}_prototypes-{pixels}", f"{title}, {what}", {"maker": made, "pixels": pixels}, False)
            for pixels, what in PIXELS.items()
            for name, (made, title) in PROTOTYPES.items()
            if name != "flag_mean"
        ),
        Arm("angles", "angles of test sets", {"kind": "angles"}, False),
    ),
    seeds={"smoke": 2, "short": 10, "reduced": 20, "paper": 40},
    ablation_seeds={"smoke": 1, "short": 2, "reduced": 5, "paper": 10},
    measure=measure,
    together=(("svbf_coordinates", "svbf_node"),),
    minutes={"smoke": 0.02, "short": 0.1, "reduced": 0.1, "paper": 0.2},
    priority=90,
)
