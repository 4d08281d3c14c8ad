import json

import pytest

from lggkit.study import bench_parts, pages, paths


def test_pages_are_written_whole(tmp_path):
    pages.write_pages(tmp_path)
    written = {p.name for p in tmp_path.iterdir() if p.suffix == ".md"}
    assert written == {
        "headline.md",
        "scorecard.md",
        "compute.md",
        "benchmarks.md",
        *(f"bench-{name}.md" for name in bench_parts.SECTIONS),
    }
    assert "numbers that four papers print" in (tmp_path / "headline.md").read_text()
    scorecard = (tmp_path / "scorecard.md").read_text()
    assert all(f"### {title}" in scorecard for title in pages.TITLES.values())
    assert "lgg/s33" in (tmp_path / "compute.md").read_text()


def test_every_benchmark_on_file_is_shown_once_and_agrees(tmp_path):
    pages.write_pages(tmp_path)
    text = "".join((tmp_path / f"{part}.md").read_text() for part in bench_parts.page_parts(tmp_path))
    for file in (paths.results() / "bench").glob("*.json"):
        assert text.count(f":name: tab-bench-{file.stem}".replace("_", "-") + "\n") == 1
        for row in json.loads(file.read_text())["rows"]:
            assert row.get("equal", True) and row["name"] in text.replace("\\_", "_")


def test_every_figure_that_a_part_shows_is_drawn(tmp_path):
    pages.write_pages(tmp_path)
    text = (tmp_path / "bench-graph.md").read_text()
    drawn = {p.name for p in tmp_path.glob("*.png")}
    assert drawn == {line.split("/")[-1] for line in text.splitlines() if line.startswith("```{figure}")}


def test_the_performance_page_includes_every_part_once():
    page = (paths.repository() / "book" / "study" / "performance.md").read_text()
    for part in bench_parts.page_parts(paths.results() / "bench"):
        assert page.count(f"```{{include}} ../_generated/{part}.md\n") == 1


def test_the_headline_is_arithmetic():
    from lggkit.study.scorecard import headline

    count = headline()
    parts = ("holds", "contradicted", "undecided", "unmeasured")
    assert sum(count[part] for part in parts) == count["claims"] == 20 + 15 + 20 + 12


def test_a_file_that_is_no_ledger_is_named(tmp_path, monkeypatch):
    (tmp_path / "lgg").mkdir()
    (tmp_path / "lgg" / "notes.jsonl").write_text("")
    monkeypatch.setattr(paths, "results", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"notes.jsonl is no ledger file; name it SECTION.SCALE.jsonl"):
        pages.write_pages(tmp_path / "out")
