import math
from dataclasses import replace

import pytest

from lggkit.study.entered import papers
from lggkit.study.entered.paper import claims
from lggkit.study.judging.effect_words import effect_text, unit_of
from lggkit.study.judging.statistics import Interval

CLAIMS = {c.number: c for c in claims("lgg")}


def interval(mean, low=-math.inf, high=math.inf, n=3):
    return Interval(mean, low, high, n)


@pytest.mark.parametrize(
    ("number", "ends", "text"),
    [
        ("12", (33.54, 31.16, 35.93), "33.5 points [31.2, 35.9] worse; allowed ±1"),
        ("12", (-0.5, -0.9, -0.1), "0.50 points [0.10, 0.90] better; allowed ±1"),
        ("12", (0.0, -0.9, 0.9), "0.00 points [−0.90, 0.90] apart; allowed ±1"),
        ("13b", (-53.02, -64.44, -41.59), "53 of MCE [42, 64], against the claim"),
        ("13a", (56.1, 39.3, 72.9), "56 of relative MCE [39, 73], the way the claim says"),
        (
            "18a",
            (167052.7, 84281.2, 249824.3),
            "167,000 of label variation [84,000, 250,000], the way the claim says",
        ),
        (
            "13a",
            (0.00187, 0.00003, 0.00371),
            "0.0019 of relative MCE [0.00003, 0.0037], the way the claim says",
        ),
        ("9", (30.67,), "30.7 points, the way the claim says"),
        ("5a", (0.0, -1.0, 1.0), "0.0 points [−1.0, 1.0], neither for the claim nor against it"),
        ("13a", (0.4, -24.2, 25.1), "0 of relative MCE [−24, 25], neither for the claim nor against it"),
        ("12", (0.3, -40.0, 40.6), "0 points [−40, 41] apart; allowed ±1"),
        ("3", (0.845, 0.812, 0.879), "0.845 of rank correlation [0.812, 0.879], the way the claim says"),
        ("4", (0.0, 0.0, 0.0), "largest violation 0, allowed 0"),
    ],
)
def test_an_effect_has_its_unit_its_interval_and_its_direction(number, ends, text):
    assert effect_text(CLAIMS[number], interval(*ends)) == text


def test_what_is_not_measured_has_no_text():
    assert effect_text(CLAIMS["12"], None) == ""


def counted_in(metric, paper="lgg"):
    return unit_of(replace(CLAIMS["5a"], metric=metric, paper=paper))


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("relative_mce", "of relative MCE"),
        ("mce", "of MCE"),
        ("test_error", "points"),
        ("error_10nn", "points"),
        ("gain", "points"),
        ("sigma_error_correlation", "of rank correlation"),
        ("sigma_input", "of σ"),
        ("unheard_of", ""),
    ],
)
def test_units_are_those_of_the_metric(metric, unit):
    assert counted_in(metric) == unit


def test_a_slope_over_metrics_is_counted_a_step():
    assert counted_in("pieces_2x5;pieces_4x5", "geometries_of_learning") == "polyhedra a step"


def test_every_effect_of_every_paper_has_a_unit():
    judged = [c for p in papers.papers() for c in claims(p.name) if c.kind not in ("exact", "all_of")]
    assert [f"{c.paper} {c.number}" for c in judged if not unit_of(c)] == []
    assert len(judged) > 100
