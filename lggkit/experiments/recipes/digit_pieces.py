"""Pieces of classifiers of digits: neighbours, responses, segments and balls of several sets of images."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.data import to_float
from lggkit.evaluation import pieces
from lggkit.evaluation.clusters import rank_correlation
from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.held import Held
from lggkit.experiments.recipes.small_mlps import accuracy_of, fit_images, mlp
from lggkit.regions import Cells, Polyhedron


def _images(settings: Any, context: Context, train: bool) -> tuple[Tensor, Tensor]:
    data = context.data(settings.stand_in or settings.dataset, train)
    count = settings.training if train else settings.training // 4
    return to_float(data.images[:count]).flatten(1).cpu(), data.labels[:count].cpu()


@functools.lru_cache(maxsize=2)
def classifier(settings: Any, shape: tuple[int, int], seed: int, components: bool, context: Context):
    """A trained network with training and test inputs, images or their principal components."""
    train, test = (_images(settings, context, part) for part in (True, False))
    if components:
        middle = train[0].mean(0)
        axes = torch.linalg.eigh((train[0] - middle).T.cov())[1].flip(1)[:, : settings.components]
        train, test = (((x - middle) @ axes, labels) for x, labels in (train, test))
    widths = (train[0].shape[1], *[shape[1]] * shape[0], 10)
    network, fit = fit_images(widths, seed, *train, settings.most_epochs, settings.enough)
    return network, fit, train, test


def perturbed(settings: Any, network: nn.Module, test, seed: int, size: float, bounds) -> dict[str, Tensor]:
    """The first test inputs, and these moved by FGSM and by random signs of the same size."""
    x, labels = (part[: settings.images] for part in test)
    source = torch.Generator().manual_seed(seed)
    moved = {"fgsm": pieces.attacked(network, x, labels, size, bounds)}
    return {"test": x, **moved, "signs": pieces.noisy(x, size, source, bounds)}


def sets(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Neighbours of the same class, and Hamming responses of four sets at each distance."""
    network, fit, train, test = classifier(settings, settings.grid[0], seed, False, Held(context))
    metrics = {"train_accuracy": fit, "test_accuracy": accuracy_of(network, *test)}
    fresh = mlp((train[0].shape[1], *[settings.grid[0][1]] * settings.grid[0][0], 10), seed)
    for prefix, one in (("", network), ("untrained_", fresh.requires_grad_(False))):
        for split, queries in (("train", None), ("test", test)):
            rates = pieces.same_class_rates(one, train, queries)
            metrics |= {f"{prefix}same_class_{split}_{name}": rate for name, rate in rates.items()}
    groups = {"train": train[0][: settings.images]}
    groups |= perturbed(settings, network, test, seed, settings.epsilon, (0, 1))
    root = train[0].shape[1] ** 0.5
    for name, x in groups.items():
        source = torch.Generator().manual_seed(seed)
        near = [pieces.hamming_response(network, x, d, source) for d in settings.distances]
        far = [pieces.hamming_response(network, x, d * root, source) for d in settings.distances]
        metrics |= {f"response_{name}_{d:g}": n for d, n in zip(settings.distances, near, strict=True)}
        metrics |= {f"response_{name}": sum(near) / len(near), f"far_{name}": sum(far) / len(far)}
        metrics[f"far_{name}_all"] = far
    metrics["relative_test"] = 100 * metrics["response_test"] / metrics["response_train"]
    metrics["relative_train"] = 100.0
    wrong = network(groups["fgsm"]).argmax(1) != test[1][: settings.images]
    metrics["fgsm_error"] = 100 * wrong.double().mean().item()
    return metrics, {}


def depths(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Exact crossings between nearest training images, at every depth."""
    metrics, last = {}, {}
    for shape in settings.grid:
        network, fit, train, _ = classifier(settings, shape, seed, False, Held(context))
        pairs = pieces.nearest_pairs(train[0], settings.pairs)
        last = pieces.segments(Cells(network, train[0].shape[1:]), train[0], pairs, settings.bisected)
        met = np.array(last["crossings"]) + 1
        metrics |= {f"most_{shape[0]}": float(met.max()), f"mean_{shape[0]}": float(met.mean())}
        metrics |= {f"fit_{shape[0]}": fit}
        gap, apart = np.array(last["crossings"]) - last["hamming"], np.array(last["hamming"])
        metrics["crossings_below_hamming"] = metrics.get("crossings_below_hamming", 0) + float(
            (gap < 0).sum()
        )
        metrics["parity_violations"] = metrics.get("parity_violations", 0) + sum(last["unequal_bits"])
    first, final = settings.grid[0][0], settings.grid[-1][0]
    metrics["growth_most"] = metrics[f"most_{final}"] / metrics[f"most_{first}"]
    metrics["growth_mean"] = metrics[f"mean_{final}"] / metrics[f"mean_{first}"]
    metrics["gap_with_hamming"] = rank_correlation(gap.tolist(), apart.tolist()) or 0.0
    seen = last["bisection"]
    metrics["bisection_share"] = 100 * sum(seen) / sum(last["crossings"][: len(seen)])
    arrays = {name: np.array(last[name]) for name in ("crossings", "hamming")}
    return metrics, arrays


def balls(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """On principal components, the largest balls within the box of the training inputs, four sets."""
    network, fit, train, test = classifier(settings, settings.grid[0], seed, True, Held(context))
    size = settings.component_epsilon
    few = replace(settings, images=settings.balls)
    groups = {"train": train[0][: settings.balls]} | perturbed(few, network, test, seed, size, None)
    spread = torch.cat([train[0], *groups.values()])
    box = Polyhedron.box(spread.amin(0) - 1, spread.amax(0) + 1, spread.shape[1])
    radii = pieces.ball_radii(network, groups, box)
    wrong = (network(groups["fgsm"]).argmax(1) != test[1][: settings.balls]).numpy()
    metrics = {f"radius_{name}": float(np.mean(of_group)) for name, of_group in radii.items()}
    metrics |= {f"radius_{name}_sd": float(np.std(of_group, ddof=1)) for name, of_group in radii.items()}
    metrics |= {"train_accuracy": fit, "test_accuracy": accuracy_of(network, *test)}
    metrics |= {"fgsm_error": 100 * float(wrong.mean())}
    if wrong.any():
        metrics["radius_fgsm_wrong"] = float(np.array(radii["fgsm"])[wrong].mean())
    metrics["unbounded_share"] = 100 * pieces.unbounded_share(network, groups["test"][: settings.bisected])
    return metrics, {f"radii_{name}": np.array(of_group) for name, of_group in radii.items()}
