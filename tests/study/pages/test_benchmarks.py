import json

import pytest

from lggkit.study.figures import benchmarks as figures
from lggkit.study.pages import bench_parts, benchmarks

ABOUT = {"title": "A title", "device": "cpu, 2 threads", "processor": "Chip 9000", "torch": "2.15.0"}


def timed(name, ours, reference, **more):
    ratio = None if reference is None else reference / ours
    seconds = {"ours_seconds": ours, "reference_seconds": reference}
    return {"name": name, "ratio": ratio, "equal": True, **seconds, **more}


def written(folder, name, *rows, **about):
    file = folder / f"{name}-cpu-2-threads.json"
    file.write_text(json.dumps(ABOUT | about | {"rows": rows}))
    return file


def text_of(folder, part):
    return bench_parts.page_parts(folder)[part].replace("\N{NO-BREAK SPACE}", " ")


def cells(text, row):
    """The cells of the table's row whose first cell contains a text."""
    lines = [line[4:].strip() for line in text.split("\n\n", 1)[1].splitlines()]
    starts = [i for i, line in enumerate(text.split("\n\n", 1)[1].splitlines()) if line.startswith("* -")]
    rows = [lines[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]
    return next(cells_of_row for cells_of_row in rows if row in cells_of_row[0])


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_without_benchmarks_every_part_says_so_and_no_figure_is_drawn(tmp_path, folder):
    parts = bench_parts.page_parts(tmp_path / folder)
    assert set(parts) == {"bench-training", "bench-seeds", "bench-graph", "bench-memory", "benchmarks"}
    assert set(parts.values()) == {bench_parts.NOTHING}
    assert benchmarks.draw_figures(tmp_path / folder, tmp_path) == []


def test_a_benchmark_goes_to_its_section_or_to_the_others(tmp_path):
    written(tmp_path, "training", timed("a step", 0.1, 0.2))
    written(tmp_path, "graph_of_all", timed("all", 0.1, 0.2))
    assert "a step" in text_of(tmp_path, "bench-training") and "all" not in text_of(
        tmp_path, "bench-training"
    )
    assert "all" in text_of(tmp_path, "benchmarks") and "a step" not in text_of(tmp_path, "benchmarks")
    assert text_of(tmp_path, "bench-graph") == bench_parts.NOTHING


def test_the_simplest_rows_make_a_table_with_the_machine(tmp_path):
    written(tmp_path, "augmentation", timed("crop", 0.00318, 0.0849), timed("wrong", 2.0, 1.0, equal=False))
    text = text_of(tmp_path, "benchmarks")
    assert "A title: medians; Chip 9000, 2 threads, torch 2.15.0" in text
    assert ":name: tab-bench-augmentation-cpu-2-threads\n" in text
    assert cells(text, "what")[1:] == ["lggkit", "the usual way", "ratio", "equal values"]
    assert cells(text, "crop")[1:5] == ["3.18 ms", "84.9 ms", "26.70", "yes"]
    assert cells(text, "wrong")[1:5] == ["2 s", "1 s", "0.50", "NO"]


def test_what_was_not_run_is_told_apart(tmp_path):
    written(tmp_path, "graph_x", timed("large", 30.0, None))
    assert cells(text_of(tmp_path, "benchmarks"), "large")[1:5] == ["30 s", "–", "–", "yes"]


def test_set_up_and_peak_memory_have_columns_where_a_row_has_them(tmp_path):
    one = timed("one", 0.1, 0.2, setup_seconds=24.5, reference_setup_seconds=22.1)
    both = {"ours_peak_bytes": 931028992, "reference_peak_bytes": 2544680960}
    written(tmp_path, "x", one, timed("two", 0.1, 0.2, setup_seconds=0.0), timed("three", 0.1, 0.2, **both))
    text = text_of(tmp_path, "benchmarks")
    assert cells(text, "what")[5:] == ["set-up", "peak memory"]
    assert cells(text, "one")[5:7] == ["24.5 s / 22.1 s", ""]
    assert cells(text, "two")[5:7] == ["", ""]
    assert cells(text, "three")[5:7] == ["", "931 MB / 2.54 GB"]


def test_memory_rows_are_in_bytes(tmp_path):
    numbers = {"ours_bytes": 7e8, "reference_bytes": 1.43e9, "ratio": 1.43 / 0.7, "equal": True}
    written(tmp_path, "memory", {"kind": "memory", "name": "graph"} | numbers)
    text = text_of(tmp_path, "bench-memory")
    assert cells(text, "graph")[1:5] == ["700 MB", "1.43 GB", "2.04", "yes"]
    assert "medians" not in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00318, "3.18 ms"), (0.0849, "84.9 ms"), (33.71, "33.7 s"), (1.0, "1 s")]
)
def test_durations_have_a_unit_that_suits_them(seconds, text):
    assert bench_parts.duration(seconds) == text.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(
    ("count", "text"), [(5.5e5, "0.55 MB"), (8.125e8, "812 MB"), (1.234e9, "1.23 GB"), (1.6e12, "1600 GB")]
)
def test_sizes_have_a_unit_that_suits_them(count, text):
    assert bench_parts.size(count) == text.replace(" ", "\N{NO-BREAK SPACE}")


def profile(name, floor, **shares):
    about = {"kind": "profile", "name": name, "network": "Net", "seconds": 0.2}
    return about | {"shares": shares, "convolutions_alone_seconds": floor}


SHARES = {"convolution forward": 0.2, "convolution backward": 0.4, "batch norm": 0.3, "data": 0.1}


def test_a_profile_is_a_table_beside_the_times(tmp_path):
    usual = profile("the usual loop", 0.1, **SHARES | {"batch norm": 0.05})
    written(tmp_path, "training", timed("step", 0.2, 0.3), profile("lggkit", 0.1, **SHARES), usual)
    table = text_of(tmp_path, "bench-training").split("::::\n\n")[1]
    assert ":name: tab-bench-training-cpu-2-threads-profile\n" in table
    assert cells(table, "")[:3] == ["", "Net, lggkit", "Net, the usual loop"]
    assert cells(table, "the step")[:3] == ["the step", "200 ms", "200 ms"]
    assert cells(table, "batch norm")[1:3] == ["30 %", "5 %"]
    assert cells(table, "alone")[1:3] == ["100 ms", "100 ms"]


@pytest.mark.parametrize(
    ("target", "floor", "said"),
    [
        (1.4, 0.1, ["× 1.50, aimed at × 1.4, which is met."]),
        (
            2.5,
            0.1,
            ["missed", "are 60 % of our step, batch norm 30 %", "take 100 ms", "× 3.00", "leaves 20 ms"],
        ),
        (4.0, 0.1, ["missed", "leaves no time"]),
    ],
)
def test_a_target_is_met_or_the_profile_says_what_bounds_it(tmp_path, target, floor, said):
    ours, usual = profile("lggkit", floor, **SHARES), profile("the usual loop", floor, data=1.0)
    written(tmp_path, "training", timed("step", 0.2, 0.3, network="Net", target=target), ours, usual)
    (line,) = [x for x in text_of(tmp_path, "bench-training").splitlines() if x.startswith("- Net:")]
    assert all(part in line for part in said)


def test_a_missed_target_without_a_profile_is_told_all_the_same(tmp_path):
    written(tmp_path, "training", timed("step", 0.2, 0.3, network="Net", target=2.0))
    assert "- Net: × 1.50, aimed at × 2, which is missed." in text_of(tmp_path, "bench-training").splitlines()


def test_strategies_are_ordered_by_what_was_measured(tmp_path):
    slow = timed("a", 1.0, 0.9, strategy="lockstep", kept="`train_many`")
    fast = timed("b", 0.5, 0.9, strategy="processes", kept="`--shard`")
    other = timed("c", 3.0, 0.9, strategy="stacked", kept="")
    written(tmp_path, "seeds", slow, fast, other)
    last = text_of(tmp_path, "bench-seeds").splitlines()[-1]
    order = "*processes* × 1.80, *lockstep* × 0.90, *stacked* × 0.30"
    choices = "*processes* as `--shard`, *lockstep* as `train_many`"
    on = "In order of their ratios, on Chip 9000, 2 threads"
    assert last == f"{on}: {order}. The library keeps {choices}."
    written(tmp_path, "seeds", slow, other)
    assert "None of them beats one model after another." in text_of(tmp_path, "bench-seeds")


def test_a_gpu_keeps_its_own_name(tmp_path):
    written(tmp_path, "x", timed("a", 1.0, 2.0), device="NVIDIA cpux")
    assert "medians; NVIDIA cpux, torch" in text_of(tmp_path, "benchmarks")


def size_row(n, width=512, ours=None, reference=None, **more):
    return timed(f"{n}", ours or n * 1e-4, reference, n=n, width=width, flops=4 * n * n, bytes=n, **more)


ROOF = [
    {"kind": "roof", "name": "triad", "rate": 1e6, "unit": "B/s"},
    {"kind": "roof", "name": "product", "rate": 1e8, "unit": "FLOP/s"},
]


@pytest.fixture
def closing():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_old_rows_grow_beside_the_square_law(closing):
    rows = [
        {"n": n, "width": width, "ours_seconds": n * 1e-4, "reference_seconds": n * 3e-4}
        for n, width in ((256, 512), (64, 512), (64, 16384))
    ]
    (panel,) = figures.growth_figure(rows).axes
    usual, ours, guide = panel.lines
    assert list(ours.get_xdata()) == [64, 256] and list(usual.get_ydata()) == pytest.approx([0.0192, 0.0768])
    assert list(guide.get_ydata()) == pytest.approx([0.0016, 0.0256]) and guide.get_label() == "growth as n²"


def test_growth_has_a_panel_a_family_beside_the_roofline(closing):
    depths = [timed(str(m), m * 1e-3, m * 2e-3, depths=m, n=8, flops=m * 10**6, bytes=m) for m in (2, 1)]
    rows = [size_row(64, reference=0.05), size_row(256), *depths, *ROOF]
    sizes, maps = figures.growth_figure(rows).axes
    usual, ours, roof = sizes.lines
    assert list(usual.get_xdata()) == [64] and list(ours.get_xdata()) == [64, 256]
    assert [text.get_text() for text in sizes.texts] == ["stopped"] and not maps.texts
    assert roof.get_label() == "roofline" and list(roof.get_ydata()) == pytest.approx(
        [0.00016384, 0.00262144]
    )
    assert list(maps.lines[0].get_xdata()) == [1, 2] and list(maps.lines[2].get_ydata()) == [0.01, 0.02]


def test_the_roof_is_the_slower_of_moving_and_doing():
    measured = figures.rates([*ROOF, size_row(64)])
    assert measured == {"B/s": 1e6, "FLOP/s": 1e8}
    assert figures.roofline({"bytes": 2e6, "flops": 1e8}, measured) == 2
    assert figures.roofline({"bytes": 2e6, "flops": 5e8}, measured) == 5


def test_growth_needs_a_row_of_that_width():
    with pytest.raises(ValueError, match="no row has latents of 512 features"):
        figures.growth_figure([size_row(64, width=8)])


def test_a_figure_a_device_is_drawn_and_shown(tmp_path):
    written(tmp_path, "graph", size_row(64, reference=0.05), size_row(128, reference=0.1), *ROOF)
    (file,) = benchmarks.draw_figures(tmp_path, tmp_path / "out")
    assert file.name == "growth-cpu-2-threads.png" and file.read_bytes()[:4] == b"\x89PNG"
    text = text_of(tmp_path, "bench-graph")
    assert f"```{{figure}} ../_generated/{file.name}\n:name: fig-growth-cpu-2-threads\n" in text
    assert "Chip 9000, 2 threads: 0.001 GB/s (triad) and 0.1 GFLOP/s (product)." in text
