"""What the sentences of article 5 say of intervals over splits of the same images."""

from types import SimpleNamespace

import pytest

from lggkit.study.entered.paper import claims
from lggkit.study.figures.geometries_of_learning.a05_numbers import splits_said
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.verdicts import ClaimVerdict

CLAIMS = {claim.number: claim for claim in claims("geometries_of_learning")}
FACTOR = (1 + 40 * 0.2 / 0.8) ** 0.5


def judged(number, verdict, mean, half, n=40):
    return ClaimVerdict(CLAIMS[number], verdict, "paper", n, Interval(mean, mean - half, mean + half, n))


@pytest.mark.parametrize(
    ("one", "lost"),
    [
        (judged("a05-5a", "holds", 1.0, 0.99 / FACTOR), False),
        (judged("a05-5a", "holds", 1.0, 1.01 / FACTOR), True),
        (judged("a05-5b", "contradicted", -1.0, 0.99 / FACTOR), False),
        (judged("a05-5b", "contradicted", -1.0, 1.01 / FACTOR), True),
        (judged("a05-7a", "holds", 0.0, 0.99 * CLAIMS["a05-7a"].margin / FACTOR), False),
        (judged("a05-7a", "holds", 0.0, 1.01 * CLAIMS["a05-7a"].margin / FACTOR), True),
    ],
)
def test_verdicts_that_a_corrected_interval_does_not_give_are_named(one, lost):
    runs = [SimpleNamespace(settings={"share": 0.8})] * 40
    shown = SimpleNamespace(arm=lambda name: runs)
    others = [judged("a05-8", "undecided", 0.1, 1.0), judged("a05-9b", "holds", 1.0, 0.9, n=3)]
    (text,) = splits_said(shown, [one, *others])
    assert "they are 3.3 times as wide" in text and f"{int(lost)} of 1 verdicts over splits" in text
    assert text.endswith(f"undecided: {one.claim.number if lost else 'none'}.")
