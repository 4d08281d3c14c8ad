import dataclasses
import re

from lggkit.study.entered import papers
from lggkit.study.entered.paper import claims
from lggkit.study.judging.scorecard import headline, scorecard
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.verdicts import ClaimVerdict
from lggkit.study.pages import landing
from lggkit.study.pages.claim_pages import Page

SINGLE = next(claim for claim in claims("lgg") if claim.kind == "greater")
ALIKE = next(claim for claim in claims("lgg") if claim.kind == "equivalent")


def judged(number, verdict, paper="lgg", kind="greater", shares=""):
    claim = dataclasses.replace(SINGLE, paper=paper, number=number, kind=kind, shares=shares)
    return ClaimVerdict(claim, verdict, "reduced", 3, Interval(2.0, 1.0, 3.0, 3))


def numbers(found):
    return [one.claim.number for one in found]


def test_what_is_contradicted_and_what_holds_take_turns():
    first = [judged(n, "contradicted") for n in ("1", "2")] + [judged(n, "holds") for n in ("3", "4")]
    second = [dataclasses.replace(j, claim=dataclasses.replace(j.claim, paper="ot_transfer")) for j in first]
    told = landing.best([first, second])
    assert [(j.claim.paper, j.claim.number) for j in told] == [
        ("lgg", "1"),
        ("ot_transfer", "3"),
        ("ot_transfer", "1"),
    ]


def test_contradicted_claims_come_first_and_papers_take_turns():
    first = [judged("1a", "holds"), judged("1b", "holds"), judged("2", "holds"), judged("3", "undecided")]
    second = [judged("7", "holds", "ot_transfer"), judged("8", "contradicted", "ot_transfer")]
    assert numbers(landing.best([first, second])) == ["8", "1a", "7"]
    assert numbers(landing.best([first, second[:1]])) == ["1a", "7", "2"]


def test_identities_and_what_is_not_tested_are_no_findings():
    none = [judged("1", "holds", kind="exact"), judged("2", "not tested at this scale")]
    assert landing.best([none, []]) == []


def test_a_finding_that_another_paper_counts_is_told_there():
    shared = judged("12", "contradicted", shares="graph_smoothness_loss/c10a-small-clean-cost")
    assert numbers(landing.best([[shared, judged("1a", "holds")]])) == ["1a"]


def test_a_reading_of_ours_is_no_finding_of_a_paper():
    assert numbers(landing.best([[judged("r2", "contradicted"), judged("1a", "holds")]])) == ["1a"]


def test_a_finding_is_one_sentence_with_its_place():
    found = landing._finding(judged(SINGLE.number, "holds"), lambda text, page: f"[{text}]({page.name})")
    assert found == (
        f"{SINGLE.statement} This **holds**: 2.0 of σ [1.0, 3.0], the way the claim says, reduced scale, "
        f"3 seeds ([Latent geometry graphs, claim {SINGLE.number}](lgg/s33_latent_geometry_graphs))."
    )
    alike = ClaimVerdict(ALIKE, "contradicted", "paper", 1, Interval(2.0, 1.0, 3.0, 1), after_run=True)
    assert "This **is contradicted†**: 2.0 points [1.0, 3.0] more; allowed ±" in landing._finding(
        alike, landing.file_link
    )
    moving = landing._finding(judged("1", "still moving"), landing.file_link)
    assert "This **is still moving**" in moving


def test_links_lead_to_the_page():
    page = Page("lgg/s43_mechanism", "lgg/s43_robustness")
    assert landing.myst_link("claim 18", page) == "{ref}`claim 18 <tab-lgg-s43-mechanism-claims>`"
    assert landing.file_link("claim 18", page) == "[claim 18](notebooks/lgg/s43_mechanism.ipynb)"


def test_the_table_adds_up_to_the_headline():
    card, known = scorecard(), papers.papers()
    frame, count = landing.state_table(card, known), headline(card)
    assert list(frame["paper"]) == [paper.title for paper in known]
    for name, column in landing.COLUMNS.items():
        assert (frame[column].sum() if column in frame else 0) == count[name]
    assert {landing.COLUMNS[name] for name in landing.ALWAYS} <= set(frame)


def test_every_measured_effect_has_its_row_once():
    from lggkit.study.judging.scorecard import judged_claims
    from lggkit.study.pages.forest import drawn

    text = landing.forests_text()
    measured = [j for paper in papers.papers() for j in judged_claims(paper.name) if drawn(j)]
    assert text.count("<svg") == len(measured)
    assert all(j.claim.statement in text for j in measured)


def test_effects_are_folded_by_paper_or_article_and_counted():
    heads = re.findall(r"^:+\{dropdown\} (\D.*)$", landing.forests_text(), re.MULTILINE)
    assert sum(int(number) for head in heads for number in re.findall(r"(\d+) [a-z]", head)) == (
        landing.forests_text().count("<svg")
    )
    assert heads[0].startswith("Latent geometry graphs: ")
    assert any(head.startswith("Polyhedra of ReLU networks: ") for head in heads)
    assert landing.forests_text().count(":open:") == 1


def test_no_verdict_stands_apart_below():
    group = [judged("1", "not tested at this scale"), judged("2", "holds"), judged("3", "holds")]
    assert landing._counted(group) == "2 hold, 1 not tested at this scale"
    text = landing._forests("toy", group)
    assert text.index(landing.DECIDED) < text.index(landing.WAITING) < text.index("LGG\N{NO-BREAK SPACE}1")


def test_details_are_folded_by_paper():
    text = landing.details_text()
    for paper in papers.papers():
        assert f"### {paper.title}\n" in text
    assert text.count("{dropdown}") == 2 * len(papers.papers()) == text.count("{list-table}")
