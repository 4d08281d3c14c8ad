import dataclasses
import math
import re
from xml.etree import ElementTree

import pytest

from lggkit.study.entered.paper import claims
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.verdicts import ClaimVerdict
from lggkit.study.pages import forest

GREATER, EQUIVALENT, TREND, EXACT, WHOLE = (
    next(claim for claim in claims("lgg") if claim.kind == kind)
    for kind in ("greater", "equivalent", "trend", "exact", "all_of")
)
FALLING = dataclasses.replace(TREND, direction="decreasing")


def judged(claim=GREATER, verdict="holds", ends=(1.0, 3.0), n=3, **options):
    return ClaimVerdict(claim, verdict, "reduced", n, Interval(sum(ends) / 2, *ends, n), **options)


def alone(verdict="not tested at this scale"):
    return ClaimVerdict(GREATER, verdict, "short", 1, Interval(-2.0, -math.inf, math.inf, 1))


def place(svg):
    """Where the mark of a drawing stands, from -1 at the left to 1 at the right."""
    x = re.findall(r'cx="([\d.]+)"|M([\d.]+) \d+[ml]', svg)[-1]
    return (float(x[0] or x[1]) - forest.WIDTH / 2) / forest.HALF


@pytest.mark.parametrize("verdict", forest.LOOKS)
def test_every_verdict_has_a_drawing_of_its_own(verdict):
    svg = forest.drawing(judged(verdict=verdict))
    assert ElementTree.fromstring(svg).attrib["role"] == "img"
    others = {forest.drawing(judged(verdict=other)) for other in forest.LOOKS if other != verdict}
    assert svg not in others and place(svg) == pytest.approx(2 / 3, abs=0.01)


def test_the_claims_side_is_on_the_right():
    assert place(forest.drawing(judged(ends=(-3.0, -1.0)))) == pytest.approx(-2 / 3, abs=0.01)
    assert place(forest.drawing(judged(FALLING, ends=(-3.0, -1.0)))) == pytest.approx(2 / 3, abs=0.01)


def test_one_seed_is_a_mark_without_a_line_at_its_side():
    svg = forest.drawing(alone())
    assert place(svg) == -1 and "12H" not in svg and "inf" not in svg


def test_an_effect_of_nothing_stands_in_the_middle():
    svg = forest.drawing(ClaimVerdict(GREATER, "undecided", "short", 3, Interval(0, 0, 0, 3, False)))
    assert place(svg) == 0 and "12H" not in svg


def test_what_is_allowed_is_a_band():
    svg = forest.drawing(judged(EQUIVALENT, ends=(-0.5 * EQUIVALENT.margin, 0.1 * EQUIVALENT.margin)))
    assert f'width="{2 * forest.HALF:.1f}"' in svg
    far = forest.drawing(judged(EQUIVALENT, ends=(1e6, 2e6)))
    assert 'width="2.0"' in far and "<rect" not in forest.drawing(judged())


def test_rows_are_single_claims_that_are_measured():
    rows = [
        judged(),
        ClaimVerdict(WHOLE, "holds", "reduced", 3),
        judged(EXACT),
        ClaimVerdict(TREND, "unmeasured"),
    ]
    assert [forest.drawn(row) for row in rows] == [True, False, False, False]
    text = forest.forest(rows, "Effects.", "tab-effects")
    assert text.count("<svg") == 1 and text.count("* - ") == 2 and ":name: tab-effects\n" in text


def test_a_row_says_claim_verdict_effect_and_seeds():
    text = forest.forest([judged(after_run=True)], "Effects.", "tab-effects")
    label = "tab-lgg-s33-latent-geometry-graphs-claims"
    assert f"**{{ref}}`LGG\N{NO-BREAK SPACE}{GREATER.number} <{label}>`** {{bdg-success}}`holds†`" in text
    assert f"{GREATER.statement} 2.0 of σ [1.0, 3.0] (reduced, 3 seeds)" in text
    waiting = forest.forest([alone()], "Effects.", "tab-effects")
    assert "bdg" not in waiting and "−2 of σ (short, 1 seed)" in waiting
