import json

import pytest

from lggkit.study import pages, paths
from lggkit.study.figures import benchmarks


@pytest.fixture
def rows():
    return [
        {"n": n, "width": width, "ours_seconds": n * 1e-4, "reference_seconds": n * 3e-4}
        for n, width in ((256, 512), (64, 512), (64, 16384))
    ]


def test_growth_shows_one_width_in_order_of_size(rows):
    import matplotlib.pyplot as plt

    figure = benchmarks.growth_figure(rows)
    usual, ours, guide = figure.axes[0].lines
    assert list(ours.get_xdata()) == [64, 256] and list(usual.get_ydata()) == pytest.approx([0.0192, 0.0768])
    assert list(guide.get_ydata()) == pytest.approx([0.0016, 0.0256])
    plt.close(figure)


def test_pages_are_written_whole(tmp_path):
    pages.write_pages(tmp_path)
    written = {p.name for p in tmp_path.iterdir()}
    assert written == {"headline.md", "scorecard.md", "compute.md", "benchmarks.md", "growth.png"}
    assert "numbers in the tables" in (tmp_path / "headline.md").read_text()
    scorecard = (tmp_path / "scorecard.md").read_text()
    assert all(f"### {title}" in scorecard for title in pages.TITLES.values())
    assert "lgg/s33" in (tmp_path / "compute.md").read_text()


def test_every_benchmark_on_file_is_shown_and_agrees(tmp_path):
    pages.write_pages(tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    for file in (paths.results() / "bench").glob("*.json"):
        for row in json.loads(file.read_text())["rows"]:
            assert row["equal"] and row["name"].replace("_", "\\_") in text


def test_the_headline_is_arithmetic():
    from lggkit.study.scorecard import headline

    count = headline()
    parts = ("holds", "contradicted", "undecided", "unmeasured")
    assert sum(count[part] for part in parts) == count["claims"] == 20 + 15 + 20 + 12


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00318, "3.18 ms"), (0.0849, "84.9 ms"), (33.71, "33.7 s"), (1.0, "1 s")]
)
def test_durations_have_a_unit_that_suits_them(seconds, text):
    assert pages.duration(seconds) == text
