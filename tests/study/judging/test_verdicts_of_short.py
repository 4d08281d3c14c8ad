"""What short trainings alone say of every claim is what they said before gates and lengths came in."""

import csv
from pathlib import Path

import pytest

from lggkit.study.entered.paper import claims
from lggkit.study.entered.papers import papers
from lggkit.study.judging import verdicts as v
from lggkit.study.judging.scorecard import records_at

KNOWN = Path(__file__).with_name("verdicts_of_short.csv")


@pytest.fixture(scope="module")
def short():
    """The records of short scale by experiment, of every paper."""
    names = {c.experiment for one in papers() for c in claims(one.name) if c.experiment}
    return {name: {"short": records_at(name, "short")} for name in sorted(names)}


@pytest.mark.parametrize("paper", [one.name for one in papers()])
def test_intervals_alone_give_the_verdicts_that_they_gave(paper, short):
    """`verdicts_of_short.csv` holds those; whoever measures short trainings again enters what they give."""
    judged = v.claim_verdicts(claims(paper), short, lengths=False)
    verdicts = {j.claim.id: (j.verdict, j.n, j.survives_holm) for j in judged}
    with open(KNOWN, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["paper"] == paper]
    assert verdicts == {r["id"]: (r["verdict"], int(r["n"]), r["survives_holm"] == "yes") for r in rows}


@pytest.mark.parametrize("paper", [one.name for one in papers()])
def test_short_trainings_alone_decide_only_what_needs_none(paper, short):
    judged = v.claim_verdicts(claims(paper), short)
    decided = [j for j in judged if j.verdict in (v.HOLDS, v.CONTRADICTED, v.MOVING)]
    assert all(not j.claim.gate and j.claim.kind != "all_of" for j in decided)
    assert all(j.verdict == v.NOT_TESTED for j in judged if j.claim.gate and j.scale)
