"""Local affine maps of classifiers of images: in clusters, and carried from one network to another."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import to_float
from lggkit.evaluation import maps
from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.map_networks import KINDS, built, fit
from lggkit.regions import activation_patterns, dual_points, local_affine_maps

SOURCES = (*KINDS, "input", "untrained")


def images(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables 1 and 2 for one draw of four networks, with the controls; pictures for the first seed."""
    (x, labels), (asked, truth) = (_images(settings, context, part) for part in (True, False))
    networks = {kind: _trained(kind, settings, x, labels, seed) for kind in KINDS}
    untrained = built("conv1", settings, x.shape[-1], seed + 1000).eval().requires_grad_(False)
    base, test = x[: settings.mapped], asked
    metrics: dict[str, Any] = _originals(networks, base, test, truth)
    points = {kind: (_points(n, base), _points(n, test)) for kind, n in networks.items()}
    metrics["map_error"] = max(maps.map_error(n, points[kind][1], test) for kind, n in networks.items())
    for kind, (known, unknown) in points.items():
        for k in settings.clusters:
            share = maps.clustered_accuracy(known, unknown, test, truth, k, seed)
            metrics[f"clustered_{kind}_{k}"] = share
    for k in settings.clusters:
        others = [metrics[f"clustered_{kind}_{k}"] for kind in KINDS if kind != "resnet"]
        metrics[f"least_other_{k}"] = min(others)
    points["untrained"] = (_points(untrained, base), _points(untrained, test))
    points["input"] = tuple(maps.input_points(part, 10) for part in (base, test))
    metrics |= _carried(points, test, truth, seed)
    drawn = {kind: unknown[settings.drawn].float().numpy() for kind, (_, unknown) in points.items()}
    arrays = {f"maps_{kind}": drawn[kind] for kind in KINDS}
    return metrics, {**arrays, "image": test[settings.drawn].numpy()} if seed == 0 else {}


def _images(settings: Any, context: Context, train: bool) -> tuple[Tensor, Tensor]:
    data = context.data(settings.stand_in or settings.dataset, train)
    count = settings.training if train else settings.asked
    mean, std = (part.view(-1, 1, 1).cpu() for part in (data.mean, data.std))
    images = F.avg_pool2d(to_float(data.images[:count]).cpu(), settings.pool)
    return (images - mean) / std, data.labels[:count].cpu()


def _trained(kind: str, settings: Any, x: Tensor, labels: Tensor, seed: int) -> nn.Module:
    network = built(kind, settings, x.shape[-1], seed)
    deep = kind == "resnet"
    sgd, epochs = (settings.deep_sgd, settings.deep_epochs) if deep else (settings.sgd, settings.image_epochs)
    return fit(network, x, labels, sgd, epochs, settings.deep_batch if deep else settings.image_batch, seed)


def _points(network: nn.Module, x: Tensor) -> Tensor:
    return dual_points(*local_affine_maps(network, x))


def _originals(networks: dict[str, nn.Module], base: Tensor, test: Tensor, truth: Tensor) -> dict[str, Any]:
    """Accuracies, and which share of the base images (%) lies in a cell of its own."""
    metrics: dict[str, Any] = {"chance": 10.0, "all": 100.0, "middle": 65.0, "bar": 85.0, "zero": 0.0}
    for kind, network in networks.items():
        metrics[f"original_{kind}"] = maps.accuracy(network(test), truth)
        _, counts = activation_patterns(network, base).unique(dim=0, return_counts=True)
        metrics[f"own_{kind}"] = 100 * (counts == 1).sum().item() / len(base)
    return metrics


def _carried(points: dict[str, tuple[Tensor, Tensor]], test: Tensor, truth: Tensor, seed: int):
    """Table 2, with and without the column of offsets, and what rows in another order come to."""
    known, unknown = ({kind: points[kind][i] for kind in KINDS} for i in (0, 1))
    order = torch.randperm(len(known["dense"]), generator=torch.Generator().manual_seed(seed))
    shuffled = {kind: known[kind][order] for kind in ("conv2", "resnet")}
    rows = {name: (points[name], known) for name in SOURCES} | {"shuffled": (points["conv1"], shuffled)}
    metrics: dict[str, Any] = {}
    for name, (own, targets) in rows.items():
        accuracies = maps.carried(own, targets, {kind: unknown[kind] for kind in targets}, test, truth)
        metrics |= {_named(metric, name): value for metric, value in accuracies.items()}
    full = {kind: maps.point_accuracy(unknown[kind], test, truth) for kind in KINDS}
    for kind in KINDS:
        metrics[f"bare_original_{kind}"] = maps.point_accuracy(unknown[kind][..., :-1], test, truth)
    pairs = [(a, b) for a in KINDS for b in KINDS if a != b]
    metrics["above_ends"] = max(metrics[f"mapped_{a}_{b}"] - min(full[a], full[b]) for a, b in pairs)
    return metrics


def _named(metric: str, source: str) -> str:
    start, _, target = metric.rpartition("_")
    return f"{start}_{source}_{target}"
