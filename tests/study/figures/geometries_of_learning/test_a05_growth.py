import json

import pytest

from lggkit.study import paths
from lggkit.study.figures.geometries_of_learning import a05_growth as section

pytestmark = pytest.mark.usefixtures("no_window")


def rows():
    times = {"n": 1.0, "k": 2.0, "l": 0.5, "r": 1.0}
    return [
        {
            **{"name": f"{letter} = {size}", "device": "cpu, 1 thread", "ratio": 2.0, "equal": True},
            **{"grown": letter, "size": size, "ours_seconds": 1e-3 * size**power},
            "reference_seconds": 2e-3 * size**power,
        }
        for letter, power in times.items()
        for size in (2, 8, 32)
    ]


def test_each_size_has_a_panel_and_its_power():
    figure = section.growth_figure(rows())
    assert [ax.get_xlabel() for ax in figure.axes] == list(section.SIZES.values())
    assert list(figure.axes[1].lines[0].get_ydata()) == pytest.approx([0.004, 0.064, 1.024])
    text = section.growth_text(rows())
    assert (
        "n to the power 1.0 from 2 to 32" in text
        and "k to the power 2.0" in text
        and "l to the power 0.5" in text
    )


def test_rows_are_those_of_the_benchmarks_file(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "results", lambda: tmp_path)
    assert section.growth_rows() == [] and section.growth_figure([]) is None
    assert section.growth_said(None) == [section.NOTHING]
    (tmp_path / "bench").mkdir()
    against = {key: value for key, value in rows()[0].items() if key not in ("grown", "size")} | {
        "name": "best fit of 10 sets, n = 4,096"
    }
    file = tmp_path / "bench" / f"{section.BENCH}-cpu-1-thread.json"
    file.write_text(json.dumps({"rows": [against, *reversed(rows())]}))
    assert [row["size"] for row in section.growth_rows()] == [2] * 4 + [8] * 4 + [32] * 4
