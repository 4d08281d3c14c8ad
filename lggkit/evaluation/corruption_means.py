"""The corruption benchmark's summaries of errors (Hendrycks and Dietterich, 2019), plain arithmetic.

``E`` are errors in percent by corruption c and severity s; f is the network in question, 0 its reference (the
papers' is their own network trained with cross-entropy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

Errors = Mapping[str, Sequence[float]]
"""Errors in percent by corruption, one for each severity."""

LEAST_HARM = 0.5
"""What a corruption must do to the reference to count in a mean of ratios: mean error over severities less
clean error, in points. The ratio is divided by it. Half a point is five images of a thousand, about as much
as another draw of a thousand images would change it by. Below that the ratio is mostly noise, of any size and
either sign, and a single corruption can outweigh the fourteen others."""


def corruption_error(errors: Errors, reference: Errors) -> dict[str, float]:
    """``CE_c = 100 · Σ_s E_{s,c}^f / Σ_s E_{s,c}^0`` of each corruption.

    Args:
        errors, reference: in percent, of f and of 0, with the same corruptions and severities.

    Raises:
        ValueError: these differ, an error is not finite or outside 0 to 100, or the reference makes no error
            on a corruption.
    """
    ours, theirs = _tables(errors, reference)
    for name, row in theirs.items():
        if not sum(row) > 0:
            raise ValueError(f"the reference network has no error under {name}: leave that corruption out.")
    return {name: 100 * sum(ours[name]) / sum(theirs[name]) for name in ours}


def mean_corruption_error(errors: Errors, reference: Errors) -> float:
    """``MCE = mean_c CE_c``; 100 for the reference itself. Arguments and errors as `corruption_error`."""
    return mean(corruption_error(errors, reference).values())


def harmful_corruptions(errors: Errors, clean: float) -> list[str]:
    """The corruptions that do a network harm: a mean error `LEAST_HARM` points or more above its clean error.

    Args:
        errors: in percent, the same severities for each corruption.
        clean: the network's error on clean images, in percent.

    Raises:
        ValueError: there are no errors, or one is not finite or outside 0 to 100.
    """
    (table,) = _tables(errors)
    base = _percent(clean, "the clean error")
    return [name for name, row in table.items() if mean(row) >= base + LEAST_HARM]


def relative_corruption_error(
    errors: Errors, clean: float, reference: Errors, reference_clean: float
) -> dict[str, float]:
    """``100 · Σ_s (E_{s,c}^f - E_clean^f) / Σ_s (E_{s,c}^0 - E_clean^0)`` of each corruption.

    A corruption that does the reference little or no harm (brightness) gives no ratio: choose those that
    `harmful_corruptions` names for the reference, or divide once, with `pooled_relative_corruption_error`. A
    network that gains from a corruption has a negative value there.

    Args:
        errors, reference: in percent, of f and of 0, with the same corruptions and severities.
        clean, reference_clean: their errors on clean images, in percent.

    Raises:
        ValueError: corruptions or severities differ, an error is not finite or outside 0 to 100, or a
            corruption raises the reference's error by less than `LEAST_HARM` points.
    """
    ours, theirs = _tables(errors, reference)
    own, other = _percent(clean, "the clean error"), _percent(reference_clean, "the reference's clean error")
    harmful = harmful_corruptions(theirs, other)
    for name in (name for name in theirs if name not in harmful):
        remedy = "leave that corruption out, or take the ratio of sums, pooled_relative_corruption_error"
        raise ValueError(_harmless(name, theirs[name], other, remedy))
    return {name: 100 * _excess(ours[name], own) / _excess(theirs[name], other) for name in ours}


def relative_mean_corruption_error(
    errors: Errors, clean: float, reference: Errors, reference_clean: float
) -> float:
    """The mean over corruptions of `relative_corruption_error`, with its arguments and errors."""
    return mean(relative_corruption_error(errors, clean, reference, reference_clean).values())


def pooled_relative_corruption_error(
    errors: Errors, clean: float, reference: Errors, reference_clean: float
) -> float:
    """``100 · Σ_{s,c} (E_{s,c}^f - E_clean^f) / Σ_{s,c} (E_{s,c}^0 - E_clean^0)``: one ratio of sums.

    Corruptions count by what they do to the reference, harmless ones hardly, so that none can outweigh the
    others. It is not the benchmark's relative MCE, which is a mean of ratios.

    Args:
        errors, clean, reference, reference_clean: as for `relative_corruption_error`.

    Raises:
        ValueError: as there, but that only all corruptions together must harm the reference.
    """
    ours, theirs = _tables(errors, reference)
    own, other = _percent(clean, "the clean error"), _percent(reference_clean, "the reference's clean error")
    everything = [error for row in theirs.values() for error in row]
    if mean(everything) < other + LEAST_HARM:
        raise ValueError(_harmless("all corruptions together", everything, other, "take harder ones"))
    return 100 * sum(_excess(row, own) for row in ours.values()) / _excess(everything, other)


def mean_corrupted_error(errors: Errors) -> float:
    """The plain mean of all errors, in percent, with no reference.

    Args:
        errors: in percent, the same severities for each corruption.

    Raises:
        ValueError: there are none, corruptions differ in their number of severities, or an error is not
            finite or outside 0 to 100.
    """
    (table,) = _tables(errors)
    return mean(mean(row) for row in table.values())


def _excess(row: Sequence[float], clean: float) -> float:
    return sum(error - clean for error in row)


def _harmless(what: str, row: Sequence[float], clean: float, remedy: str) -> str:
    harm = mean(row) - clean
    much = "hardly any" if harm > 0 else "no"
    return (
        f"the reference network has {much} error beyond its clean error under {what} ({harm:+.3g} points, a "
        f"ratio needs {LEAST_HARM:g}): {remedy}."
    )


def _tables(*tables: Errors) -> list[dict[str, tuple[float, ...]]]:
    """Tables of the same corruptions and severities as plain numbers, each a percentage."""
    _check_alike(tables[0], tables[-1])
    return [{name: _row(name, row) for name, row in table.items()} for table in tables]


def _row(name: str, row: Sequence[float]) -> tuple[float, ...]:
    return tuple(_percent(error, f"an error under {name}") for error in row)


def _percent(value: float, what: str) -> float:
    # What was divided by a number of images may miss 0 and 100 by a rounding.
    number = float(value)
    if not -1e-9 <= number <= 100 + 1e-9:
        raise ValueError(f"{what} is {number:g}: give a percentage from 0 to 100.")
    return number


def _check_alike(errors: Errors, reference: Errors) -> None:
    if not errors or errors.keys() != reference.keys():
        odd = sorted(errors.keys() ^ reference.keys())
        what = (
            f"only one of the two networks has errors under {', '.join(odd)}"
            if odd
            else "there are no errors"
        )
        raise ValueError(f"{what}: measure both under the same corruptions.")
    for name, row in [*errors.items(), *reference.items()]:
        if not hasattr(row, "__len__") or isinstance(row, str):
            raise ValueError(f"the errors under {name} are {row!r}: give a sequence, one error a severity.")
    sizes = {len(row) for table in (errors, reference) for row in table.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(
            f"the numbers of severities are {', '.join(map(str, sorted(sizes)))}: measure as many for each."
        )
