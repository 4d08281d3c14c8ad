"""Paper 2, section 4.2: embeddings in two dimensions through training (Figure 1), and how they are clustered.

The paper normalises the two outputs by batch norm here, "exceptionally": under L2 they would lie on a circle.
Both are arms; so is cross-entropy behind a bottleneck of two dimensions, left as it is or batch-normalised.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.evaluation import (
    class_elongation,
    initial_distance_correlation,
    knn_error,
    model_error,
    silhouette,
)
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.networks import Network, Observer
from lggkit.experiments.recipes.embedder import (
    CROSS_ENTROPY,
    GRAPH_SMOOTHNESS,
    REDUCED_TRAINING,
    SHORT_TRAINING,
    SMOKE_TRAINING,
    Embedder,
    OfEmbedder,
)
from lggkit.latents import latents
from lggkit.record import Record, Spec
from lggkit.training import TrainResult

FILM_SEED = 42_000
NEIGHBORS = 10
PLANE = Embedder(dimension=2, normalization="batch_norm")


@dataclass(frozen=True)
class Settings(OfEmbedder):
    """Section 4.2's settings.

    The embeddings of ``points`` training images, the same in every run, are kept at ``moments``, epochs from
    0 to the last. ``base`` other training images classify ``queries`` test images.

    Raises:
        ValueError: the moments do not rise from 0 to the last epoch.
    """

    embedder: Embedder = field(default_factory=lambda: PLANE)
    moments: tuple[int, ...] = (0, 5, 20, 100, 150, 200)
    points: int = 1000
    base: int = 5000
    queries: int = 10_000

    def __post_init__(self) -> None:
        epochs, rising = self.embedder.own_training.epochs, sorted(set(self.moments))
        if list(self.moments) != rising or rising[:1] != [0] or rising[-1] != epochs or epochs < 1:
            raise ValueError(f"moments are {self.moments}; give epochs that rise from 0 to {epochs}")


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: how clustered the classes are at every moment, and the film itself."""
    settings = specs[0].protocol
    shown = filmed_images(settings, context.data(settings.embedder.data_name))
    depths = {spec.protocol.description: spec.protocol.embedder.embedding_depth for spec in specs}

    def look(network: Network, model: nn.Module) -> dict[str, Tensor]:
        return {"film": frame_of(model, shown.images, depths[network])}

    observer = Observer(f"film of {settings.points} points, seed {FILM_SEED}", look, settings.moments)
    for spec, result in trained(specs, context, observer).items():
        if result.diverged is not None:
            yield context.record(spec, {}, **how_trained(result))
            continue
        begun, (metrics, arrays) = time.monotonic(), _of_network(spec.protocol, result, shown, context)
        seconds = time.monotonic() - begun
        yield context.record(spec, metrics, arrays=arrays, seconds=seconds, **how_trained(result))


def filmed_images(settings: Settings, data: DataSet) -> DataSet:
    """The training images whose embeddings are kept."""
    return data.subset(_order(len(data), data.device)[: settings.points])


def _order(n: int, device: torch.device) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(FILM_SEED)).to(device)


@torch.no_grad()
def frame_of(model: nn.Module, images: Tensor, depth: str) -> Tensor:
    """Embeddings (n, d) of uint8 images under their own batch statistics, as a step of training sees them.

    Running statistics are 0 and 1 before the first step and lag behind a high learning rate: they would show
    networks that nobody trains. The model itself is left as it is.
    """
    twin = copy.deepcopy(model).train()
    return latents(twin, to_float(images), [depth])[depth]


def _of_network(
    settings: Settings, result: TrainResult, shown: DataSet, context: Context
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    film, labels = torch.stack(result.seen["film"]), shown.labels.cpu()
    metrics = _of_film(film, labels) | _errors(settings, result.model, context)
    metrics["final_train_loss"] = settings.embedder.final_loss(result)
    return metrics, {
        "embeddings": film.numpy().astype(np.float16),
        "epochs": np.array(settings.moments),
        "labels": labels.numpy().astype(np.uint8),
        "class_names": np.array(shown.classes, dtype=str),
    }


def _of_film(film: Tensor, labels: Tensor) -> dict[str, Any]:
    """Clustering of the embeddings (n, 2) at every moment of a film, and at its end."""
    measures = {
        "class_elongation": lambda frame: class_elongation(frame, labels),
        "silhouette": lambda frame: silhouette(frame, labels),
        "silhouette_cosine": lambda frame: silhouette(frame, labels, metric="cosine"),
        "initial_distance_correlation": lambda frame: initial_distance_correlation(film[0], frame),
    }
    by_moment = {name: [measure(frame) for frame in film] for name, measure in measures.items()}
    ends = {name: values[-1] for name, values in by_moment.items()}
    return ends | {f"{name}_by_moment": values for name, values in by_moment.items()}


def _errors(settings: Settings, model: nn.Module, context: Context) -> dict[str, float]:
    """10-NN error in two dimensions, and that of a network which classifies by itself."""
    embedder = settings.embedder
    data, test = context.data(embedder.data_name), context.data(embedder.data_name, train=False)
    base = data.subset(_order(len(data), data.device)[-settings.base :])
    parts = (embedder.embedded(model, part) for part in (base, test.first(settings.queries)))
    (known, known_labels), (asked, labels) = parts
    errors = {"error_10nn": knn_error(known, known_labels, asked, labels, NEIGHBORS)}
    return errors | ({"test_error": model_error(model, test)} if embedder.by_cross_entropy else {})


SMOKE = Settings(
    embedder=replace(
        PLANE,
        stand_in="digits",
        loss=GRAPH_SMOOTHNESS,
        network="small_net",
        width=4,
        training=replace(SMOKE_TRAINING, epochs=2),
    ),
    moments=(0, 1, 2),
    points=300,
    base=600,
    queries=300,
)
SHORT = Settings(
    embedder=replace(PLANE, loss=GRAPH_SMOOTHNESS, width=8, training=SHORT_TRAINING),
    moments=(0, 1, 2, 3, 4),
    queries=2000,
)
REDUCED = replace(
    SHORT, embedder=replace(SHORT.embedder, training=REDUCED_TRAINING), moments=(0, 1, 2, 4, 8, 16)
)
BOTTLENECK = {"loss": CROSS_ENTROPY, "normalization": None}

EXPERIMENT = Experiment(
    name="graph_smoothness_loss/s42_visualisation",
    title="Embeddings in two dimensions through training (Figure 1)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": Settings()},
    arms=(
        Arm("cross_entropy", "cross-entropy, bottleneck", BOTTLENECK),
        Arm("cross_entropy_batch_norm", "cross-entropy, batch norm", {"loss": CROSS_ENTROPY}),
        Arm("graph_smoothness", "graph smoothness, batch norm"),
        Arm("graph_smoothness_l2", "graph smoothness, L2", {"normalization": "l2"}),
    ),
    seeds={"smoke": 2, "short": 3, "reduced": 3, "paper": 3},
    measure=measure,
    together=(("cross_entropy", "cross_entropy_batch_norm", "graph_smoothness", "graph_smoothness_l2"),),
    minutes={"smoke": 0.02, "short": 8, "reduced": 20, "paper": 8},
    priority=40,
)
