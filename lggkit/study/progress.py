"""How far a training by the graph smoothness loss has gone, where the least that it can reach is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lggkit.data import DATASETS
from lggkit.objectives import least_pair_loss
from lggkit.record import Record
from lggkit.study.network_ledger import Training
from lggkit.study.words import class_count, data_name


def progress(record: Record, training: Training | None = None) -> float | None:
    """(loss at random weights − loss at the end) / (loss at random weights − least possible), a share.

    Losses are the mean edge weights of pairs of distinct classes that the record has, else those of its
    network's training. None where either is not there, or the least is not known.
    """
    least, ends = least_loss(record.settings), _ends(record, training)
    if least is None or ends is None or not ends[0] > least:
        return None
    begun, ended = ends
    return (begun - ended) / (begun - least)


def least_loss(settings: Mapping[str, Any]) -> float | None:
    """The least mean edge weight that an embedding of a record's settings can have.

    Known are all pairs of normalised outputs in enough dimensions for every class to be the corner of a
    regular simplex; None for all else.
    """
    loss = _loss(settings)
    if loss.get("loss") != "graph_smoothness" or loss.get("k") is not None:
        return None
    if settings.get("normalization") != "l2" or data_name(settings) not in DATASETS:
        return None
    classes = settings.get("classes_kept") or class_count(settings)
    if (settings.get("dimension") or classes) < classes - 1:
        return None
    return least_pair_loss(classes, loss["alpha"])


def _loss(settings: Mapping[str, Any]) -> dict[str, Any]:
    loss = settings.get("loss")
    return {**loss, **dict(settings.get("loss_changes") or ())} if isinstance(loss, Mapping) else {}


def _ends(record: Record, training: Training | None) -> tuple[float, float] | None:
    """The mean edge weight at random weights and at the end."""
    metrics = record.metrics
    if "initial_pair_loss" in metrics and "final_pair_loss" in metrics:
        return metrics["initial_pair_loss"], metrics["final_pair_loss"]
    found = () if training is None else (training.first_loss, training.last_loss)
    if not found or not all(value is not None and math.isfinite(value) for value in found):
        return None
    size = _pairs(record.settings) * _loss(record.settings).get("weight", 1.0)
    return found[0] / size, found[1] / size


def _pairs(settings: Mapping[str, Any]) -> float:
    """How many ordered pairs of distinct classes a loss is summed over, in a batch of equal classes."""
    if _loss(settings).get("reduction") == "mean":
        return 1.0
    classes = settings.get("classes_kept") or class_count(settings)
    return settings["training"]["batch_size"] ** 2 * (classes - 1) / classes
