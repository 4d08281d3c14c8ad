import json
import re

import pytest

from lggkit.study import paths
from lggkit.study.entered import papers
from lggkit.study.entered.paper import claims
from lggkit.study.pages import bench_parts, generated
from lggkit.study.pages.headline import sentences


def test_pages_are_written_whole(tmp_path):
    generated.write_pages(tmp_path)
    written = {p.name for p in tmp_path.iterdir() if p.suffix == ".md"}
    assert written == {
        "headline.md",
        "findings.md",
        "forest.md",
        "scorecard.md",
        "state.md",
        "compute.md",
        "benchmarks.md",
        "film.md",
        *(f"bench-{name}.md" for name in bench_parts.SECTIONS),
    }
    assert (
        "numbers that four papers and one collection of articles print"
        in (tmp_path / "headline.md").read_text()
    )
    scorecard = (tmp_path / "scorecard.md").read_text()
    assert all(f"### {title}" in scorecard for title in (one.title for one in papers.papers()))
    compute = (tmp_path / "compute.md").read_text()
    assert "lgg/s33" in compute and "- short" in compute


def test_every_benchmark_on_file_is_shown_once_and_agrees(tmp_path):
    generated.write_pages(tmp_path)
    text = "".join((tmp_path / f"{part}.md").read_text() for part in bench_parts.page_parts(tmp_path))
    for file in (paths.results() / "bench").glob("*.json"):
        assert text.count(f":name: tab-bench-{file.stem}".replace("_", "-") + "\n") == 1
        for row in json.loads(file.read_text())["rows"]:
            assert row.get("equal", True) and row["name"] in text.replace("\\_", "_")


def test_every_figure_that_a_part_shows_is_drawn(tmp_path):
    generated.write_pages(tmp_path)
    text = "".join((tmp_path / f"{part}.md").read_text() for part in bench_parts.page_parts(tmp_path))
    drawn = {p.name for p in tmp_path.glob("*.png")}
    assert drawn == {line.split("/")[-1] for line in text.splitlines() if line.startswith("```{figure}")}


def test_the_performance_page_includes_every_part_once():
    page = (paths.repository() / "book" / "study" / "performance.md").read_text()
    for part in bench_parts.page_parts(paths.results() / "bench"):
        assert page.count(f"```{{include}} ../_generated/{part}.md\n") == 1


def test_the_front_page_includes_every_part_of_it_once():
    page = (paths.repository() / "book" / "index.md").read_text()
    for part in ("findings", "headline", "state", "forest", "scorecard"):
        assert page.count(f"```{{include}} _generated/{part}.md\n") == 1


def test_the_headline_is_arithmetic():
    from lggkit.study.judging.scorecard import headline

    count = headline()
    parts = ("holds", "contradicted", "undecided", "moving", "not_tested", "unmeasured")
    assert sum(count[part] for part in parts) == count["claims"]
    shared = sum(c.number.isdigit() for one in papers.papers() for c in claims(one.name) if c.shares)
    declared = sum(one.claims for one in papers.papers() if one.kind == "paper")
    articles = [c.number for one in papers.papers() if one.kind == "articles" for c in claims(one.name)]
    declared += sum(re.fullmatch(r"a\d\d-p?\d+", number) is not None for number in articles)
    assert count["claims"] + count["identities"] == declared - shared


KNOWN = tuple(
    papers.Paper(name, name, name, (("s1", "one"),), kind)
    for name, kind in (("a", "paper"), ("b", "articles"))
)
NONE = dict.fromkeys(
    (
        *("cells", "unavailable", "smoke", "short", "reduced", "paper", "claims", "holds", "contradicted"),
        *("undecided", "moving", "not_tested", "unmeasured", "identities", "identities_hold"),
    ),
    0,
)


@pytest.mark.parametrize(
    ("known", "counts", "said"),
    [
        (
            KNOWN[:1],
            {},
            "Nothing is measured at the papers' scale yet. Of 0 numbers that one paper prints or their "
            "authors released, none is measured. Of 0 findings that they claim, 0 hold and 0 are "
            "contradicted.",
        ),
        (
            KNOWN,
            {"cells": 9, "unavailable": 1, "short": 5, "paper": 1, "claims": 5, "holds": 1, "contradicted": 1}
            | {"moving": 1, "not_tested": 1, "undecided": 1, "identities": 2, "identities_hold": 1},
            "Of 9 numbers that one paper and one collection of articles print or their authors released, 1 "
            "rests on data that cannot be had here and 1 is measured at paper scale, 5 at short scale. Of 5 "
            "findings that they claim, 1 holds, 1 is contradicted, 1 is undecided, 1 still moves with the "
            "length of training and 1 is not tested at the scales measured so far. Of 2 identities that they "
            "state, 1 holds.",
        ),
    ],
)
def test_the_headline_says_what_there_is(known, counts, said):
    assert sentences(NONE | counts, known) == said


def test_a_file_that_is_no_ledger_is_named(tmp_path, monkeypatch):
    (tmp_path / "lgg").mkdir()
    (tmp_path / "lgg" / "notes.jsonl").write_text("")
    monkeypatch.setattr(paths, "results", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"notes.jsonl is no ledger file; name it SECTION.SCALE.jsonl"):
        generated.write_pages(tmp_path / "out")
