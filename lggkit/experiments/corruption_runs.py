"""Errors of several networks under the corruption benchmark, and their means over a reference's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from torch import Tensor

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupted
from lggkit.evaluation import (
    corruption_errors,
    error_rate,
    mean_corrupted_error,
    mean_corruption_error,
    relative_mean_corruption_error,
)

Answer = Callable[[Tensor], Tensor]
Name = TypeVar("Name")
LEAST_HARM = 1e-6


@dataclass(frozen=True)
class Robustness:
    """A network's errors in percent on some images: clean, and by corruption one a severity."""

    clean: float
    errors: Mapping[str, Sequence[float]]


def robustness_of_all(
    answers: Mapping[Name, Answer],
    data: DataSet,
    names: Sequence[str] = CORRUPTIONS,
    severities: Sequence[int] = SEVERITIES,
) -> dict[Name, Robustness]:
    """Errors of several networks; each corrupted set is made once for all of them, and then let go.

    Args:
        answers: by any name, functions from uint8 images to classes (n,) or logits (n, c).
        data: the clean images (the first so many of a test set).
        names, severities: of the corruptions.
    """
    errors: dict[Name, dict[str, Sequence[float]]] = {who: {} for who in answers}
    for name in names:
        images = cache(lambda name, severity: corrupted(data, name, severity).images)
        for who, answer in answers.items():
            errors[who] |= corruption_errors(answer, data, images, severities, [name])
    clean = {who: error_rate(answer(data.images), data.labels) for who, answer in answers.items()}
    return {who: Robustness(clean[who], errors[who]) for who in answers}


def robustness_metrics(own: Robustness, reference: Robustness) -> dict[str, Any]:
    """``mce``, ``relative_mce`` and ``mean_corrupted_error``, with what they are made of.

    ``clean_error`` is that on the uncorrupted images of the same set, ``errors_<corruption>`` a list with one
    error a severity. The relative mean leaves out corruptions that do the reference no harm, and
    ``relative_corruptions`` counts those it is over.
    """
    harmful = [
        name for name, row in reference.errors.items() if sum(row) > len(row) * reference.clean + LEAST_HARM
    ]
    return {
        "mce": mean_corruption_error(own.errors, reference.errors),
        **_relative(own, reference, harmful),
        "relative_corruptions": len(harmful),
        "mean_corrupted_error": mean_corrupted_error(own.errors),
        "clean_error": own.clean,
        **{f"errors_{name}": list(row) for name, row in own.errors.items()},
    }


def _relative(own: Robustness, reference: Robustness, harmful: Sequence[str]) -> dict[str, float]:
    if not harmful:
        return {}
    ours, theirs = ({name: side.errors[name] for name in harmful} for side in (own, reference))
    value = relative_mean_corruption_error(ours, own.clean, theirs, reference.clean)
    return {"relative_mce": value}
