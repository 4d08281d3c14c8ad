"""The rules of the house: imports point one way, and the compute path needs only torch and numpy."""

import ast
import pathlib
import subprocess
import sys

import pytest

import lggkit

ROOT = pathlib.Path(lggkit.__file__).parent
LEVELS = {
    "durable": 0,
    "strict": 0,
    "record": 0,
    "graph": 0,
    "latents": 0,
    "transport": 0,
    "relative": 0,
    "objectives": 1,
    "networks": 1,
    "data": 1,
    "evaluation": 2,
    "training": 3,
    "experiments": 4,
    "study": 5,
}
COMPUTE = [part for part, level in LEVELS.items() if level < 5 and list(ROOT.glob(f"{part}*"))]


def part_of(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_parts(path: pathlib.Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "lggkit":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lggkit."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("lggkit.")}
    return found & LEVELS.keys()


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/**/*.py")) + sorted(ROOT.glob("*.py")), ids=str)
def test_imports_point_one_way(path):
    own = part_of(path)
    if own in LEVELS:
        for other in imported_parts(path) - {own}:
            assert LEVELS[other] <= LEVELS[own], f"{path.relative_to(ROOT)} imports lggkit.{other}"
            assert not (own == "evaluation" and other == "objectives"), "objectives belong to experiments"
            assert not (own in ("networks", "data") and other == "objectives")


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=str)
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            docstring = len((ast.get_docstring(node) or "").splitlines())
            size = node.end_lineno - node.lineno - docstring
            assert size < 50, f"{node.name} has {size} lines: too long to be read at a glance"


def test_compute_path_imports_torch_and_numpy_only():
    """On a bare machine with torch and numpy everything up to the experiments can be imported."""
    forbidden = "scipy sklearn pandas matplotlib seaborn torchvision tqdm typer ot"
    code = (
        "import sys, importlib, torch, numpy\n"
        "held = set(sys.modules)\n"
        f"for name in {COMPUTE!r}: importlib.import_module('lggkit.' + name)\n"
        "import lggkit.experiments as e; e.all_experiments()\n"
        f"print([m for m in {forbidden!r}.split() if m in sys.modules and m not in held])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
