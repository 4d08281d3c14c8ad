"""Errors on corrupted images, and the benchmark's summaries of them (Hendrycks and Dietterich, 2019).

``E`` are errors in percent by corruption c and severity s; f is the network in question, 0 its reference (the
papers' is their own network trained with cross-entropy).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean

from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupted
from lggkit.evaluation.accuracy import error_rate, predict

Errors = Mapping[str, Sequence[float]]
"""Errors in percent by corruption, one for each severity."""


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
        severities, names: which of them.

    Raises:
        ValueError: a name or severity is unknown, or there are not as many answers as labels.
        DataCorrupt: as for `lggkit.data.corruptions.corrupted`.
    """
    made = images or (lambda name, severity: corrupted(data, name, severity).images)
    network = isinstance(model_or_predict, nn.Module)
    answers = (lambda x: predict(model_or_predict, x)) if network else model_or_predict
    return {
        name: tuple(error_rate(answers(made(name, s)), data.labels) for s in severities) for name in names
    }


def corruption_error(errors: Errors, reference: Errors) -> dict[str, float]:
    """``CE_c = 100 · Σ_s E_{s,c}^f / Σ_s E_{s,c}^0`` of each corruption.

    Args:
        errors, reference: in percent, of f and of 0, with the same corruptions and severities.

    Raises:
        ValueError: these differ, or the reference makes no error on a corruption.
    """
    return relative_corruption_error(errors, 0.0, reference, 0.0)


def mean_corruption_error(errors: Errors, reference: Errors) -> float:
    """``MCE = mean_c CE_c``; 100 for the reference itself. Arguments and errors as `corruption_error`."""
    return mean(corruption_error(errors, reference).values())


def relative_corruption_error(
    errors: Errors, clean: float, reference: Errors, reference_clean: float
) -> dict[str, float]:
    """``100 · Σ_s (E_{s,c}^f - E_clean^f) / Σ_s (E_{s,c}^0 - E_clean^0)`` of each corruption.

    A corruption that hardly hurts the reference (brightness) has a small denominator and a large spread: show
    the table beside the mean.

    Args:
        errors, reference: in percent, of f and of 0, with the same corruptions and severities.
        clean, reference_clean: their errors on clean images, in percent.

    Raises:
        ValueError: corruptions or severities differ, or a denominator is 0.
    """
    _check_alike(errors, reference)
    return {
        name: 100 * _excess(errors[name], clean) / _denominator(name, reference[name], reference_clean)
        for name in errors
    }


def relative_mean_corruption_error(
    errors: Errors, clean: float, reference: Errors, reference_clean: float
) -> float:
    """The mean over corruptions of `relative_corruption_error`, with its arguments and errors."""
    return mean(relative_corruption_error(errors, clean, reference, reference_clean).values())


def mean_corrupted_error(errors: Errors) -> float:
    """The plain mean of all errors, in percent, with no reference.

    Args:
        errors: in percent, the same severities for each corruption.

    Raises:
        ValueError: there are none, or corruptions differ in their number of severities.
    """
    _check_alike(errors, errors)
    return mean(mean(row) for row in errors.values())


def _excess(row: Sequence[float], clean: float) -> float:
    return sum(error - clean for error in row)


def _denominator(name: str, row: Sequence[float], clean: float) -> float:
    total = _excess(row, clean)
    if abs(total) < 1e-9:
        beyond = "error beyond its clean error" if clean else "error"
        raise ValueError(f"the reference network has no {beyond} under {name}: leave that corruption out.")
    return total


def _check_alike(errors: Errors, reference: Errors) -> None:
    if not errors or errors.keys() != reference.keys():
        odd = sorted(errors.keys() ^ reference.keys())
        what = (
            f"only one of the two networks has errors under {', '.join(odd)}"
            if odd
            else "there are no errors"
        )
        raise ValueError(f"{what}: measure both under the same corruptions.")
    sizes = {len(row) for table in (errors, reference) for row in table.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(
            f"the numbers of severities are {', '.join(map(str, sorted(sizes)))}: measure as many for each."
        )
