"""What article 4 measures of local affine maps: accuracies of clustered and of carried ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lggkit.regions import MapAlignment, cluster_maps, dual_outputs, map_fits
from lggkit.similarity import r2_score


def accuracy(outputs: Tensor, labels: Tensor) -> float:
    """The share (%) of outputs (n, k) whose largest one is the label's."""
    return 100 * (outputs.argmax(1) == labels).double().mean().item()


def point_accuracy(points: Tensor, x: Tensor, labels: Tensor) -> float:
    """The accuracy (%) of dual points (n, k, m + 1) at the inputs that they belong to."""
    return accuracy(dual_outputs(points, x), labels)


def map_error(network: nn.Module, points: Tensor, x: Tensor) -> float:
    """The most by which ``W x + b`` differs from a network's output."""
    return (dual_outputs(points, x) - network(x)).abs().max().item()


def clustered_accuracy(known: Tensor, unknown: Tensor, x: Tensor, labels: Tensor, k: int, seed: int) -> float:
    """The accuracy (%) at x of the nearest of k centres of the ``known`` points, an output."""
    return accuracy(cluster_maps(known, k, seed).outputs(unknown, x), labels)


def input_points(x: Tensor, outputs: int) -> Tensor:
    """Inputs ``(x, 1)`` themselves in the place of dual points (n, outputs, m + 1): a control."""
    flat = x.flatten(1)
    return torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)[:, None].expand(-1, outputs, -1)


def carried(
    source: tuple[Tensor, Tensor],
    known: Mapping[str, Tensor],
    unknown: Mapping[str, Tensor],
    x: Tensor,
    labels: Tensor,
) -> dict[str, float]:
    """Accuracy (%) and R² of what a source's dual points are carried to, for each target network.

    Names are ``mapped_…`` and ``r2_…``, and with ``bare_`` before them where the column of offsets is left
    out on both sides. R² is over all entries of an output's points, the mean over outputs.

    Args:
        source: dual points of the training inputs, on which maps are fitted, and of the test inputs.
        known, unknown: those of the targets, by name, all (n, k, m + 1).
        x, labels: the test inputs.
    """
    wanted = torch.cat([cloud[..., :-1] for cloud in known.values()], dim=2)
    offsets = torch.cat([cloud[..., -1:] for cloud in known.values()], dim=2)
    fits = map_fits(source[0], torch.cat([wanted, offsets], dim=2))
    whole = MapAlignment(tuple(fit.solve() for fit in fits))(source[1])
    count, width = len(known), source[1].shape[2] - 1
    part = slice(0, width), slice(0, wanted.shape[2])
    bare = MapAlignment(tuple(fit.part(*part).solve() for fit in fits))(source[1][..., :-1])
    scores = {}
    for place, (name, truth) in enumerate(unknown.items()):
        own = slice(place * width, (place + 1) * width)
        full = torch.cat([whole[..., own], whole[..., place - count, None]], dim=2)
        scores |= {f"mapped_{name}": point_accuracy(full, x, labels), f"r2_{name}": _r2(full, truth)}
        given = bare[..., own]
        scores |= {f"bare_mapped_{name}": point_accuracy(given, x, labels)}
        scores |= {f"bare_r2_{name}": _r2(given, truth[..., :-1])}
    return scores


def _r2(given: Tensor, truth: Tensor) -> float:
    pairs = zip(given.unbind(1), truth.unbind(1), strict=True)
    return torch.stack([r2_score(a, b) for a, b in pairs]).mean().item()
