"""Paper 1, section 4.2: latent embeddings by label variation beside losses that also pull a class together.

Section 2 posits that pushing classes apart makes more robust embeddings than gathering each as well; it
names no measurement. Here all losses train the same network on the same batches, have outputs of 200
dimensions on the unit sphere and answer by a vote of ten neighbours under the protocol of section 4.4 of the
paper on the graph smoothness loss, whose networks of cross-entropy and of that loss are those used here.
One option of each of the others (`RIVALS`) was searched for at reduced scale, by arms of a sweep, which hold
training images out: the one with the least error on them is in the table. The graph smoothness loss had such
a search over its size (`GRAPH_SMOOTHNESS`), and none over k, d and alpha.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from statistics import mean
from typing import Any

from torch import nn

from lggkit.evaluation import clusters_per_class, knn_error, scatter_ratio, silhouette
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.corruption_runs import CorruptionSettings, robustness_records
from lggkit.experiments.embedding import EmbeddingLoss
from lggkit.experiments.embedding_runs import (
    PAPER_SWEEP_TRAINING,
    SMOKE_SWEEP_TRAINING,
    build_network,
    embedded,
    embeddings,
    history,
    split_images,
    train_networks,
    trained,
)
from lggkit.experiments.graph_smoothness_loss import s44_robustness as s44
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


SWEEPS = (
    Sweep("triplet", "triplet, batch-hard", EmbeddingLoss("triplet"), "margin", (0.1, 0.3, 1.0)),
    Sweep("triplet", "triplet, batch-all", EmbeddingLoss("triplet", mining="all"), "margin", (0.1, 0.3, 1.0)),
    Sweep(
        "soft_nearest_neighbor",
        PEERS["soft_nearest_neighbor"],
        EmbeddingLoss("soft_nearest_neighbor"),
        "temperature",
        (0.03, 0.1, 0.3),
    ),
    Sweep(
        "supervised_contrastive",
        PEERS["supervised_contrastive"],
        EmbeddingLoss("supervised_contrastive"),
        "temperature",
        (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    ),
)
"""What was tried: values half a power of ten apart, further ones where the outermost came out best."""


@dataclass(frozen=True)
class Settings(CorruptionSettings):
    """Settings of section 4.4; how the classes lie is seen on the first ``cluster_sample`` test images."""

    cluster_sample: int = 2000


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean and corrupted, MCE and relative MCE, and how the classes lie.

    Of a sweep, errors on clean images alone.
    """
    swept = [spec for spec in specs if spec.protocol.sweep]
    others = [spec for spec in specs if not spec.protocol.sweep]
    yield from robustness_records(others, reference_of, context, more=_of_classes)
    yield from _of_sweep(swept, context)


def reference_of(spec: Spec) -> Spec:
    """The run whose errors those of a spec are divided by: the cross-entropy network of the same seed."""
    return EXPERIMENT.spec("cross_entropy", spec.scale, spec.seed)


def _of_classes(spec: Spec, model: nn.Module, context: Context) -> dict[str, Any]:
    settings, test = spec.protocol, context.data(spec.protocol.data_name, train=False)
    some = test.subset(range(min(settings.cluster_sample, len(test))))
    points, labels = embeddings(model, some.images, settings), some.labels.cpu()
    return {
        "clusters_per_class": mean(clusters_per_class(points, labels)),
        "scatter_ratio": scatter_ratio(points, labels),
        "silhouette": silhouette(points, labels),
    }


def _of_sweep(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    for spec, result in trained(specs, context).items():
        begun = time.monotonic()
        metrics = _clean_errors(result.model, spec.protocol, context) if result.diverged is None else {}
        yield context.record(spec, metrics, **history(spec, result, measuring=time.monotonic() - begun))


def _clean_errors(model: nn.Module, settings: Settings, context: Context) -> dict[str, float]:
    """Errors of ten neighbours, in percent, on the images held out and on the test images."""
    kept, held = split_images(settings, context)
    asked = {"validation_error_10nn": held, "error_10nn": context.data(settings.data_name, train=False)}
    base = embedded(model, kept, settings)
    return {name: knn_error(*base, *embedded(model, data, settings), 10) for name, data in asked.items()}


def _of_section_44(scale: str, **changes: Any) -> Settings:
    """Section 4.4's settings at a scale, so that its networks are shared."""
    protocol = s44.EXPERIMENT.protocols[scale]
    shared = {f.name: getattr(protocol, f.name) for f in fields(CorruptionSettings)}
    return Settings(**shared | changes)


def _arm_of_section_44(name: str, title: str) -> Arm:
    return Arm(name, title, s44.EXPERIMENT.arm(name).changes)


def _peer(name: str, title: str) -> Arm:
    """An arm that differs from graph smoothness in nothing but the loss."""
    changes = s44.EXPERIMENT.arm("graph_smoothness").changes
    return Arm(name, title, {**changes, "loss": RIVALS[name]})


def _swept(sweep: Sweep) -> tuple[Arm, ...]:
    """Arms that differ from a peer's in the loss's options, and hold training images out."""
    peer = _peer(sweep.rival, sweep.title).changes

    def arm(value: float, name: str) -> Arm:
        changes = {**peer, "loss": replace(sweep.loss, **{sweep.option: value}), "sweep": True}
        return Arm(name, f"{sweep.title}, {sweep.option} {value:g}", changes, table=False)

    return tuple(arm(value, name) for value, name in sweep.arms.items())


SWEPT = tuple(map(_swept, SWEEPS))


EXPERIMENT = Experiment(
    name="lgg/s42_embeddings",
    title="Latent embeddings: label variation beside losses that gather a class (Table 2)",
    protocols={
        "smoke": _of_section_44(
            "smoke",
            corruption_images=200,
            cluster_sample=200,
            sweep_training=SMOKE_SWEEP_TRAINING,
            held_out=200,
        ),
        "reduced": _of_section_44("reduced"),
        "paper": _of_section_44("paper", sweep_training=PAPER_SWEEP_TRAINING),
    },
    arms=(
        _arm_of_section_44("cross_entropy", "cross-entropy"),
        _arm_of_section_44("graph_smoothness", "graph smoothness"),
        *(_peer(name, title) for name, title in PEERS.items()),
        *chain.from_iterable(SWEPT),
    ),
    seeds={"smoke": 2, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "reduced": 1, "paper": 1},
    measure=measure,
    build=build_network,
    train=train_networks,
    together=(
        ("cross_entropy", "graph_smoothness", *PEERS),
        *(tuple(arm.name for arm in arms) for arms in SWEPT),
    ),
    minutes={"smoke": 0.02, "reduced": 8, "paper": 5},
    priority=45,
)
