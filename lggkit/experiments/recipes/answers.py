"""How embedding networks answer, and what the corruption benchmark makes of them, for every section alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.evaluation import error_rate, knn_error, model_error, predict
from lggkit.evaluation.benchmark import CorruptionBenchmark
from lggkit.evaluation.embeddings import Labelled
from lggkit.evaluation.neighbors import NeighborVote
from lggkit.experiments.base import Context
from lggkit.experiments.recipes.embedder import Embedder, OfEmbedder
from lggkit.record import Spec
from lggkit.training import Stream, TrainResult

NEIGHBORS = 10
SMOKE_BENCHMARK = CorruptionBenchmark(
    corruptions=("gaussian_noise", "defocus_blur", "contrast"), severities=(3, 5), corruption_version=2
)
PAPER_BENCHMARK = CorruptionBenchmark(corruption_version=2)
REDUCED_BENCHMARK = SHORT_BENCHMARK = replace(PAPER_BENCHMARK, corruption_images=1000)


@dataclass(frozen=True)
class Answering(OfEmbedder):
    """Base of settings of networks that answer under corruptions: by ``vote`` neighbours, None the logits."""

    benchmark: CorruptionBenchmark = field(default_factory=CorruptionBenchmark)
    vote: int | None = None


def voting(embedder: Embedder, model: nn.Module, context: Context) -> NeighborVote:
    """A network's answers by neighbours among the images of all classes that it may see."""
    seen, _ = embedder.images.split(context)
    return NeighborVote(partial(embedder.embeddings, model), *embedder.embedded(model, seen))


def corrupted_errors(results: Mapping[Spec, TrainResult], context: Context) -> dict[Spec, dict[str, Any]]:
    """Errors clean and corrupted of the networks of one section and scale, those left out that diverged.

    Beside those of `lggkit.evaluation.benchmark.CorruptionBenchmark.metrics`: ``error_1nn`` and
    ``error_10nn`` of the embedding of all test images, with cross-entropy also ``test_error``.
    """
    sound = {spec: result.model for spec, result in results.items() if result.diverged is None}
    if not sound:
        return {}
    settings = next(iter(sound)).protocol
    test = context.data(settings.embedder.data_name, train=False)
    votes = {spec: voting(spec.protocol.embedder, model, context) for spec, model in sound.items()}
    answers = {spec: _answers(spec.protocol.vote, model, votes[spec]) for spec, model in sound.items()}
    errors = settings.benchmark.metrics(answers, test)
    for spec, model in sound.items():
        places = votes[spec].embed(test.images)
        errors[spec] |= {f"error_{k}nn": error_rate(votes[spec].of(places, k), test.labels) for k in (1, 10)}
        if spec.protocol.embedder.by_cross_entropy:
            errors[spec]["test_error"] = model_error(model, test)
    return errors


def _answers(vote: int | None, model: nn.Module, votes: NeighborVote) -> Callable[[Tensor], Tensor]:
    """The function from uint8 images to logits or, of ``vote`` neighbours, to classes."""
    return partial(predict, model) if vote is None else partial(votes.of_images, k=vote)


def swept_errors(embedder: Embedder, model: nn.Module, context: Context) -> dict[str, float]:
    """Errors of ten neighbours, in percent, on the images held out and on the test images."""
    train, validation = embedder.images.split(context)
    asked = {"validation_error_10nn": validation, "error_10nn": context.data(embedder.data_name, train=False)}
    base = embedder.embedded(model, train)
    return {
        name: knn_error(*base, *embedder.embedded(model, data), NEIGHBORS) for name, data in asked.items()
    }


def new_class_errors(
    embedder: Embedder, seed: int, base: Labelled, queries: Labelled, context: Context
) -> dict[str, float]:
    """What an embedding makes of classes that it was not trained on, with no part of it changed.

    ``error_10nn_new`` is on test images of those classes; ten neighbours vote among the training images of
    all classes. ``new_class_cost`` is this error less that of the network that was trained on all classes
    from the same seed; it is left out where that one diverged. Both are in percent. ``base`` and ``queries``
    are the training and the test images of all classes as the network embeds them, with their labels.
    """
    new = queries[1] >= embedder.classes_kept
    own = knn_error(*base, queries[0][new], queries[1][new], NEIGHBORS)
    whole = replace(embedder, classes_kept=None)
    (result,) = context.networks([(whole.description, seed)])
    if result.diverged is not None:
        return {"error_10nn_new": own}
    seen, _ = embedder.images.split(context)
    asked = context.data(embedder.data_name, train=False).subset(new)
    voters, places = (whole.embedded(result.model, data) for data in (seen, asked))
    return {"error_10nn_new": own, "new_class_cost": own - knn_error(*voters, *places, NEIGHBORS)}


@torch.no_grad()
def pair_loss(model: nn.Module, embedder: Embedder, seed: int, context: Context, batches: int) -> float:
    """The mean edge weight of the pairs of distinct classes in the first batches of a training.

    Pairs that are no neighbours have weight 0. The model answers in the mode it is in.
    """
    stream = Stream(embedder.images.training(context, seed), embedder.own_training, seed)
    loss = replace(embedder.own_loss, reduction="mean", weight=1.0)
    first = [stream.make(step) for step in range(min(batches, stream.steps_per_epoch))]
    return mean(float(loss.of_batch(model(batch.images), batch.labels)) for batch in first)
