"""The corruption benchmark on several networks at once (Hendrycks and Dietterich, 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from torch import Tensor

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, NEWEST, SEVERITIES, corrupted, source_of
from lggkit.data.corruptions.official import PUBLISHED
from lggkit.evaluation.accuracy import error_rate
from lggkit.evaluation.corruption import corruption_errors
from lggkit.protocol import Part

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
        return {who: found | published for who, found in errors.items()}


def corruption_metrics(
    answers: Mapping[Name, Answer],
    data: DataSet,
    names: Sequence[str] = CORRUPTIONS,
    severities: Sequence[int] = SEVERITIES,
    version: int = NEWEST,
) -> dict[Name, dict[str, Any]]:
    """Errors of several networks; each corrupted set is made once for all of them, and then let go.

    Args:
        answers: by any name, functions from uint8 images to classes (n,) or logits (n, c).
        data: the clean images (the first so many of a test set).
        names, severities, version: of the corruptions.

    Returns:
        For each network, in percent, ``clean_error`` and a list ``errors_<corruption>`` with one error a
        severity.
    """
    found = {
        who: {"clean_error": error_rate(answer(data.images), data.labels)} for who, answer in answers.items()
    }
    for corruption in names:
        images = cache(lambda name, severity: corrupted(data, name, severity, version=version).images)
        for who, answer in answers.items():
            errors = corruption_errors(answer, data, images, severities, [corruption])
            found[who][f"errors_{corruption}"] = list(errors[corruption])
    return found
