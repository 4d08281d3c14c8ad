from dataclasses import replace

import pytest

from lggkit.study import chapter, paths
from lggkit.study.entered import papers
from lggkit.study.entered.paper import claims
from lggkit.study.judging.scorecard import judged_claims
from lggkit.study.pages import claim_pages


def test_every_measured_claim_has_one_page_and_that_page_is_there():
    for paper in papers.papers():
        for judged in judged_claims(paper.name):
            if judged.interval is not None:
                pages = [page for page in claim_pages.pages_of(paper.name) if page.shows(judged.claim)]
                assert len(pages) == 1 and claim_pages.page_of(judged.claim) == pages[0]
                assert (paths.repository() / "notebooks" / f"{pages[0].name}.ipynb").is_file()


def test_numbers_decide_before_the_section():
    mechanism = next(one for one in claim_pages.pages_of("lgg") if one.name.endswith("s43_mechanism"))
    shown = {claim.number for claim in claims("lgg") if mechanism.shows(claim)}
    assert mechanism.section == "lgg/s43_robustness" and shown == {"18", "18a", "18b"}


def test_the_label_is_that_of_the_chapter():
    page = claim_pages.Page("lgg/s43_mechanism", "lgg/s43_robustness")
    shown = chapter.Chapter(page.section, page="s43_mechanism")
    assert page.label == f"{shown.label}-claims"


def test_a_section_without_a_notebook_has_no_page():
    claim = replace(claims("ot_transfer")[0], experiment="ot_transfer/s9_unwritten")
    assert claim_pages.page_of(claim) is None


def test_a_section_that_is_not_written_out_is_named(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "coins").mkdir(parents=True)
    (tmp_path / "notebooks" / "coins" / "a01.py").write_text("chapter = Chapter(name, scale)\n")
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"a01.py, line 1: Chapter is given a name; write section"):
        list(claim_pages.pages_of("coins"))
