"""A whole paper is its folder of tables and its sections: nothing else in the tree is edited."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lggkit
from lggkit.study import paths

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
SECTION = """from dataclasses import dataclass

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


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package and the papers' tables in a folder of their own, with the toy paper beside them."""
    root, without = tmp_path_factory.mktemp("copy"), shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(lggkit.__file__).parent, root / "lggkit", ignore=without)
    shutil.copytree(paths.repository() / "data/paper", root / "data/paper", ignore=without)
    for file, text in (
        ("data/paper/coins/paper.toml", TOML),
        ("data/paper/coins/cells.csv", CELLS),
        ("data/paper/coins/claims.csv", CLAIMS),
        ("lggkit/experiments/coins/__init__.py", ""),
        ("lggkit/experiments/coins/a01_coins.py", SECTION),
    ):
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(text)
    return root


def surroundings(root):
    """The copy, on one thread; its processes share what is compiled, also where Python is to write none."""
    shared = {"PYTHONPYCACHEPREFIX": str(root / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    return os.environ | shared | {"PYTHONPATH": str(root), "LGGKIT_ROOT": str(root), "OMP_NUM_THREADS": "1"}


def run(root, *arguments):
    command = [sys.executable, "-m", "lggkit", *arguments]
    done = subprocess.run(command, cwd=root, env=surroundings(root), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_toy_paper_has_its_scorecard(copy):
    run(copy, "study", "run", "--experiment", "coins/a01_coins", "--scale", "paper")
    card = json.loads(run(copy, "scorecard", "--json"))
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
        "from lggkit.study import headline, landing, view\n"
        "shown = view.measure('coins/a01_coins', 'smoke')\n"
        "print(view.sentence(shown.records[0].settings), view.data_title(shown.records[0].settings))\n"
        "print(landing.details_text())\n"
        "print(headline.headline_sentence())\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=copy, env=surroundings(copy), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("nothing is trained no data set\n") and "### Coins" in done.stdout
    assert "four papers and one collection of articles print" in done.stdout.splitlines()[-1]
