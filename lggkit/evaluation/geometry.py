"""What the depths of a network look like as graphs: label variation over many small draws of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lggkit import graph
from lggkit.data import DataSet, to_float
from lggkit.data.checks import as_integer, as_labels
from lggkit.evaluation.accuracy import evaluating
from lggkit.evaluation.neighbors import latents_at
from lggkit.graph.variation import DENOMINATORS
from lggkit.latents import latents

MEAN_DRAW_SEED, MEAN_NEIGHBORS = 41_000, 5


@dataclass(frozen=True)
class Draws:
    """Small class-balanced batches: ``indices`` and ``labels`` (draws, n), both int64."""

    indices: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True)
class Geometry:
    """Graphs of all draws at one depth and what was measured on them.

    ``adjacency`` (draws, n, n); ``variation`` by denominator and ``inter_edges``, each (draws,).
    """

    adjacency: Tensor
    variation: Mapping[str, Tensor]
    inter_edges: Tensor


def balanced_draws(
    labels: Tensor, count: int, classes: int, per_class: int, generator: torch.Generator
) -> Draws:
    """``count`` draws of ``per_class`` images from each of ``classes`` classes, without repetition in a draw.

    All classes that have enough images are equally likely, whatever their labels.

    Args:
        labels: class of every image of the data set, integers (images,), any device.
        generator: of the CPU; the draws depend on nothing else.

    Raises:
        TypeError: ``labels`` are no integers, or a number is none.
        ValueError: a number is not positive, ``labels`` are not (images,), or fewer classes than a draw needs
            have enough images.
    """
    labels = as_labels(labels, len(labels)).cpu()
    count, classes = as_integer("count", count, 1), as_integer("classes", classes, 1)
    per_class = as_integer("per_class", per_class, 1)
    members = [torch.nonzero(labels == c).flatten() for c in labels.unique()]
    enough = [places for places in members if len(places) >= per_class]
    if len(enough) < classes:
        sizes = f"{len(members)} classes, {len(enough)} of them with so many"
        if members:
            sizes += f", the smallest of {min(map(len, members))} images"
        raise ValueError(f"a draw needs {classes} classes with {per_class} images each; the set has {sizes}")
    indices = torch.stack([_draw(enough, classes, per_class, generator) for _ in range(count)])
    return Draws(indices, labels[indices])


def _draw(members: Sequence[Tensor], classes: int, per_class: int, generator: torch.Generator) -> Tensor:
    chosen = torch.randperm(len(members), generator=generator)[:classes].tolist()
    picks = [members[c][torch.randperm(len(members[c]), generator=generator)[:per_class]] for c in chosen]
    return torch.cat(picks)


@torch.no_grad()
def geometries(
    model: nn.Module, images: Tensor, draws: Draws, depths: Sequence[str], k: int, chunk: int = 25
) -> dict[str, Geometry]:
    """The unnormalised kNN graph of every draw at every depth, with its label variation.

    Args:
        model: takes images in [0, 1], (n, c, h, w); put into evaluation mode and back.
        images: the data set, uint8 (images, c, h, w), on the model's device.
        depths: names for `lggkit.latents`; ``input`` is the images, ``output`` the logits.
        k: neighbours of each vertex.
        chunk: draws that go through the network at once.

    Similarity is the paper's rule (section 3.3): cosine where no entry is negative, which holds for the
    images and after every ReLU, the Gaussian kernel with its median bandwidth for the logits.
    """
    parts: dict[str, list[Tensor]] = {depth: [] for depth in depths}
    with evaluating(model):
        for indices in draws.indices.split(chunk):
            batch = to_float(images[indices.flatten().to(images.device)])
            for depth, values in latents(model, batch, depths).items():
                parts[depth].append(_graphs(values.flatten(1).unflatten(0, tuple(indices.shape)), depth, k))
    return {depth: _measure(torch.cat(graphs), draws.labels, k) for depth, graphs in parts.items()}


def _graphs(x: Tensor, depth: str, k: int) -> Tensor:
    kernel = {"similarity": "rbf", "bandwidth": "median"} if depth == "output" else {"similarity": "cosine"}
    return graph.latent_geometry_graph(x, k=k, normalized=False, **kernel).cpu()


def _measure(adjacency: Tensor, labels: Tensor, k: int) -> Geometry:
    variation = {
        denominator: graph.normalized_label_variation(adjacency, labels, k, denominator=denominator)
        for denominator in DENOMINATORS
    }
    return Geometry(adjacency, variation, graph.inter_class_edges(adjacency, labels))


def mean_variations(model: nn.Module, data: DataSet, count: int, per_class: int) -> list[float]:
    """Mean label variation over balanced draws at every depth of a network, from the input to the logits.

    Graphs of k = 5 neighbours and the denominator n·k, as in paper 1's Figure 2. The draws, ``count`` of them
    with ``per_class`` images of every class, are the same for every network.
    """
    source = torch.Generator().manual_seed(MEAN_DRAW_SEED)
    draws = balanced_draws(data.labels, count, len(data.classes), per_class, source)
    by_depth = geometries(model, data.images, draws, ("input", *model.depths, "output"), MEAN_NEIGHBORS)
    return [geometry.variation[DENOMINATORS[0]].mean().item() for geometry in by_depth.values()]


def whole_set_variations(model: nn.Module, data: DataSet, depths: Sequence[str], k: int) -> list[float]:
    """Normalised label variation of one graph of all images, at each depth; the draws' for a whole set.

    Cosine graphs with ``k`` neighbours by `lggkit.graph.knn_graph`, denominator n·k. A depth at a time is in
    memory.
    """
    graphs = (graph.knn_graph(latents_at(model, data.images, depth), k, normalized=False) for depth in depths)
    return [float(each.normalized_label_variation(data.labels.cpu(), k)) for each in graphs]


def share_falling(ordered: Sequence[Geometry]) -> float:
    """The share of draws whose label variation falls at every step through the given depths."""
    values = torch.stack([geometry.variation[DENOMINATORS[0]] for geometry in ordered])
    return (values.diff(dim=0) < 0).all(dim=0).double().mean().item()
