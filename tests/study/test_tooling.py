"""The files around the library agree with each other: environments, pins, contents, Makefile."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONDA = {"torch": "pytorch"}
PYPI_ONLY = {"foolbox", "sphinx-mathjax-offline"}

yaml = pytest.importorskip("yaml")


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def split(requirement):
    name, ranges = re.fullmatch(r"\s*([A-Za-z0-9_.-]+)\s*(.*?)\s*", requirement).groups()
    return name.lower().replace("_", "-"), frozenset(filter(None, re.split(r"\s*,\s*", ranges)))


def declared():
    metadata = project()
    extras = [r for group in metadata["optional-dependencies"].values() for r in group]
    return dict(map(split, metadata["dependencies"] + extras))


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_conda_users_get_the_same_names_and_ranges():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(e["pip"] for e in entries if isinstance(e, dict))
    conda = dict(split(e) for e in entries if isinstance(e, str))
    pip = dict(split(e) for e in from_pip if not e.startswith("-"))
    assert conda.pop("python") == split("python" + project()["requires-python"])[1]
    for extra in ("make", "pip"):
        conda.pop(extra)
    wanted = declared()
    assert pip == {name: wanted[name] for name in PYPI_ONLY}
    assert conda == {CONDA.get(name, name): r for name, r in wanted.items() if name not in PYPI_ONLY}


def test_every_requirement_is_pinned_inside_its_range():
    specifiers = pytest.importorskip("packaging.specifiers")
    lines = [x for x in (ROOT / "constraints.txt").read_text().splitlines() if not x.startswith("#")]
    pins = {name.lower().replace("_", "-"): version for name, version in (x.split("==") for x in lines)}
    for name, ranges in declared().items():
        assert name in pins, f"{name} has no pin in constraints.txt"
        version = pins[name]
        assert version in specifiers.SpecifierSet(",".join(ranges)), f"{name} {version} is outside {ranges}"


def test_contents_list_every_notebook_and_nothing_twice():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    pages = [page["file"] for part in contents["parts"] for page in part["chapters"]]
    assert len(pages) == len(set(pages))
    notebooks = {str(p.relative_to(ROOT).with_suffix("")) for p in (ROOT / "notebooks").rglob("*.py")}
    assert notebooks <= set(pages)


def test_contents_list_only_pages_that_exist():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    pages = [contents["root"]] + [page["file"] for part in contents["parts"] for page in part["chapters"]]
    missing = [p for p in pages if not any((ROOT / f"{p}{end}").exists() for end in (".md", ".py", ".ipynb"))]
    assert not missing


def test_citation_and_project_state_one_version_and_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project()["version"]
    assert citation["license"] == project()["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_ci_script_and_workflow_call_the_same_targets():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    workflow = (ROOT / ".github" / "workflows" / "book.yml").read_text()
    yaml.safe_load(workflow)
    for target in ("make test", "make book"):
        assert target in script.read_text() and target in workflow


def make(*arguments):
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    return subprocess.run(["make", "-C", ROOT, *arguments], capture_output=True, text=True, env=clean)


def test_make_without_a_target_explains_every_target():
    shown = make("--no-print-directory")
    assert shown.returncode == 0
    for target in ("book", "test", "notebooks", "study", "bench", "lint", "clean"):
        assert re.search(rf"^  make {target} +\w", shown.stdout, re.M), target


def test_byte_code_is_written_even_where_the_environment_forbids_it(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    shown = make("--no-print-directory", "--eval", "shown: ; @printenv PYTHONDONTWRITEBYTECODE", "shown")
    assert shown.stdout == ""


def test_an_unfit_python_is_refused_with_the_remedy(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    told = make("setup", f"PYTHON={old}", f"VENV={tmp_path}/venv")
    assert told.returncode != 0
    assert "no Python 3.11, 3.12 or 3.13" in told.stderr and "make PYTHON=" in told.stderr


def test_torch_check_passes_here_and_names_a_broken_pair(monkeypatch):
    check = tool("check_torch")
    assert check.problem() is None

    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(check.importlib, "import_module", broken)
    said = check.problem()
    assert "torchvision::nms does not exist" in said and "TORCH_INDEX=" in said and "constraints.txt" in said


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  Downloading torch-2.15.0-cp311.whl (539.1 MB)\n", "  torch-2.15.0-cp311.whl (539 MB)"),
        ("  Using cached https://host/a/nvidia_cudnn.whl (657.9 MB)\n", "  nvidia_cudnn.whl (658 MB)"),
        ("  Downloading tqdm-4.whl (1.2 MB)\n", None),
        ("Installing collected packages: a, b, c\n", "  unpacking 3 packages"),
        ("ERROR: No matching distribution found for x\n", "ERROR: No matching distribution found for x"),
        ("Collecting torch>=2.11\n", None),
    ],
)
def test_setup_shows_only_what_takes_time(line, shown):
    assert tool("setup").progress(line) == shown


BENCH = '''"""A title: with more."""
from beside_it import SECONDS
SMALLEST_RATIO = 3
def run():
    row = SECONDS | {"device": "cpu, 1 thread", "equal": True}
    return [row | {"name": "slow", "ratio": 2.0}, row | {"name": "wrong", "ratio": 4.0, "equal": False}]
'''


def test_benchmarks_are_kept_and_fail_when_slow_or_wrong(tmp_path, monkeypatch):
    (tmp_path / "bench_it.py").write_text(BENCH)
    (tmp_path / "beside_it.py").write_text('SECONDS = {"ours_seconds": 1.0, "reference_seconds": 2.0}')
    monkeypatch.setattr("sys.path", [*sys.path])
    failed = tool("bench").bench(tmp_path / "bench_it.py", tmp_path / "out")
    assert len(failed) == 2
    assert "wrong" in failed[0] and "differ" in failed[0]
    assert "slow" in failed[1] and "ratio 2.00, 3 is declared" in failed[1]
    content = json.loads((tmp_path / "out" / "it-cpu-1-thread.json").read_text())
    assert content["title"] == "A title: with more" and [row["name"] for row in content["rows"]] == [
        "slow",
        "wrong",
    ]


TIMES = {
    "name": "a",
    "device": "d",
    "equal": True,
    "ours_seconds": 0.5,
    "reference_seconds": 1.0,
    "ratio": 2.0,
}
ALONE = TIMES | {"reference_seconds": None, "ratio": None}
MEMORY = {
    "name": "m",
    "kind": "memory",
    "ours_bytes": 2e8,
    "reference_bytes": 1e8,
    "ratio": 0.5,
    "equal": True,
}
ROOF = {"name": "triad", "kind": "roof", "rate": 1.5e10, "unit": "B/s"}
PROFILE = {"kind": "profile", "name": "step", "network": "Net", "seconds": 1.0, "shares": {"data": 0.25}}


@pytest.mark.parametrize(
    ("row", "smallest", "failed"),
    [
        (TIMES, 1.5, 0),
        (TIMES, 2.5, 1),
        (TIMES | {"smallest_ratio": 2.5}, 0.0, 1),
        (TIMES | {"smallest_ratio": 1.5}, 2.5, 0),
        (ALONE, 2.5, 0),
        (ALONE | {"equal": False}, 2.5, 1),
        (MEMORY | {"device": "d"}, 0.7, 1),
        (ROOF | {"device": "d"}, 2.5, 0),
        (PROFILE | {"device": "d"}, 2.5, 0),
    ],
)
def test_only_comparisons_fail_and_a_row_may_declare_its_own_ratio(row, smallest, failed):
    assert len(tool("bench").failures([row], smallest)) == failed


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (TIMES, "a (d): 500 ms, the usual way 1e+03 ms, x2.00"),
        (ALONE, "a (d): 500 ms, nothing to compare with"),
        (MEMORY, "m (d): 200 MB, the usual way 100 MB, x0.50"),
        (ROOF, "triad (d): 15 GB/s"),
        (
            PROFILE | {"convolutions_alone_seconds": 0.1},
            "step (d): Net: data 25 %; convolutions alone 100 ms",
        ),
    ],
)
def test_every_kind_of_row_is_told_in_a_line(row, line):
    assert tool("bench").described(row | {"device": "d"}) == line


def test_a_bench_whose_numbers_could_not_be_kept_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "bench_it.py").write_text("def run(): raise AssertionError('it was run')")
    (tmp_path / "out").write_text("in the way")
    monkeypatch.setattr("sys.argv", ["bench", f"{tmp_path}/bench_it.py", "--out", f"{tmp_path}/out"])
    with pytest.raises(SystemExit, match=r"^error: cannot write to .*/out \("):
        tool("bench").main()
