"""Errors of several networks under the corruption benchmark, and their means over a reference's.

A network trained with cross-entropy answers by its largest logit, an embedding by a vote of its neighbours
among the embedded training images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar

from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, NEWEST, SEVERITIES, corrupted, source_of
from lggkit.data.corruptions.official import PUBLISHED
from lggkit.evaluation import (
    corruption_errors,
    error_rate,
    harmful_corruptions,
    mean_corrupted_error,
    mean_corruption_error,
    model_error,
    predict,
    relative_mean_corruption_error,
)
from lggkit.evaluation.corruption_means import LEAST_HARM as LEAST_HARM
from lggkit.evaluation.neighbors import neighbor_classes
from lggkit.experiments.base import Context
from lggkit.experiments.embedding_runs import (
    EmbeddingSettings,
    Labelled,
    embedded,
    embeddings,
    history,
    split_images,
    trained,
)
from lggkit.record import Record, Spec

Answer = Callable[[Tensor], Tensor]
More = Callable[[Spec, nn.Module, Context], dict[str, Any]]
Name = TypeVar("Name")


@dataclass(frozen=True)
class CorruptionSettings(EmbeddingSettings):
    """What a network is, and how it answers for corrupted images.

    ``vote`` neighbours answer or, where it is None, the largest logit. The first ``corruption_images`` test
    images are corrupted, by default all, by this version of `lggkit.data.corruptions.corrupt`.
    """

    vote: int | None = None
    corruption_images: int | None = None
    corruptions: tuple[str, ...] = CORRUPTIONS
    severities: tuple[int, ...] = SEVERITIES
    corruption_version: int = 1


@dataclass(frozen=True)
class Robustness:
    """A network's errors in percent on some images: clean, and by corruption one a severity."""

    clean: float
    errors: Mapping[str, Sequence[float]]


def robustness_records(
    specs: Sequence[Spec], reference_of: Callable[[Spec], Spec], context: Context, more: More | None = None
) -> Iterator[Record]:
    """A record for each spec of one section and scale: errors clean and corrupted, MCE and relative MCE.

    Beside `robustness_metrics`: ``published_corruptions``, 1 where the corrupted images are CIFAR-10-C itself
    and 0 where they are C-like; ``error_1nn`` and ``error_10nn`` of the embedding of all test images, with
    cross-entropy also ``test_error``, and what ``more(spec, model, context)`` adds. Where the reference
    diverged, means over it are left out.
    """
    everyone = list(dict.fromkeys([*specs, *map(reference_of, specs)]))
    results, begun = trained(everyone, context), time.monotonic()
    sound = {
        spec: Answering(spec.protocol, r.model, context) for spec, r in results.items() if not r.diverged
    }
    tables = robustness_tables(sound, context)
    shared = (time.monotonic() - begun) / max(len(specs), 1)
    for spec in specs:
        begun, metrics = time.monotonic(), {}
        if spec in sound:
            reference = tables.get(reference_of(spec))
            metrics = sound[spec].clean_errors() | robustness_metrics(tables[spec], reference)
            metrics["published_corruptions"] = published(spec, context)
            metrics |= more(spec, results[spec].model, context) if more else {}
        measuring = shared + time.monotonic() - begun
        yield context.record(spec, metrics, **history(spec, results[spec], measuring))


class Answering:
    """A trained network as it answers: by logits, or by neighbours among the images it was trained on."""

    def __init__(self, settings: CorruptionSettings, model: nn.Module, context: Context) -> None:
        self.settings, self.model, self.context = settings, model, context

    def __call__(self, images: Tensor) -> Tensor:
        """Classes (n,) or logits (n, c) of uint8 images."""
        if self.settings.vote is None:
            return predict(self.model, images)
        return self._votes(self._embed(images), self.settings.vote)

    def clean_errors(self) -> dict[str, float]:
        """Errors on all test images: of one neighbour and of ten, and of the logits where there are any."""
        test = self.context.data(self.settings.data_name, train=False)
        places = self._embed(test.images)
        errors = {f"error_{k}nn": error_rate(self._votes(places, k), test.labels) for k in (1, 10)}
        own = {"test_error": model_error(self.model, test)} if self.settings.by_cross_entropy else {}
        return errors | own

    def _embed(self, images: Tensor) -> Tensor:
        return embeddings(self.model, images, self.settings)

    def _votes(self, places: Tensor, k: int) -> Tensor:
        return neighbor_classes(*self._base, places, k, metric="euclidean")

    @cached_property
    def _base(self) -> Labelled:
        data, _ = split_images(self.settings, self.context)
        return embedded(self.model, data, self.settings)


def robustness_tables(answers: Mapping[Spec, Answer], context: Context) -> dict[Spec, Robustness]:
    """Errors of the networks of specs of one section and scale, under the corruptions of their settings."""
    if not answers:
        return {}
    settings = next(iter(answers)).protocol
    images = first_images(settings.data_name, settings.corruption_images, context)
    asked = settings.corruptions, settings.severities, settings.corruption_version
    return robustness_of_all(answers, images, *asked)


def first_images(name: str, count: int | None, context: Context) -> DataSet:
    """The first ``count`` test images of a data set, all where it is None or there are fewer."""
    test = context.data(name, train=False)
    return test.subset(range(min(count or len(test), len(test))))


def published(spec: Spec, context: Context) -> float:
    """1 where a spec's corrupted images are CIFAR-10-C itself, and 0 where they are C-like."""
    return float(source_of(context.data(spec.protocol.data_name, train=False)) == PUBLISHED)


def robustness_of_all(
    answers: Mapping[Name, Answer],
    data: DataSet,
    names: Sequence[str] = CORRUPTIONS,
    severities: Sequence[int] = SEVERITIES,
    version: int = NEWEST,
) -> dict[Name, Robustness]:
    """Errors of several networks; each corrupted set is made once for all of them, and then let go.

    Args:
        answers: by any name, functions from uint8 images to classes (n,) or logits (n, c).
        data: the clean images (the first so many of a test set).
        names, severities, version: of the corruptions.
    """
    errors: dict[Name, dict[str, Sequence[float]]] = {who: {} for who in answers}
    for corruption in names:
        images = cache(lambda name, severity: corrupted(data, name, severity, version=version).images)
        for who, answer in answers.items():
            errors[who] |= corruption_errors(answer, data, images, severities, [corruption])
    clean = {who: error_rate(answer(data.images), data.labels) for who, answer in answers.items()}
    return {who: Robustness(clean[who], errors[who]) for who in answers}


def robustness_metrics(own: Robustness, reference: Robustness | None) -> dict[str, Any]:
    """``mce``, ``relative_mce`` and ``mean_corrupted_error``, with what they are made of.

    ``clean_error`` is that on the uncorrupted images of the same set, ``errors_<corruption>`` a list with one
    error a severity. The relative mean leaves out corruptions that do the reference less than `LEAST_HARM`,
    and ``relative_corruptions`` counts those it is over. Without a reference there are no means over it;
    nor is there an ``mce`` where a corruption leaves the reference without any error.
    """
    return {
        **(_over(own, reference) if reference else {}),
        "mean_corrupted_error": mean_corrupted_error(own.errors),
        "clean_error": own.clean,
        **{f"errors_{name}": list(row) for name, row in own.errors.items()},
    }


def harmful(reference: Robustness) -> list[str]:
    """The corruptions that do a reference `LEAST_HARM` or more, which the relative mean is over."""
    return harmful_corruptions(reference.errors, reference.clean)


def _over(own: Robustness, reference: Robustness) -> dict[str, float]:
    names = harmful(reference)
    found: dict[str, float] = {"relative_corruptions": len(names)}
    if all(map(any, reference.errors.values())):
        found["mce"] = mean_corruption_error(own.errors, reference.errors)
    if names:
        ours, theirs = ({name: side.errors[name] for name in names} for side in (own, reference))
        relative = relative_mean_corruption_error(ours, own.clean, theirs, reference.clean)
        found["relative_mce"] = relative
    return found
