"""Paper 2, section 4.3: classification on embeddings by graph smoothness (Table 1), sweeps of k, d and alpha.

The paper tunes k, d and alpha for Table 1 and prints none: at paper scale the table's arms have the defaults
of its sweeps (all pairs, as many dimensions as classes, alpha 2) and its loss, a sum over some 9,000 pairs.
Arms of a sweep leave 5,000 training images for validation, so that a choice needs no test image. Shorter
schedules take the mean over pairs times a factor: in sweeps the best of `WEIGHTS` at short scale; in tables
`TUNED`, the best of `SEARCH` at reduced scale, first of four alphas, then of larger factors until one errs
more. Horizontal flips are left out on SVHN, whose classes are digits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean
from typing import Any

import torch
from torch import nn

from lggkit.evaluation import clusters_per_class, knn_error, model_error, scatter_ratio
from lggkit.evaluation.embeddings import classifier_errors
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.lockstep import begun_run
from lggkit.experiments.recipes.answers import new_class_errors, pair_loss
from lggkit.experiments.recipes.embedder import (
    AS_IN_SWEEPS,
    CROSS_ENTROPY,
    GRAPH_SMOOTHNESS,
    PAPER_EMBEDDER,
    REDUCED_EMBEDDER,
    SHORT_EMBEDDER,
    SMOKE_EMBEDDER,
    TUNED,
    OfEmbedder,
)
from lggkit.experiments.recipes.embedding import EmbeddingLoss
from lggkit.objectives import pair_sum_violation
from lggkit.record import Record, Spec
from lggkit.training import TrainResult
from lggkit.training.step_time import relative_step_time


@dataclass(frozen=True)
class Settings(OfEmbedder):
    """Section 4.3's settings.

    The SVC is chosen and fitted on ``svc_subset`` training embeddings at most. A step is timed
    ``timed_steps`` times, and the loss a pair is that of the first ``pair_batches`` training batches.
    """

    svc_subset: int = 10_000
    timed_steps: int = 20
    pair_batches: int = 4

    @property
    def in_table(self) -> bool:
        """Whether every classifier is tried and the step is timed."""
        return not self.embedder.sweep and self.embedder.classes_kept is None


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors of classifiers on the embedding, its clusters, losses, a step's time."""
    results = trained([spec for spec in specs if spec.protocol.embedder.trained], context)
    for spec in specs:
        if spec not in results:
            metrics = {"pair_sum_violation": pair_sum_violation(torch.Generator().manual_seed(spec.seed))}
            yield context.record(spec, metrics, precision="float64", path="cpu, float64")
            continue
        begun, result = time.monotonic(), results[spec]
        metrics = _of_network(spec, result, context) if result.diverged is None else {}
        yield context.record(spec, metrics, seconds=time.monotonic() - begun, **how_trained(result))


def _of_network(spec: Spec, result: TrainResult, context: Context) -> dict[str, Any]:
    settings, model, embedder = spec.protocol, result.model, spec.protocol.embedder
    metrics = _of_embedding(spec, model, context)
    metrics["final_train_loss"] = embedder.final_loss(result)
    if embedder.by_cross_entropy and embedder.classes_kept is None:
        metrics["test_error"] = model_error(model, context.data(embedder.data_name, train=False))
    if not embedder.by_cross_entropy:
        before = embedder.description.untrained(spec.seed, context).train()
        for name, network in {"initial_pair_loss": before, "final_pair_loss": model.eval()}.items():
            metrics[name] = pair_loss(network, embedder, spec.seed, context, settings.pair_batches)
    if settings.in_table:
        reference = replace(embedder, loss=CROSS_ENTROPY, dimension=None).description
        pair = (begun_run(network, spec.seed, context) for network in (embedder.description, reference))
        same = embedder.description == reference
        metrics["relative_step_time"] = 1.0 if same else relative_step_time(*pair, settings.timed_steps)
    return metrics


def _of_embedding(spec: Spec, model: nn.Module, context: Context) -> dict[str, Any]:
    """What classifiers make of the embedding, all classes of the data set included, and how it lies."""
    embedder = spec.protocol.embedder
    training, validation = embedder.images.split(context)
    test = context.data(embedder.data_name, train=False)
    base, queries = (embedder.embedded(model, data) for data in (training, test))
    metrics: dict[str, Any] = {"error_10nn": knn_error(*base, *queries, 10)}
    if embedder.sweep:
        metrics["validation_error_10nn"] = knn_error(*base, *embedder.embedded(model, validation), 10)
    if spec.protocol.in_table:
        metrics |= classifier_errors(base, queries, spec.protocol.svc_subset)
    if embedder.classes_kept is not None:
        metrics |= new_class_errors(embedder, spec.seed, base, queries, context)
    clusters = clusters_per_class(*queries)
    return metrics | {
        "clusters_per_class": fmean(clusters),
        "clusters_by_class": clusters,
        "scatter_ratio": scatter_ratio(*queries),
    }


ADAM = (("optimizer", "adam"), ("learning_rate", 1e-3), ("nesterov", False))
OF_SET: dict[str, dict[str, Any]] = {
    "cifar10": {},
    "cifar100": {"dataset": "cifar100", "training_changes": ADAM},
    "svhn": {"dataset": "svhn", "training_changes": (("flip", False),)},
}
TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN"}
SEEDS = {"cifar10": {}, "cifar100": {"smoke": 1}, "svhn": {"smoke": 1, "short": 0, "reduced": 0, "paper": 0}}
LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "cross_entropy": ("Cross-entropy", {**AS_IN_SWEEPS, "loss": CROSS_ENTROPY}),
    "graph_smoothness": ("Graph smoothness", {}),
}


def _table_arm(loss: str, name: str) -> Arm:
    title, chosen = LOSSES[loss]
    table = name != "svhn"
    changes = {**chosen, **OF_SET[name]}
    return Arm(f"{loss}-{name}", f"{title}, {TITLES[name]}", changes, table=table, seeds=SEEDS[name])


def _swept(name: str, title: str, **changes: Any) -> Arm:
    return Arm(f"{name}-cifar10", title, {**AS_IN_SWEEPS, "sweep": True, **changes}, table=False)


def _weighed(weight: int, d: int | None = None, alpha: float = GRAPH_SMOOTHNESS.alpha) -> Arm:
    name, title = (f"_d{d}", f", d = {d}") if d else ("", "")
    if alpha != GRAPH_SMOOTHNESS.alpha:
        name, title = f"{name}_alpha{alpha:g}", f"{title}, α = {alpha:g}"
    loss = replace(GRAPH_SMOOTHNESS, alpha=alpha, weight=float(weight))
    return _swept(f"weight{weight}{name}", f"mean × {weight}{title}", loss=loss, dimension=d)


def _eight(name: str, title: str, **changes: Any) -> Arm:
    changes = {"classes_kept": 8, **changes}
    return Arm(f"{name}_8of10-cifar10", f"{title}, trained on 8 classes", changes, table=False)


TABLE = tuple(_table_arm(loss, name) for name in OF_SET for loss in LOSSES)
NEIGHBORS = tuple(_swept(f"k{k}", f"k = {k}", loss_changes=(("k", k),)) for k in (1, 5, 10, 20, 50))
ALL_PAIRS = _swept("kmax", "all pairs")
DIMENSIONS = tuple(_swept(f"d{d}", f"d = {d}", dimension=d) for d in (2, 5, 10, 20, 50, 200))
SCALES = tuple(
    _swept(f"alpha{a:g}", f"α = {a:g}", loss_changes=(("alpha", a),))
    for a in (0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0)
)
SIZES = tuple(
    replace(_weighed(weight, alpha=dict(TUNED)["alpha"]), seeds={"short": 0, "paper": 0})
    for weight in (100, 1000)
)
SEARCH = (*(arm.name for arm in SCALES[:4]), *(arm.name for arm in SIZES))
"""Their errors on images held out decide, at reduced scale, what tables below paper scale have."""
WEIGHTS, WIDE_WEIGHTS = (tuple(_weighed(w, d) for w in (1, 10, 100, 1000)) for d in (None, 200))
VARIANTS = (
    _swept("unnormalized", "not normalised", normalization=None),
    _swept("sum_reduction", "sum over pairs", loss=EmbeddingLoss()),
)
EIGHT = (
    *(_eight(loss, title, **changes) for loss, (title, changes) in LOSSES.items()),
    _eight("graph_smoothness_d200", "Graph smoothness, d = 200", dimension=200),
)
GROUPS = ((*NEIGHBORS, ALL_PAIRS), DIMENSIONS, SCALES, (*WEIGHTS, *VARIANTS), WIDE_WEIGHTS, SIZES, EIGHT)
EXACT = Arm("exact", "exact claims", {**AS_IN_SWEEPS, "trained": False})
SMOKE = Settings(
    embedder=SMOKE_EMBEDDER,
    svc_subset=200,
    timed_steps=3,
    pair_batches=1,
)
SHORT = Settings(embedder=SHORT_EMBEDDER, svc_subset=5000)
REDUCED = replace(SHORT, embedder=REDUCED_EMBEDDER)
PAPER = Settings(embedder=PAPER_EMBEDDER)

EXPERIMENT = Experiment(
    name="graph_smoothness_loss/s43_classification",
    title="Classification on embeddings by graph smoothness (Table 1)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=(*TABLE, EXACT, *chain.from_iterable(GROUPS)),
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "short": 1, "reduced": 1, "paper": 3},
    measure=measure,
    together=[[arm.name for arm in group] for group in (TABLE[:2], TABLE[2:4], TABLE[4:], *GROUPS)],
    minutes={"smoke": 0.01, "short": 12, "reduced": 25, "paper": 4},
    priority=20,
)
