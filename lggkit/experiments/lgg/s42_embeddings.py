"""Paper 1, section 4.2: latent embeddings by label variation beside losses that also pull a class together.

Section 2 posits that pushing classes apart makes more robust embeddings than gathering each as well; it
names no measurement. Here all losses train the same network on the same batches, have outputs of 200
dimensions on the unit sphere and answer by a vote of ten neighbours under the protocol of section 4.4 of the
paper on the graph smoothness loss, whose networks of cross-entropy and of that loss are those used here.
Options of the other losses are the defaults of their authors or of pytorch-metric-learning, and not tuned;
neither are k, d and alpha of the graph smoothness loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from statistics import mean
from typing import Any

from torch import nn

from lggkit.evaluation import clusters_per_class, scatter_ratio, silhouette
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.corruption_runs import CorruptionSettings, robustness_records
from lggkit.experiments.embedding import EmbeddingLoss
from lggkit.experiments.embedding_runs import build_network, embeddings, train_networks
from lggkit.experiments.graph_smoothness_loss import s44_robustness as s44
from lggkit.record import Record, Spec

PEERS = {
    "triplet": "triplet, batch-hard",
    "soft_nearest_neighbor": "soft nearest neighbour",
    "supervised_contrastive": "supervised contrastive",
}


@dataclass(frozen=True)
class Settings(CorruptionSettings):
    """Settings of section 4.4; how the classes lie is seen on the first ``cluster_sample`` test images."""

    cluster_sample: int = 2000


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean and corrupted, MCE and relative MCE, and how the classes lie."""
    return robustness_records(specs, reference_of, context, more=_of_classes)


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
    return Arm(name, title, {**changes, "loss": EmbeddingLoss(name)})


EXPERIMENT = Experiment(
    name="lgg/s42_embeddings",
    title="Latent embeddings: label variation beside losses that gather a class (Table 2)",
    protocols={
        "smoke": _of_section_44("smoke", corruption_images=200, cluster_sample=200),
        "reduced": _of_section_44("reduced"),
        "paper": _of_section_44("paper"),
    },
    arms=(
        _arm_of_section_44("cross_entropy", "cross-entropy"),
        _arm_of_section_44("graph_smoothness", "graph smoothness"),
        *(_peer(name, title) for name, title in PEERS.items()),
    ),
    seeds={"smoke": 2, "reduced": 3, "paper": 3},
    measure=measure,
    build=build_network,
    train=train_networks,
    together=(("cross_entropy", "graph_smoothness", *PEERS),),
    minutes={"smoke": 0.02, "reduced": 8, "paper": 5},
    priority=45,
)
