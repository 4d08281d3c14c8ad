"""Errors on corrupted images; `lggkit.evaluation.corruption_means` has what the benchmark makes of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupted
from lggkit.evaluation.accuracy import error_rate, predict


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
