"""Broken benchmark files and rows: one sentence with the file and the row or line, and nothing is shown."""

import json
import math
import os
import subprocess
import sys

import pytest

from lggkit.study import paths
from lggkit.study.pages import bench_parts, benchmarks
from lggkit.study.records.bench_rows import check_rows

ABOUT = {"title": "A title", "device": "cpu, 2 threads", "processor": "Chip 9000", "torch": "2.15.0"}
TIME = {"name": "a", "ours_seconds": 1.0, "reference_seconds": 2.0, "ratio": 2.0, "equal": True}
MEMORY = {"name": "m", "kind": "memory", "ours_bytes": 1, "reference_bytes": 2, "ratio": 2.0, "equal": True}
ROOF = {"name": "triad", "kind": "roof", "rate": 1e10, "unit": "B/s"}
PROFILE = {"kind": "profile", "name": "step", "network": "Net", "seconds": 1.0, "shares": {"data": 1.0}}
PROFILE |= {"convolutions_alone_seconds": 0.0}


def without(row, name):
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize("row", [TIME, MEMORY, ROOF, PROFILE], ids=lambda row: row["name"])
def test_every_needed_field_is_missed(row):
    check_rows([row])
    for name in set(row) - {"kind"}:
        with pytest.raises(ValueError, match=rf"row 2 .*({name} is missing|has no name)"):
            check_rows([TIME, without(row, name)])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (TIME | {"kind": "tyme"}, "kind is 'tyme'; it is one of time, memory, roof, profile"),
        (TIME | {"kind": ["time"]}, "kind is"),
        (TIME | {"ratio": math.nan}, "ratio is nan, not null or a finite number above 0"),
        (TIME | {"ratio": math.inf}, "ratio is inf"),
        (TIME | {"ratio": "2.0"}, "ratio is '2.0'"),
        (TIME | {"ours_seconds": 0.0}, "ours_seconds is 0.0, not a finite number above 0"),
        (TIME | {"ours_seconds": -1}, "ours_seconds is -1"),
        (TIME | {"ours_seconds": True}, "ours_seconds is True"),
        (TIME | {"ours_seconds": 10**400}, "ours_seconds is 1000"),
        (TIME | {"reference_seconds": None}, "reference_seconds and ratio go together"),
        (TIME | {"ratio": None}, "reference_seconds and ratio go together"),
        (TIME | {"equal": 1}, "equal is 1, not true or false"),
        (TIME | {"setup_seconds": math.nan}, "setup_seconds is nan"),
        (TIME | {"target": 1.5}, "target is given without network"),
        (TIME | {"target": 1.5, "network": "N", "ratio": None, "reference_seconds": None}, "without ratio"),
        (TIME | {"strategy": "lockstep"}, "strategy is given without kept"),
        (TIME | {"width": 512}, "width is given without n"),
        (TIME | {"n": "64", "width": 512}, "n is '64'"),
        (MEMORY | {"reference_bytes": 0}, "reference_bytes is 0"),
        (ROOF | {"rate": 0.0}, "rate is 0.0"),
        (PROFILE | {"shares": {}}, "shares is {}"),
        (PROFILE | {"shares": {"data": math.nan}}, "shares is"),
        (PROFILE | {"convolutions_alone_seconds": -1.0}, "convolutions_alone_seconds is -1.0"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(row, said):
    with pytest.raises(ValueError) as refused:
        check_rows([row])
    assert said in str(refused.value) and f"row 1 ({row['name']}): " in str(refused.value)


@pytest.mark.parametrize("rows", [None, [], {}, "rows", [1], [{}], [[]], 3], ids=str)
def test_rows_are_a_list_of_named_rows(rows):
    with pytest.raises(ValueError, match=r"no list of at least one row|row 1 has no name"):
        check_rows(rows)


def test_an_empty_optional_text_is_none():
    check_rows([TIME | {"strategy": "lockstep", "kept": ""}, TIME | {"path": "anything"}])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ", line 1: no JSON"),
        ('{\n"title": "x",\n', ", line 3: no JSON"),
        ("[]", ": a JSON list, not an object"),
        ("null", ": a JSON NoneType, not an object"),
        ("[" * 200_000, ": no JSON"),
        (json.dumps(ABOUT), ": rows are no list"),
        (json.dumps(without(ABOUT, "torch") | {"rows": [TIME]}), ": torch is None, not a text"),
        (json.dumps(ABOUT | {"device": 3, "rows": [TIME]}), ": device is 3, not a text"),
        (json.dumps(ABOUT | {"rows": [TIME, TIME | {"ratio": math.nan}]}), "NaN is no finite number"),
        (json.dumps(ABOUT | {"rows": [TIME, without(TIME, "equal")]}), ": row 2 (a): equal is missing"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_broken_file_is_named(tmp_path, text, said):
    (tmp_path / "good-cpu.json").write_text(json.dumps(ABOUT | {"rows": [TIME]}))
    (tmp_path / "x-cpu.json").write_text(text)
    for read in (benchmarks.recorded, bench_parts.page_parts):
        with pytest.raises(ValueError) as refused:
            read(tmp_path)
        message = str(refused.value)
        assert said in message and "x-cpu.json" in message and "\n" not in message
        assert message.endswith("measure it again with `make bench`, or remove the file")


def test_bytes_that_are_no_text_are_named_and_a_byte_order_mark_is_none(tmp_path):
    whole = json.dumps(ABOUT | {"rows": [TIME]}).encode()
    (tmp_path / "x-cpu.json").write_bytes(b"\xef\xbb\xbf" + whole)
    assert len(benchmarks.recorded(tmp_path)) == 1
    (tmp_path / "x-cpu.json").write_bytes(whole.replace(b"title", b"t\xe9tle", 1))
    with pytest.raises(ValueError, match=r"x-cpu.json: no JSON"):
        benchmarks.recorded(tmp_path)


def test_a_processor_s_name_is_taken_as_it_is(tmp_path):
    content = ABOUT | {"processor": r"Chip \1 \g<0>", "rows": [TIME]}
    (tmp_path / "x-cpu.json").write_text(json.dumps(content))
    assert benchmarks.recorded(tmp_path)[0].machine == r"Chip \1 \g<0>, 2 threads"


def test_a_graph_file_without_the_figure_s_rows_is_named(tmp_path):
    (tmp_path / "graph-cpu.json").write_text(json.dumps(ABOUT | {"rows": [TIME]}))
    with pytest.raises(ValueError, match=r"graph-cpu.json: no row has latents of 512 features"):
        benchmarks.draw_figures(tmp_path, tmp_path)


def test_a_missed_target_is_told_without_a_limit_where_nothing_can_be_divided(tmp_path):
    row = TIME | {"network": "Net", "target": 5.0}
    shares = {"convolution forward": 1.0}
    for profile in (PROFILE, PROFILE | {"convolutions_alone_seconds": 0.1, "shares": shares}):
        (tmp_path / "training-cpu.json").write_text(json.dumps(ABOUT | {"rows": [row, profile]}))
        assert "which is missed." in bench_parts.page_parts(tmp_path)["bench-training"]


TOOL = [sys.executable, str(paths.repository() / "tools" / "bench.py")]
ROWS = "def run():\n    print('measured')\n    return {rows}\n"


def bench(tmp_path, rows, *more, out="out"):
    file = tmp_path / "bench_it.py"
    file.write_text(ROWS.format(rows=rows))
    command = [*TOOL, str(file), *more, "--out", str(tmp_path / out)]
    here = os.environ | {"PYTHONPATH": str(paths.repository())}
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=here)


def test_a_benchmark_that_measured_no_number_keeps_nothing(tmp_path):
    done = bench(tmp_path, "[" + str(TIME | {"device": "cpu"}) + " | {'ratio': float('nan')}]")
    assert (
        done.returncode == 1 and "row 1 (a): ratio is nan" in done.stderr and "Traceback" not in done.stderr
    )
    assert not list((tmp_path / "out").iterdir())


def test_an_unwritable_folder_and_a_wrong_name_are_noticed_before_anything_is_measured(tmp_path):
    (tmp_path / "out").write_text("a file where a folder should be")
    done = bench(tmp_path, "[]")
    assert done.returncode == 1 and "cannot write to" in done.stderr and "measured" not in done.stdout
    done = bench(tmp_path, "[]", str(tmp_path / "bench_typo.py"), out="fresh")
    assert done.returncode == 1 and "bench_typo.py is no benchmark" in done.stderr
    assert "measured" not in done.stdout and len(done.stderr.splitlines()) == 1


def test_what_was_measured_is_kept_whole(tmp_path):
    done = bench(tmp_path, [TIME | {"device": "cpu"}])
    assert done.returncode == 0, done.stderr
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["it-cpu.json"]
