"""A paper is its folder of tables, a section five files and a line of the contents; no more is edited."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import nbformat
import pytest

from lggkit.study import paths
from lggkit.study.publishing.stage import build_stage

ROOT = paths.repository()
PAGE_OF_A_SECTION = ROOT / "notebooks/lgg/s41_distillation.py"
FIRST_CELL = re.search(r"# %% tags=\[\"remove-cell.*?(?=# %%)", PAGE_OF_A_SECTION.read_text(), re.S)[0]

TOML = """title = "Coins"
cite = "nobody2020"
kind = "articles"
claims = 2

[sections]
a01_coins = "Coins"

[tables]
table-1 = 1
"""
CELLS = """table,row,column,value,spread,spread_kind,n,unit,kind,experiment,arm,metric,tolerance,available,\
n_required,source,note
table-1,fair,heads,50,,,,percent,measured,coins/a01_coins,fair,heads,2,yes,3,Table 1,
""".replace("\\\n", "")
CLAIMS = """id,number,section,statement,kind,experiment,left,right,metric,margin,direction,members,\
n_required_reduced,n_required_paper,source,note
c01-loaded,1,1,A loaded coin shows more heads.,greater,coins/a01_coins,loaded,fair,heads,,,,3,3,Section 1,
c02-sum,2,1,Heads and tails are all.,exact,coins/a01_coins,fair,,missing,0,,,3,3,Section 1,
""".replace("\\\n", "")
EXPERIMENT = """\"\"\"Paper of coins, article 1: how many heads there are.\"\"\"

from dataclasses import dataclass

import torch

from lggkit.experiments.base import Arm, Experiment
from lggkit.protocol import Protocol


@dataclass(frozen=True)
class Settings(Protocol):
    share: float = 0.5
    tosses: int = 20_000


def measure(specs, context):
    for spec in specs:
        generator = torch.Generator().manual_seed(spec.seed)
        tosses = torch.rand(spec.protocol.tosses, generator=generator) < spec.protocol.share
        heads = 100 * tosses.double().mean().item()
        yield context.record(spec, {"heads": heads, "missing": 0.0}, seconds=0.1)


EXPERIMENT = Experiment(
    name="coins/a01_coins",
    title="Coins",
    protocols=dict.fromkeys(("smoke", "short", "reduced", "paper"), Settings()),
    arms=(Arm("fair", "fair"), Arm("loaded", "loaded", {"share": 0.6})),
    seeds=dict.fromkeys(("smoke", "short", "reduced", "paper"), 3),
    measure=measure,
)
"""


FIGURES = """from lggkit.study.figures.parts import dots, panels


def heads_figure(shown, titles):
    figure, (ax,) = panels(1)
    for place, arm in enumerate(titles):
        dots(ax, place, shown.values(arm, "heads"))
    ax.set_xlabel("heads (%)")
    return figure
"""
HEAD = """# %% [markdown]
# # Coins

"""
PAGE = """# %% tags=["parameters", "hide-input"]
scale = "smoke"  # smoke, short, reduced or paper

# %% tags=["hide-input"]
from lggkit.study.chapter import Chapter
from lggkit.study.figures.coins import a01_coins as drawn

chapter = Chapter("coins/a01_coins", scale)
figure = chapter.draw(drawn.heads_figure, chapter.titles)
# %% mystnb={"markdown_format": "myst"}
chapter.table("table-1")

# %% mystnb={"markdown_format": "myst"}
chapter.claims()

# %%
chapter.rerun()
"""
TEST = """from lggkit import experiments


def test_a_coin_has_two_sides():
    assert len(experiments.get("coins/a01_coins").arms) == 2
"""
LINE = "      - file: notebooks/coins/a01_coins\n"
PAPER = {
    "data/paper/coins/paper.toml": TOML,
    "data/paper/coins/cells.csv": CELLS,
    "data/paper/coins/claims.csv": CLAIMS,
    "lggkit/experiments/coins/__init__.py": "",
    "lggkit/study/figures/coins/__init__.py": "",
}
SECTION = {
    "lggkit/experiments/coins/a01_coins.py": EXPERIMENT,
    "lggkit/study/figures/coins/a01_coins.py": FIGURES,
    "notebooks/coins/a01_coins.py": HEAD + FIRST_CELL + PAGE,
    "tests/experiments/coins/test_a01_coins.py": TEST,
}
"""The fifth file is the notebook's pair, made from its source."""
HELD = "notebooks study/test_tooling.py study/figures test_house.py experiments"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository in a folder of its own, with the toy paper and its section."""
    root, without = tmp_path_factory.mktemp("copy"), shutil.ignore_patterns("__pycache__", "results")
    for name in ("lggkit", "data", "notebooks", "tests", "book"):
        shutil.copytree(ROOT / name, root / name, ignore=without)
    for name in ("_toc.yml", "_config.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    for file, text in (PAPER | SECTION).items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    contents = (root / "_toc.yml").read_text()
    (root / "_toc.yml").write_text(
        contents.replace("  - caption: The study", f"{LINE}  - caption: The study")
    )
    return root


def surroundings(root):
    """The copy, on one thread; its processes share what is compiled, also where Python is to write none."""
    shared = {"PYTHONPYCACHEPREFIX": str(root / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    return os.environ | shared | {"PYTHONPATH": str(root), "LGGKIT_ROOT": str(root), "OMP_NUM_THREADS": "1"}


def run(root, *arguments):
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=root, env=surroundings(root), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


def test_a_toy_paper_has_its_scorecard(copy):
    run(copy, "lggkit", "study", "run", "--experiment", "coins/a01_coins", "--scale", "paper")
    card = json.loads(run(copy, "lggkit", "scorecard", "--json"))
    (table,) = [t for t in card["tables"] if t["paper"] == "coins"]
    assert table["verdicts"] == {"agree": 1, "differ": 0, "undecided": 0, "unmeasured": 0}
    claims = {c["number"]: c for c in card["claims"] if c["paper"] == "coins"}
    assert {number: c["verdict"] for number, c in claims.items()} == {"1": "holds", "2": "holds"}
    assert (claims["1"]["scale"], claims["1"]["n"], claims["1"]["survives_holm"]) == ("paper", 3, True)
    assert claims["1"]["effect"] == pytest.approx(10, abs=1) and list(claims["1"]["lengths"]) == ["paper"]
    assert (claims["1"]["identity"], claims["2"]["identity"]) == (False, True)
    assert {t["paper"] for t in card["tables"]} > {"lgg", "coins"}


def test_pages_and_settings_need_no_edit_either(copy):
    code = (
        "from lggkit.study.pages import headline, landing\n"
        "from lggkit.study.shown import view\n"
        "shown = view.measure('coins/a01_coins', 'smoke')\n"
        "print(view.sentence(shown.records[0].settings), view.data_title(shown.records[0].settings))\n"
        "print(landing.details_text())\n"
        "print(headline.headline_sentence())\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=copy, env=surroundings(copy), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("nothing is trained no data set\n") and "### Coins" in done.stdout
    assert "four papers and two collections of articles print" in done.stdout.splitlines()[-1]


def shown(notebook):
    """The Markdown that a notebook shows, in one text."""
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {}))


@pytest.fixture(scope="module")
def paired(copy):
    """The copy with the fifth file."""
    run(copy, "lggkit.study.publishing.notebooks", "pair", "notebooks/coins/a01_coins.py")
    return copy


@pytest.mark.slow
def test_five_files_and_a_line_are_a_page_with_its_rows_and_its_command(paired):
    page = shown(paired / "notebooks/coins/a01_coins.ipynb")
    (command,) = re.findall(r"^\$ papermill (.*)$", page, re.M)
    run(paired, "papermill", *shlex.split(command))
    again = shown(paired / "out.ipynb")
    assert "tab-coins-table-1" in again and "A loaded coin shows more heads." in again
    assert again.count("reduced") > page.count("reduced")
    stage = build_stage(paired, paired / "notebooks", paired / "stage")
    assert (stage / "notebooks/coins/a01_coins.ipynb").exists() and LINE in (stage / "_toc.yml").read_text()


@pytest.mark.slow
def test_the_tests_of_the_tree_take_the_section_as_it_is(paired):
    chosen = "coins or contents or house or forgotten or every_notebook"
    files = [f"tests/{name}" for name in HELD.split()]
    said = run(paired, "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-k", chosen, *files)
    assert "passed" in said
