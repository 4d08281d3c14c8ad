import math

import pytest

from lggkit.study.effect_words import effect_text, unit_of
from lggkit.study.paper import claims
from lggkit.study.statistics import Interval

CLAIMS = {c.number: c for c in claims("lgg")}


def interval(mean, low=-math.inf, high=math.inf, n=3):
    return Interval(mean, low, high, n)


@pytest.mark.parametrize(
    ("number", "ends", "text"),
    [
        ("12", (33.54, 31.16, 35.93), "33.5 points [31.2, 35.9] worse; allowed ±1"),
        ("12", (-0.5, -0.9, -0.1), "−0.5 points [−0.9, −0.1] better; allowed ±1"),
        ("12", (0.0, -0.9, 0.9), "0 points [−0.9, 0.9] apart; allowed ±1"),
        ("13b", (-53.02, -64.44, -41.59), "−53 of MCE [−64.4, −41.6], against the claim"),
        ("13a", (56.1, 39.3, 72.9), "56.1 of relative MCE [39.3, 72.9], the way the claim says"),
        (
            "18a",
            (167052.7, 84281.2, 249824.3),
            "167,053 of label variation [84,281, 249,824], the way the claim says",
        ),
        ("9", (30.67,), "30.7 points, the way the claim says"),
        ("5a", (0.0, -1.0, 1.0), "0 points [−1, 1], neither for the claim nor against it"),
        ("3", (0.845, 0.812, 0.879), "0.845 of rank correlation [0.812, 0.879], the way the claim says"),
        ("4", (0.0, 0.0, 0.0), "largest violation 0, allowed 0"),
    ],
)
def test_an_effect_has_its_unit_its_interval_and_its_direction(number, ends, text):
    assert effect_text(CLAIMS[number], interval(*ends)) == text


def test_what_is_not_measured_has_no_text():
    assert effect_text(CLAIMS["12"], None) == ""


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("relative_mce", "of relative MCE"),
        ("mce", "of MCE"),
        ("test_error", "points"),
        ("error_10nn", "points"),
        ("gain", "points"),
        ("sigma_error_correlation", "of rank correlation"),
        ("eclipse_share_plain", ""),
    ],
)
def test_units_are_those_of_the_metric(metric, unit):
    assert unit_of(metric) == unit
