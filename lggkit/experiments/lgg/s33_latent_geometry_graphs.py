"""Paper 1, section 3.3: label variation from the input to the penultimate depth (Figure 2), over many draws.

The paper draws 20 training images once (appendix B) and does not say how its ResNet-18 was trained; the
schedule here is that of the authors' code for section 4.1. Draws are the same for every network.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.evaluation import model_error
from lggkit.evaluation.clusters import rank_correlation
from lggkit.evaluation.geometry import (
    DENOMINATORS,
    Geometry,
    balanced_draws,
    geometries,
    share_falling,
    whole_set_variations,
)
from lggkit.evaluation.influence import (
    dimension_violation,
    normalization_influence,
    zero_variation_violations,
)
from lggkit.evaluation.neighbors import latents_at, neighbor_errors
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.networks import Architecture, Images, Network
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training import MultiStep, OneCycle, TrainConfig, TrainResult

DRAW_SEED = 20_200
SAMPLE_SEED = 20_201
INFLUENCE_BATCH = 128


@dataclass(frozen=True)
class Settings(Protocol):
    """Section 3.3's settings; ``middle`` names the depth that the paper calls so."""

    dataset: str = "cifar10"
    network: str = "resnet18"
    width: int = 64
    middle: str = "block4"
    trained: bool = True
    training: TrainConfig = field(default_factory=lambda: TrainConfig(epochs=200, schedule=MultiStep()))
    draws: int = 1000
    classes: int = 4
    per_class: int = 5
    k: int = 5
    neighbor_base: int = 5000
    neighbor_queries: int = 2000

    @property
    def figure_depths(self) -> dict[str, str]:
        """The three depths of Figure 2, by the paper's names."""
        return {"input": "input", "middle": self.middle, "penultimate": "penultimate"}

    @property
    def description(self) -> Network:
        """The trained network."""
        architecture = Architecture(self.network, (("width", self.width),))
        return Network(Images(self.dataset), architecture, self.training)


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: σ at every depth over the draws, and what else section 3.3 claims."""
    results = trained([spec for spec in specs if spec.arm != "exact" and spec.protocol.trained], context)
    for spec in specs:
        yield _exact(spec, context) if spec.arm == "exact" else _of_network(spec, results.get(spec), context)


def _of_network(spec: Spec, result: TrainResult | None, context: Context) -> Record:
    start, how = time.monotonic(), {} if result is None else how_trained(result)
    if result is not None and result.diverged is not None:
        return context.record(spec, {}, **how)
    model = spec.protocol.description.untrained(spec.seed, context) if result is None else result.model
    measured = _influence if spec.arm == "normalization" else _variation
    metrics, arrays = measured(spec, model, context)
    return context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - start, **how)


def _variation(spec: Spec, model: nn.Module, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    settings, data = spec.protocol, context.data(spec.protocol.dataset)
    test = context.data(settings.dataset, train=False)
    generator = torch.Generator().manual_seed(DRAW_SEED)
    draws = balanced_draws(data.labels, settings.draws, settings.classes, settings.per_class, generator)
    depths = ("input", *model.depths, "output")
    by_depth = geometries(model, data.images, draws, depths, settings.k)
    base, queries = _sample(data, settings.neighbor_base), _sample(test, settings.neighbor_queries)
    errors = neighbor_errors(model, base, queries, depths, settings.k)
    arrays = _arrays(by_depth, settings.figure_depths) | {
        "thumbnails": data.images[draws.indices[0]].cpu().numpy(),
        "labels": draws.labels[0].numpy(),
        "class_names": _names(data.classes),
    }
    whole = whole_set_variations(model, _sample(test, settings.neighbor_base), depths[:-1], settings.k)
    more = {"test_error": model_error(model, test), "sigma_whole_set_all_depths": whole}
    return _summary(by_depth, errors, settings) | more, arrays


def _summary(
    by_depth: Mapping[str, Geometry], errors: Mapping[str, float], settings: Settings
) -> dict[str, Any]:
    """Means over draws at each depth; those of Figure 2's three depths by name, with every denominator."""
    sigma = {depth: g.variation[DENOMINATORS[0]].mean().item() for depth, g in by_depth.items()}
    correlation = rank_correlation(list(sigma.values()), list(errors.values()))
    metrics: dict[str, Any] = {
        "sigma_all_depths": list(sigma.values()),
        "knn_error_all_depths": list(errors.values()),
        **({} if correlation is None else {"sigma_error_correlation": correlation}),
    }
    for name, depth in settings.figure_depths.items():
        geometry = by_depth[depth]
        metrics[f"sigma_{name}"] = sigma[depth]
        metrics[f"sigma_{name}_sd"] = geometry.variation[DENOMINATORS[0]].std().item()
        metrics[f"inter_edges_{name}"] = geometry.inter_edges.double().mean().item()
        metrics[f"knn_error_{name}"] = errors[depth]
        for other in DENOMINATORS[1:]:
            metrics[f"sigma_{name}_{other.replace('-', '_')}"] = geometry.variation[other].mean().item()
    falls = share_falling([by_depth[depth] for depth in settings.figure_depths.values()])
    return metrics | {"share_of_draws_falling": falls}


def _arrays(by_depth: Mapping[str, Geometry], figure_depths: Mapping[str, str]) -> dict[str, Any]:
    """σ of every draw at every depth, and the graphs of draw 0 at Figure 2's depths."""
    arrays = {f"adjacency_{name}": by_depth[d].adjacency[0].numpy() for name, d in figure_depths.items()}
    sigma = torch.stack([g.variation[DENOMINATORS[0]] for g in by_depth.values()], dim=1)
    return arrays | {"sigma": sigma.float().numpy(), "depths": _names(by_depth)}


def _names(texts: Iterable[str]) -> np.ndarray:
    return np.array(list(texts), dtype=str)


def _sample(data: DataSet, size: int) -> DataSet:
    generator = torch.Generator().manual_seed(SAMPLE_SEED)
    return data.subset(torch.randperm(len(data), generator=generator)[:size])


def _influence(spec: Spec, model: nn.Module, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Claims 10 and 20, on one batch at every depth and at the last."""
    batch = _sample(context.data(spec.protocol.dataset), INFLUENCE_BATCH).images
    values = [latents_at(model, batch, depth) for depth in ("input", *model.depths)]
    generator = torch.Generator().manual_seed(SAMPLE_SEED + spec.seed)
    return normalization_influence(values, generator), {}


def _exact(spec: Spec, context: Context) -> Record:
    """Claims 4 and 11 on random graphs and random embeddings, in float64."""
    generator = torch.Generator().manual_seed(spec.seed)
    metrics = {
        "variation_zero_iff_no_edge_violations": float(zero_variation_violations(generator)),
        "unequal_dimensions_violation": dimension_violation(generator),
    }
    return context.record(spec, metrics, precision="float64", path="cpu, float64")


SMOKE = Settings(
    dataset="digits",
    network="small_net",
    width=8,
    middle="middle",
    training=TrainConfig(epochs=3, batch_size=64, learning_rate=0.1, schedule=OneCycle(), augment=False),
    draws=100,
    neighbor_base=400,
    neighbor_queries=200,
)
SHORT = Settings(width=8, training=TrainConfig(epochs=6, learning_rate=0.2, schedule=OneCycle()))
REDUCED = replace(SHORT, training=replace(SHORT.training, epochs=18, precision="auto"))

EXPERIMENT = Experiment(
    name="lgg/s33_latent_geometry_graphs",
    title="Latent geometry graphs and label variation through a network (Figure 2)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": Settings()},
    arms=(
        Arm("resnet18", "trained network"),
        Arm("untrained", "the same network before training", {"trained": False}),
        Arm("normalization", "influence of dimension and of one sample"),
        Arm("exact", "exact claims"),
    ),
    seeds={"smoke": 2, "short": 5, "reduced": 3, "paper": 5},
    measure=measure,
    minutes={"smoke": 0.05, "short": 12, "reduced": 25, "paper": 3},
    priority=60,
)
