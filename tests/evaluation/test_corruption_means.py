"""Ratios of errors where the reference has next to nothing to divide by, and errors that are none."""

import math

import numpy as np
import pytest
import torch

from lggkit.evaluation import (
    corruption_error,
    harmful_corruptions,
    mean_corrupted_error,
    pooled_relative_corruption_error,
    relative_corruption_error,
    relative_mean_corruption_error,
)

OURS = {"brightness": (11.0,), "fog": (20.0,)}
GAINS = {"brightness": (9.9,), "fog": (20.0,)}


@pytest.mark.parametrize(
    ("brightness", "said"),
    [
        (9.9, r"no error beyond .* brightness \(-0.1 points"),
        (10.0, r"no error beyond .* brightness \(\+0 points"),
        (10.1, r"hardly any error beyond .* brightness \(\+0.1 points"),
        (10.49, "hardly any error"),
    ],
)
def test_a_reference_that_a_corruption_hardly_harms_gives_no_ratio(brightness, said):
    theirs = GAINS | {"brightness": (brightness,)}
    for call in (relative_corruption_error, relative_mean_corruption_error):
        with pytest.raises(ValueError, match=f"{said}.*leave that corruption out.*ratio of sums") as refusal:
            call(OURS, 10.0, theirs, 10.0)
        assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")
    assert harmful_corruptions(theirs, 10.0) == ["fog"]


def test_the_least_harm_that_counts_is_half_a_point():
    theirs = {"brightness": (10.0, 11.0), "fog": (20.0, 20.0)}
    ours = {"brightness": (11.0, 11.0), "fog": (20.0, 20.0)}
    assert harmful_corruptions(theirs, 10.0) == ["brightness", "fog"]
    assert relative_corruption_error(ours, 10.0, theirs, 10.0) == pytest.approx(
        {"brightness": 200, "fog": 100}
    )


def test_a_ratio_of_sums_has_one_denominator():
    pooled = pooled_relative_corruption_error(OURS, 10.0, GAINS, 10.0)
    assert pooled == pytest.approx(100 * (1 + 10) / (-0.1 + 10))
    assert pooled == pytest.approx(
        100 * (mean_corrupted_error(OURS) - 10) / (mean_corrupted_error(GAINS) - 10)
    )
    assert pooled_relative_corruption_error(GAINS, 10.0, GAINS, 10.0) == pytest.approx(100)
    with pytest.raises(ValueError, match=r"under all corruptions together .* take harder ones"):
        pooled_relative_corruption_error(OURS, 10.0, {"brightness": (9.9,), "fog": (10.2,)}, 10.0)


def test_a_network_that_gains_has_a_negative_relative_error():
    assert relative_corruption_error({"fog": (5.0,)}, 10.0, {"fog": (20.0,)}, 10.0) == {"fog": -50}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 100.5])
@pytest.mark.parametrize("where", ["table", "clean"])
def test_only_percentages_are_errors(bad, where):
    good = {"fog": (20.0, 30.0)}
    table, clean = ({"fog": (bad, 20.0)}, 10.0) if where == "table" else (good, bad)
    for call in (
        lambda: relative_corruption_error(table, clean, good, 10.0),
        lambda: relative_corruption_error(good, 10.0, table, clean),
        lambda: pooled_relative_corruption_error(good, 10.0, table, clean),
        lambda: harmful_corruptions(table, clean),
    ):
        with pytest.raises(ValueError, match="give a percentage from 0 to 100"):
            call()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 100.5])
def test_means_without_a_clean_error_are_of_percentages_too(bad):
    wrong = OURS | {"fog": (bad,)}
    for call in (
        lambda: mean_corrupted_error(wrong),
        lambda: corruption_error(wrong, OURS),
        lambda: corruption_error(OURS, wrong),
    ):
        with pytest.raises(ValueError, match="an error under fog is"):
            call()


def test_arrays_and_tensors_of_numbers_are_errors_too():
    ours = {name: np.array(row, dtype=np.float32) for name, row in OURS.items()}
    theirs = {name: torch.tensor(row) for name, row in {"brightness": (12.0,), "fog": (40.0,)}.items()}
    relative = relative_corruption_error(ours, np.float64(10), theirs, torch.tensor(10))
    assert relative == pytest.approx({"brightness": 50, "fog": 100 / 3})
    assert all(type(value) is float for value in relative.values())
