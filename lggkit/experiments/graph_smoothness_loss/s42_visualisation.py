"""Paper 2, section 4.2: embeddings in two dimensions through training (Figure 1), and how they are clustered.

The paper normalises the two outputs by batch norm here, "exceptionally": under L2 they would lie on a circle.
Both are arms; so is cross-entropy behind a bottleneck of two dimensions, left as it is or batch-normalised.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from lggkit.experiments.base import Arm, Context, Experiment, how_trained
from lggkit.experiments.embedding_runs import (
    CROSS_ENTROPY,
    GRAPH_SMOOTHNESS,
    REDUCED_TRAINING,
    SMOKE_TRAINING,
    EmbeddingSettings,
    build_network,
    embeddings,
    final_loss,
)
from lggkit.latents import latents
from lggkit.record import Record, Spec
from lggkit.training import TrainResult, train_many

FILM_SEED = 42_000
NEIGHBORS = 10


@dataclass(frozen=True)
class Settings(EmbeddingSettings):
    """Section 4.2's settings.

    The embeddings of ``points`` training images, the same in every run, are kept at ``moments``, epochs from
    0 to the last. ``base`` other training images classify ``queries`` test images.

    Raises:
        ValueError: the moments do not rise from 0 to the last epoch.
    """

    dimension: int | None = 2
    normalization: str | None = "batch_norm"
    moments: tuple[int, ...] = (0, 5, 20, 100, 150, 200)
    points: int = 1000
    base: int = 5000
    queries: int = 10_000

    def __post_init__(self) -> None:
        epochs, rising = self.own_training.epochs, sorted(set(self.moments))
        if list(self.moments) != rising or rising[:1] != [0] or rising[-1] != epochs or epochs < 1:
            raise ValueError(f"moments are {self.moments}; give epochs that rise from 0 to {epochs}")

    @property
    def every(self) -> int:
        """Epochs between two looks, so that every moment is looked at."""
        return math.gcd(*self.moments)

    @property
    def identity(self) -> tuple[Any, ...]:
        """As of any network; its film makes it one of its own."""
        return (*super().identity, "film", self.moments, self.points)


def build_filmed(spec: Spec, context: Context) -> nn.Module:
    """The untrained network of a spec, with room for its film (moments, points, 2).

    The film is part of the network so that it is kept, interrupted and taken up again with its weights.
    """
    settings, model = spec.protocol, build_network(spec, context)
    points = min(settings.points, len(context.data(settings.data_name)))
    film = torch.zeros(len(settings.moments), points, settings.own_dimension, device=context.device)
    model.register_buffer("film", film)
    model.register_buffer("looks", torch.zeros((), dtype=torch.int64, device=context.device))
    return model


def train_networks(specs: Sequence[Spec], context: Context) -> list[TrainResult]:
    """The trained and filmed networks of specs, all arms and seeds in lockstep."""
    protocol, data = specs[0].protocol, context.data(specs[0].protocol.data_name)
    settings = {build_filmed(spec, context): spec.protocol for spec in specs}
    images = filmed_images(protocol, data).images
    for model in settings:
        look(model, images, settings[model])
    return train_many(
        list(settings),
        data,
        protocol.own_training,
        seeds=[spec.seed for spec in specs],
        objectives=[spec.protocol.own_loss.objective() for spec in specs],
        device=context.device,
        checkpoints=[context.checkpoints / f"{spec.key}.pt" for spec in specs],
        evaluate=lambda model: look(model, images, settings[model]),
        evaluate_every=protocol.every,
        progress=context.progress,
        tags=[spec.key for spec in specs],
    )


def filmed_images(settings: Settings, data: DataSet) -> DataSet:
    """The training images whose embeddings are kept."""
    return data.subset(_order(len(data), data.device)[: settings.points])


def _order(n: int, device: torch.device) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(FILM_SEED)).to(device)


@torch.no_grad()
def frame_of(model: nn.Module, images: Tensor, settings: Settings) -> Tensor:
    """Embeddings (n, d) of uint8 images under their own batch statistics, as a step of training sees them.

    Running statistics are 0 and 1 before the first step and lag behind a high learning rate: they would show
    networks that nobody trains. The model itself is left as it is.
    """
    twin = copy.deepcopy(model).train()
    return latents(twin, to_float(images), [settings.embedding_depth])[settings.embedding_depth]


def look(model: nn.Module, images: Tensor, settings: Settings) -> dict[str, float]:
    """Films the embeddings where this is a moment; called at the start and every ``settings.every`` epochs.

    Gives no numbers: it is an ``evaluate`` of `lggkit.training.train`.
    """
    epoch = int(model.looks) * settings.every
    if epoch in settings.moments:
        model.film[settings.moments.index(epoch)] = frame_of(model, images, settings)
    model.looks += 1
    return {}


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: how clustered the classes are at every moment, and the film itself."""
    for spec, result in zip(specs, context.trainings(specs), strict=True):
        how = how_trained(result) | {"seconds": result.seconds}
        if result.diverged is not None:
            yield context.record(spec, {}, **how)
            continue
        data = context.data(spec.protocol.data_name)
        film, shown = result.model.film.cpu(), filmed_images(spec.protocol, data)
        metrics = _of_film(film, shown.labels.cpu()) | _errors(spec.protocol, result.model, context)
        metrics["final_train_loss"] = final_loss(spec, result)
        yield context.record(spec, metrics, arrays=_arrays(spec.protocol, film, shown), **how)


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
    data, test = context.data(settings.data_name), context.data(settings.data_name, train=False)
    base = data.subset(_order(len(data), data.device)[-settings.base :])
    queries = test.subset(range(min(settings.queries, len(test))))
    held, asked = (embeddings(model, part.images, settings) for part in (base, queries))
    errors = {"error_10nn": knn_error(held, base.labels.cpu(), asked, queries.labels.cpu(), NEIGHBORS)}
    return errors | ({"test_error": model_error(model, test)} if settings.by_cross_entropy else {})


def _arrays(settings: Settings, film: Tensor, shown: DataSet) -> dict[str, np.ndarray]:
    return {
        "embeddings": film.numpy().astype(np.float16),
        "epochs": np.array(settings.moments),
        "labels": shown.labels.cpu().numpy().astype(np.uint8),
        "class_names": np.array(shown.classes, dtype=str),
    }


SMOKE = Settings(
    stand_in="digits",
    loss=GRAPH_SMOOTHNESS,
    network="small_net",
    width=4,
    training=SMOKE_TRAINING,
    moments=(0, 1, 2),
    points=300,
    base=600,
    queries=300,
)
REDUCED = Settings(
    loss=GRAPH_SMOOTHNESS, width=8, training=REDUCED_TRAINING, moments=(0, 1, 2, 3, 4), queries=2000
)
BOTTLENECK = {"loss": CROSS_ENTROPY, "normalization": None}

EXPERIMENT = Experiment(
    name="graph_smoothness_loss/s42_visualisation",
    title="Embeddings in two dimensions through training (Figure 1)",
    protocols={"smoke": SMOKE, "reduced": REDUCED, "paper": Settings()},
    arms=(
        Arm("cross_entropy", "cross-entropy, bottleneck", BOTTLENECK),
        Arm("cross_entropy_batch_norm", "cross-entropy, batch norm", {"loss": CROSS_ENTROPY}),
        Arm("graph_smoothness", "graph smoothness, batch norm"),
        Arm("graph_smoothness_l2", "graph smoothness, L2", {"normalization": "l2"}),
    ),
    seeds={"smoke": 2, "reduced": 3, "paper": 3},
    measure=measure,
    build=build_filmed,
    train=train_networks,
    together=(("cross_entropy", "cross_entropy_batch_norm", "graph_smoothness", "graph_smoothness_l2"),),
    minutes={"smoke": 0.02, "reduced": 8, "paper": 8},
    priority=40,
)
