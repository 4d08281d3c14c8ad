"""Paper 1, section 4.2: latent embeddings by label variation beside losses that also pull a class together.

Section 2 posits that pushing classes apart makes more robust embeddings than gathering each as well; it
names no measurement. Here all losses train the same network on the same batches, have outputs of 200
dimensions on the unit sphere and answer by a vote of ten neighbours under the protocol of section 4.4 of the
paper on the graph smoothness loss, whose networks of cross-entropy and of that loss are those used here.
One option of each of the others (`RIVALS`) was searched for at short scale, by arms of a sweep, which hold
training images out: the one with the least error on them is in the table. At that scale the size of the graph
smoothness loss had such a search, and none over k, d and alpha; above it alpha and the size are `TUNED`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import mean
from typing import Any

from torch import nn

from lggkit.evaluation import clusters_per_class, scatter_ratio, silhouette
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.recipes.answers import (
    PAPER_BENCHMARK,
    REDUCED_BENCHMARK,
    SHORT_BENCHMARK,
    SMOKE_BENCHMARK,
    Answering,
    corrupted_errors,
    swept_errors,
)
from lggkit.experiments.recipes.embedder import (
    AS_IN_SWEEPS,
    CROSS_ENTROPY,
    PAPER_EMBEDDER,
    REDUCED_EMBEDDER,
    SHORT_EMBEDDER,
    SMOKE_EMBEDDER,
)
from lggkit.experiments.recipes.embedding import EmbeddingLoss
from lggkit.record import Record, Spec

PEERS = {
    "triplet": "triplet",
    "soft_nearest_neighbor": "soft nearest neighbour",
    "supervised_contrastive": "supervised contrastive",
}
RIVALS = {
    "triplet": EmbeddingLoss("triplet", margin=0.3, mining="all"),
    "soft_nearest_neighbor": EmbeddingLoss("soft_nearest_neighbor", temperature=0.1),
    "supervised_contrastive": EmbeddingLoss("supervised_contrastive", temperature=0.01),
}
"""The other losses with their options in the table."""


@dataclass(frozen=True)
class Sweep:
    """Values of one ``option`` of a rival's ``loss``, which are tried on images held out of training."""

    rival: str
    title: str
    loss: EmbeddingLoss
    option: str
    values: tuple[float, ...]

    @property
    def arms(self) -> dict[float, str]:
        """The name of each value's arm."""
        name = self.rival if self.loss.mining == "hard" else f"{self.rival}_{self.loss.mining}"
        return {value: f"{name}-{self.option}{value:g}" for value in self.values}


def _temperatures(rival: str, *values: float) -> Sweep:
    return Sweep(rival, PEERS[rival], EmbeddingLoss(rival), "temperature", values)


SWEEPS = (
    Sweep("triplet", "triplet, batch-hard", EmbeddingLoss("triplet"), "margin", (0.1, 0.3, 1.0)),
    Sweep("triplet", "triplet, batch-all", EmbeddingLoss("triplet", mining="all"), "margin", (0.1, 0.3, 1.0)),
    _temperatures("soft_nearest_neighbor", 0.03, 0.1, 0.3),
    _temperatures("supervised_contrastive", 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
)
"""What was tried: values half a power of ten apart, further ones where the outermost came out best."""


@dataclass(frozen=True)
class Settings(Answering):
    """How networks answer, under which corruptions; classes are seen on ``cluster_sample`` test images."""

    cluster_sample: int = 2000


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean and corrupted, and how the classes lie.

    Of a sweep, errors on clean images alone.
    """
    results = trained(specs, context)
    begun = time.monotonic()
    errors = corrupted_errors({s: r for s, r in results.items() if not s.protocol.embedder.sweep}, context)
    shared = (time.monotonic() - begun) / max(len(errors), 1)
    for spec, result in results.items():
        begun, metrics, how = time.monotonic(), errors.get(spec, {}), how_trained(result)
        if result.diverged is None:
            metrics |= _of_network(result.model, spec.protocol, context)
        seconds = time.monotonic() - begun + (shared if spec in errors else 0.0)
        yield context.record(spec, metrics, seconds=seconds, **how)


def _of_network(model: nn.Module, settings: Settings, context: Context) -> dict[str, Any]:
    if settings.embedder.sweep:
        return swept_errors(settings.embedder, model, context)
    test = context.data(settings.embedder.data_name, train=False)
    points, labels = settings.embedder.embedded(model, test.first(settings.cluster_sample))
    return {
        "clusters_per_class": mean(clusters_per_class(points, labels)),
        "scatter_ratio": scatter_ratio(points, labels),
        "silhouette": silhouette(points, labels),
    }


TABLE = {
    "cross_entropy": Arm("cross_entropy", "cross-entropy", {**AS_IN_SWEEPS, "loss": CROSS_ENTROPY}),
    "graph_smoothness": Arm("graph_smoothness", "graph smoothness", {"dimension": 200, "vote": 10}),
}


def _peer(name: str, title: str) -> Arm:
    """An arm that differs from graph smoothness in nothing but the loss."""
    return Arm(name, title, {**TABLE["graph_smoothness"].changes, **AS_IN_SWEEPS, "loss": RIVALS[name]})


def _swept(sweep: Sweep) -> tuple[Arm, ...]:
    """Arms that differ from a peer's in the loss's options, and hold training images out.

    None is tried on corrupted images, so that they keep the version that they were recorded with.
    """
    peer = {**_peer(sweep.rival, sweep.title).changes, "corruption_version": 1}

    def arm(value: float, name: str) -> Arm:
        changes = {**peer, "loss": replace(sweep.loss, **{sweep.option: value}), "sweep": True}
        return Arm(name, f"{sweep.title}, {sweep.option} {value:g}", changes, table=False)

    return tuple(arm(value, name) for value, name in sweep.arms.items())


SWEPT = tuple(map(_swept, SWEEPS))
SMOKE = Settings(
    embedder=SMOKE_EMBEDDER,
    benchmark=replace(SMOKE_BENCHMARK, corruption_images=60),
    cluster_sample=200,
)
SHORT = Settings(embedder=SHORT_EMBEDDER, benchmark=SHORT_BENCHMARK)
REDUCED = Settings(embedder=REDUCED_EMBEDDER, benchmark=REDUCED_BENCHMARK)
PAPER = Settings(embedder=PAPER_EMBEDDER, benchmark=PAPER_BENCHMARK)

EXPERIMENT = Experiment(
    name="lgg/s42_embeddings",
    title="Latent embeddings: label variation beside losses that gather a class (Table 2)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=(
        *TABLE.values(),
        *(_peer(name, title) for name, title in PEERS.items()),
        *chain.from_iterable(SWEPT),
    ),
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "short": 1, "reduced": 1, "paper": 1},
    measure=measure,
    reference="cross_entropy",
    derived=("corruption",),
    together=(
        ("cross_entropy", "graph_smoothness", *PEERS),
        *(tuple(arm.name for arm in arms) for arms in SWEPT),
    ),
    minutes={"smoke": 0.02, "short": 8, "reduced": 20, "paper": 5},
    priority=45,
)
