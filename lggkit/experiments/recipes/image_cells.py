"""Cells of classifiers of images: facets, balls in several boxes, bits that steps of several rules change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.evaluation import pieces
from lggkit.evaluation.measured_cells import (
    MeasuredCell,
    facets_that_differ,
    measured_cells,
    split_by_answer,
)
from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.digit_pieces import classifier, perturbed
from lggkit.experiments.recipes.held import Held
from lggkit.experiments.recipes.small_mlps import accuracy_of
from lggkit.regions import Polyhedron

MOVED, ANSWERS = ("fgsm", "signs"), ("right", "wrong")


def _thin(settings: Any, shape: tuple[int, int]) -> tuple[int, int]:
    return shape[0], shape[1] // settings.thin


def _around(x: Tensor, margin: float) -> Polyhedron:
    return Polyhedron.box(x.amin(0) - margin, x.amax(0) + margin, x.shape[1])


def rules(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hamming responses on pixels by each rule of sampling, with the misclassified and equal norms apart."""
    shape = _thin(settings, settings.grid[0])
    network, fit, train, test = classifier(settings, shape, seed, False, Held(context))
    metrics = {"train_accuracy": fit, "test_accuracy": accuracy_of(network, *test)}
    return metrics | _responses(settings, network, train, test, seed, settings.epsilon, (0, 1)), {}


def _responses(settings: Any, network: nn.Module, train, test, seed: int, size: float, bounds) -> dict:
    groups = {"train": train[0][: settings.images]}
    groups |= perturbed(settings, network, test, seed, size, bounds)
    labels = test[1][: settings.images]
    for name in ("test", "fgsm"):
        parts = split_by_answer(network, groups[name], labels)
        groups |= {f"{name}_{word}": groups[name][p] for word, p in zip(ANSWERS, parts, strict=True)}
    scale = groups["test"].norm(dim=1, keepdim=True) / groups["fgsm"].norm(dim=1, keepdim=True)
    groups["fgsm_equal_norm"] = groups["fgsm"] * scale
    found = {"fgsm_error": 100 * len(groups["fgsm_wrong"]) / len(labels)}
    for rule in pieces.RULES:
        for name, x in groups.items():
            if len(x) > 1:
                found[f"response_{rule}_{name}"] = _mean_response(network, x, settings.distances, rule, seed)
    return found


def _mean_response(network: nn.Module, x: Tensor, distances: tuple, rule: str, seed: int) -> float:
    source = torch.Generator().manual_seed(seed)
    return float(np.mean([pieces.hamming_response(network, x, d, source, rule) for d in distances]))


def cells(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """On principal components: the cells of five sets, how far moved ones lie apart, and responses."""
    shape, size = _thin(settings, settings.grid[0]), settings.component_epsilon
    network, fit, train, test = classifier(settings, shape, seed, True, Held(context))
    few = replace(settings, images=settings.balls)
    missed = test[0][split_by_answer(network, *test)[1]][: settings.balls]
    groups = {"train": train[0][: settings.balls]} | perturbed(few, network, test, seed, size, None)
    groups |= {"wrong": missed} if len(missed) else {}
    spread = torch.cat([train[0], *groups.values()])
    boxes = {name: _around(spread, margin) for name, margin in settings.boxes}
    found = {name: measured_cells(network, x, boxes, settings.facets) for name, x in groups.items()}
    metrics = {"train_accuracy": fit, "test_accuracy": accuracy_of(network, *test)}
    for name, some in found.items():
        metrics |= _summary(name, some)
    fooled = split_by_answer(network, groups["fgsm"], test[1][: settings.balls])
    for word, part in zip(ANSWERS, fooled, strict=True):
        some = [cell for cell, hit in zip(found["fgsm"], part.tolist(), strict=True) if hit]
        metrics |= _summary(f"fgsm_{word}", some) if some else {}
    if settings.facets:
        metrics |= {f"apart_{name}": _apart(found["test"], found[name], size) for name in MOVED}
        metrics["methods_differ"] = facets_that_differ(
            network, groups["test"][: settings.checked], boxes["near"]
        )
    metrics |= _responses(settings, network, train, test, seed, size, None)
    return metrics, _arrays(found)


def _summary(name: str, some: list[MeasuredCell]) -> dict[str, float]:
    """Means of a set: radii by box, room, and of facets and bounds where they were counted."""
    means = {f"radius_{box}_{name}": np.mean([cell.radii[box] for cell in some]) for box in some[0].radii}
    means[f"room_{name}"] = np.mean([cell.room for cell in some])
    if some[0].facets is not None:
        means[f"facets_{name}"] = np.mean([cell.facets for cell in some])
        means[f"bounded_{name}"] = 100 * np.mean([cell.bounded for cell in some])
    return {metric: float(value) for metric, value in means.items()}


def _apart(tested: list[MeasuredCell], moved: list[MeasuredCell], size: float) -> float:
    """The mean distance of the cells of images and of the same ones moved, in percent of the step."""
    pairs = zip(tested, moved, strict=True)
    return 100 / size * float(np.mean([a.polyhedron.distance(b.polyhedron) for a, b in pairs]))


def _arrays(found: Mapping[str, list[MeasuredCell]]) -> dict[str, np.ndarray]:
    radii = {f"radii_{name}": np.array([cell.radii["near"] for cell in some]) for name, some in found.items()}
    counted = {name: some for name, some in found.items() if some[0].facets is not None}
    return radii | {f"facets_{n}": np.array([cell.facets for cell in some]) for n, some in counted.items()}


def counts(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Table 2: facets of the cells of a few training images, by nodes a layer and by input dimensions."""
    metrics: dict[str, Any] = {}
    for nominal in settings.grid:
        for dimension in settings.dimensions:
            shape, own = _thin(settings, nominal), replace(settings, components=dimension)
            network, fit, train, _ = classifier(own, shape, seed, True, Held(context))
            boxes = {"near": _around(train[0], 1.0)}
            some = measured_cells(network, train[0][: settings.counted], boxes)
            facets, label = [cell.facets for cell in some], f"{nominal[0]}x{nominal[1]}_{dimension}"
            metrics |= {f"fit_{label}": fit, f"facets_{label}": float(np.mean(facets))}
            metrics |= {f"least_{label}": min(facets), f"most_{label}": max(facets)}
            metrics[f"share_{label}"] = 100 * float(np.mean(facets)) / (shape[0] * shape[1])
            metrics[f"bounded_{label}"] = 100 * float(np.mean([cell.bounded for cell in some]))
    return metrics, {}
