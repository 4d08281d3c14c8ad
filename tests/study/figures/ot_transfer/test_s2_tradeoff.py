import json

import pytest

from lggkit.study import paths
from lggkit.study.figures.ot_transfer import s2_tradeoff as section

pytestmark = pytest.mark.usefixtures("no_window")


@pytest.fixture
def rows():
    table = ((1, 0.04, 0.3), (2, 0.02, 0.1), (10, 0.005, 0.03))
    return [
        {
            "partners": partners,
            "iterations": count,
            "relative_gap": warm,
            "reference_relative_gap": cold,
            "ours_seconds": 0.001 * count,
            "reference_seconds": 0.001 * count,
            "device": "cpu, 1 thread",
        }
        for count, warm, cold in table
        for partners in ("no clear partners", "clear partners")
    ]


def test_both_starts_are_set_side_by_side_for_both_pairs_of_layers(rows):
    first, second = section.tradeoff_said(rows)
    assert first.startswith(
        "Clear partners: with 1 iteration a plan that is begun at the one before costs 4.00 %"
    )
    assert "With 10 iterations" in second and "costs 0.50 % more" in second and "begun anew 3.00 %" in second
    axes = section.tradeoff_figure(rows).axes
    assert [ax.get_title() for ax in axes] == ["clear partners", "no clear partners", "time"]
    assert [len(ax.lines) for ax in axes] == [2, 2, 2]
    assert list(axes[0].lines[1].get_ydata()) == pytest.approx([30, 10, 3])
    assert list(section.tradeoff(rows)["iterations"]) == ["1", "2", "10"] * 2


def test_rows_are_those_of_the_benchmarks_file(rows, monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "results", lambda: tmp_path)
    assert section.tradeoff_rows() == [] and section.tradeoff_figure([]) is None
    assert section.start_said(None) == section.tradeoff_said([]) == [section.NOTHING]
    assert len(section.tradeoff([])) == 1
    complete = [row | {"name": "plan", "ratio": 1.0, "equal": True} for row in rows]
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / f"{section.BENCH}-cpu-1-thread.json").write_text(json.dumps({"rows": complete}))
    assert [row["iterations"] for row in section.tradeoff_rows()] == [1, 1, 2, 2, 10, 10]
