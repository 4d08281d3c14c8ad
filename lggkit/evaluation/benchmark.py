"""The corruption benchmark, of one network or of several at once (Hendrycks and Dietterich, 2019)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, NEWEST, SEVERITIES, corrupted, source_of
from lggkit.data.corruptions.official import PUBLISHED
from lggkit.evaluation.accuracy import error_rate, predict
from lggkit.protocol import Part


def corruption_errors(
    model_or_predict: nn.Module | Callable[[Tensor], Tensor],
    data: DataSet,
    images: Callable[[str, int], Tensor] | None = None,
    severities: Sequence[int] = SEVERITIES,
    names: Sequence[str] = CORRUPTIONS,
) -> dict[str, tuple[float, ...]]:
    """Test error under each corruption, in percent, a tuple with one entry a severity.

    Args:
        model_or_predict: a network, which gets [0, 1] floats (`predict`), or a function from uint8 images to
            logits (n, c) or classes (n,).
        data: clean images and their labels.
        images: ``images(name, severity)`` gives the corrupted images in the order of the labels; by default
            those of `lggkit.data.corruptions.corrupted`, whose ``source_of(data)`` says what they are.
        severities, names: which of them, at least one of each.

    Raises:
        ValueError: a name or severity is unknown, or there is none of them, or there are not as many answers
            as labels.
        DataCorrupt: as for `lggkit.data.corruptions.corrupted`.
    """
    made = images or (lambda name, severity: corrupted(data, name, severity).images)
    network = isinstance(model_or_predict, nn.Module)
    answers = (lambda x: predict(model_or_predict, x)) if network else model_or_predict
    chosen, levels = _chosen(names, severities)
    return {name: tuple(error_rate(answers(made(name, s)), data.labels) for s in levels) for name in chosen}


def _chosen(names: Sequence[str], severities: Sequence[int]) -> tuple[list[str], list[int]]:
    if isinstance(names, str):
        raise ValueError(f"names is {names!r}: give a sequence of names, as in [{names!r}].")
    if not len(names) or not len(severities):
        raise ValueError(
            f"there are {len(names)} corruptions and {len(severities)} severities: give at least one of each."
        )
    try:
        return [str(name) for name in names], [operator.index(severity) for severity in severities]
    except TypeError as error:
        raise ValueError(f"severities are {list(severities)}: give whole numbers.") from error


Answer = Callable[[Tensor], Tensor]
Name = TypeVar("Name")


@dataclass(frozen=True)
class CorruptionBenchmark(Part):
    """Which images are corrupted, and how: the first ``corruption_images`` of a test set, None being all.

    ``corruption_version`` is that of `lggkit.data.corruptions.corrupt`.
    """

    corruption_images: int | None = None
    corruptions: tuple[str, ...] = CORRUPTIONS
    severities: tuple[int, ...] = SEVERITIES
    corruption_version: int = 1

    def metrics(self, answers: Mapping[Name, Answer], test: DataSet) -> dict[Name, dict[str, Any]]:
        """What a record says of each network: `corruption_metrics`, and which images they are of.

        ``published_corruptions`` is 1 where they are CIFAR-10-C itself, and 0 where they are C-like.
        """
        if not answers:
            return {}
        published = {"published_corruptions": float(source_of(test) == PUBLISHED)}
        data = test.first(self.corruption_images)
        errors = corruption_metrics(answers, data, self.corruptions, self.severities, self.corruption_version)
        return {who: own | published for who, own in errors.items()}


def corruption_metrics(
    answers: Mapping[Name, Answer],
    data: DataSet,
    names: Sequence[str] = CORRUPTIONS,
    severities: Sequence[int] = SEVERITIES,
    version: int = NEWEST,
) -> dict[Name, dict[str, Any]]:
    """Errors of several networks; each corrupted set is made once for all of them, and then let go.

    ``answers`` are, by any name, functions from uint8 images to classes (n,) or logits (n, c). Each gets, in
    percent, ``clean_error`` and a list ``errors_<corruption>`` with one error a severity.
    """
    metrics = {
        who: {"clean_error": error_rate(answer(data.images), data.labels)} for who, answer in answers.items()
    }
    for corruption in names:
        images = cache(lambda name, severity: corrupted(data, name, severity, version=version).images)
        for who, answer in answers.items():
            errors = corruption_errors(answer, data, images, severities, [corruption])
            metrics[who][f"errors_{corruption}"] = list(errors[corruption])
    return metrics
