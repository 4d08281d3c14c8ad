"""What is computed from records when they are read: gains, means over a reference, accuracies."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lggkit.data import DATASETS
from lggkit.evaluation.corruption_means import (
    harmful_corruptions,
    mean_corrupted_error,
    mean_corruption_error,
    relative_mean_corruption_error,
)
from lggkit.experiments import Experiment
from lggkit.objectives import least_pair_loss
from lggkit.record import Record
from lggkit.study.records.network_ledger import Training
from lggkit.study.records.words import class_count, data_name

Metrics = Mapping[str, Any]
Rule = Callable[[Metrics, Metrics | None], dict[str, Any]]


def with_derived(
    experiment: Experiment, records: Iterable[Record], trainings: Mapping[str, Training] | None = None
) -> list[Record]:
    """Records of one section and scale with what the experiment derives from them, and their ``progress``.

    The reference is the complete record of ``experiment.reference`` of the same seed; without it nothing that
    needs one is there. A recorded metric of the same name gives way. ``trainings`` are those of the network
    ledger by key, from which the progress of a training is read where the record does not say it.
    """
    everyone = list(records)
    by_seed: dict[int, dict[str, Metrics]] = defaultdict(dict)
    for one in (one for one in everyone if one.status == "complete"):
        by_seed[one.seed][one.arm] = one.metrics
    known = trainings or {}
    return [
        _enriched(one, experiment, by_seed[one.seed], known.get(one.network))
        if one.status == "complete"
        else one
        for one in everyone
    ]


def _enriched(
    record: Record, experiment: Experiment, beside: Mapping[str, Metrics], training: Training | None
) -> Record:
    metrics = dict(record.metrics)
    for name in experiment.derived:
        if name in RULES:
            metrics |= RULES[name](record.metrics, beside.get(experiment.reference))
        else:
            shown = {
                arm.name: beside[arm.name] for arm in experiment.arms if arm.table and arm.name in beside
            }
            metrics |= AMONG_ARMS[name](record.arm, shown)
    gone = progress(record, training)
    metrics |= {} if gone is None else {"progress": gone}
    return record if metrics == record.metrics else dataclasses.replace(record, metrics=metrics)


def _gain(own: Metrics, reference: Metrics | None) -> dict[str, Any]:
    """Points that a student errs less than the reference, also doubled (the paper's relative gain)."""
    if reference is None or "consistency" not in own:
        return {}
    gain = reference["test_error"] - own["test_error"]
    return {"gain": gain, "gain_doubled": 2 * gain}


def _corruption(own: Metrics, reference: Metrics | None) -> dict[str, Any]:
    """Mean corrupted error, and MCE and relative MCE over the reference, in percent.

    The relative mean is over the corruptions of `harmful`; ``relative_corruptions`` counts them. There is no
    ``mce`` where a corruption leaves the reference without any error.
    """
    errors = errors_of(own)
    if not errors:
        return {}
    means: dict[str, Any] = {"mean_corrupted_error": mean_corrupted_error(errors)}
    if reference is None:
        return means
    theirs, names = errors_of(reference), harmful(reference)
    means["relative_corruptions"] = len(names)
    if all(map(any, theirs.values())):
        means["mce"] = mean_corruption_error(errors, theirs)
    if names:
        ours, others = ({name: side[name] for name in names} for side in (errors, theirs))
        clean, other = own["clean_error"], reference["clean_error"]
        means["relative_mce"] = relative_mean_corruption_error(ours, clean, others, other)
    return means


def _accuracy(own: Metrics, _: Metrics | None) -> dict[str, Any]:
    """100 less each error that has a name, and less the test error, which is that of clean images."""
    errors = {n.removeprefix("error_"): v for n, v in own.items() if n.startswith("error_")}
    clean = {"clean": own["test_error"]} if "test_error" in own else {}
    return {f"accuracy_{name}": 100 - error for name, error in {**clean, **errors}.items()}


def errors_of(metrics: Metrics) -> dict[str, Sequence[float]]:
    """Errors in percent by corruption, one a severity, of a record's metrics."""
    return {n.removeprefix("errors_"): v for n, v in metrics.items() if n.startswith("errors_")}


def harmful(reference: Metrics) -> list[str]:
    """The corruptions that do a reference harm, which the relative mean is over."""
    return harmful_corruptions(errors_of(reference), reference["clean_error"])


def _penalties(arm: str, beside: Mapping[str, Metrics]) -> dict[str, Any]:
    """Points of accuracy over the other methods on an arm's target, their halves, and the best there.

    A target ``cifar10-l_m`` has a teacher and a student; methods without a teacher are then on ``cifar10-m``.
    """
    method, _, target = arm.partition("-")
    targets = {target, re.sub(r"-[a-z]+_([a-z]+)$", r"-\1", target)}
    everyone = {tuple(name.split("-", 1)): one for name, one in beside.items() if "-" in name}
    ours = {m: one["accuracy"] for (m, t), one in everyone.items() if t in targets and "accuracy" in one}
    if method not in ours:
        return {}
    gains = {f"gain_over_{other}": ours[method] - ours[other] for other in ours if other != method}
    halves = {f"half_{name}": gain / 2 for name, gain in gains.items()}
    return {**gains, **halves, "best_accuracy": max(ours.values())}


RULES: dict[str, Rule] = {"gain": _gain, "corruption": _corruption, "accuracy": _accuracy}
"""Rules on a record and that of the reference."""
AMONG_ARMS: dict[str, Callable[[str, Mapping[str, Metrics]], dict[str, Any]]] = {"penalties": _penalties}
"""Rules on an arm and the metrics of all table arms with its seed."""


def progress(record: Record, training: Training | None = None) -> float | None:
    """(loss at random weights − loss at the end) / (loss at random weights − least possible), a share.

    Losses are the mean edge weights of pairs of distinct classes that the record has, else those of its
    network's training. None where either is not there, or the least is not known.
    """
    least = least_loss(record.settings)
    ends = None if least is None else _ends(record, training)
    if ends is None or not ends[0] > least:
        return None
    begun, ended = ends
    return (begun - ended) / (begun - least)


def least_loss(settings: Mapping[str, Any]) -> float | None:
    """The least mean edge weight that an embedding of a record's settings can have.

    Known are all pairs of normalised outputs in enough dimensions for every class to be the corner of a
    regular simplex; None for all else.
    """
    loss = loss_of(settings)
    if loss.get("loss") != "graph_smoothness" or loss.get("k") is not None:
        return None
    if settings.get("normalization") != "l2" or data_name(settings) not in DATASETS:
        return None
    classes = settings.get("classes_kept") or class_count(settings)
    if (settings.get("dimension") or classes) < classes - 1:
        return None
    return least_pair_loss(classes, loss["alpha"])


def loss_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The loss in a record's settings, with what a search or the arm changes of it; empty for none."""
    loss = settings.get("loss")
    changes = dict((*(settings.get("loss_chosen") or ()), *(settings.get("loss_changes") or ())))
    return {**loss, **changes} if isinstance(loss, Mapping) else {}


def _ends(record: Record, training: Training | None) -> tuple[float, float] | None:
    """The mean edge weight at random weights and at the end."""
    metrics = record.metrics
    if "initial_pair_loss" in metrics and "final_pair_loss" in metrics:
        return metrics["initial_pair_loss"], metrics["final_pair_loss"]
    losses = () if training is None else (training.first_loss, training.last_loss)
    if not losses or not all(value is not None and math.isfinite(value) for value in losses):
        return None
    size = _pairs(record.settings) * loss_of(record.settings).get("weight", 1.0)
    return losses[0] / size, losses[1] / size


def _pairs(settings: Mapping[str, Any]) -> float:
    """How many ordered pairs of distinct classes a loss is summed over, in a batch of equal classes."""
    if loss_of(settings).get("reduction") == "mean":
        return 1.0
    classes = settings.get("classes_kept") or class_count(settings)
    return settings["training"]["batch_size"] ** 2 * (classes - 1) / classes
