"""Every committed notebook: same cells as its reviewed source, executed without errors, within its size."""

import ast
import re
from pathlib import Path

import pytest

from lggkit.study.publishing.notebooks import find_notebooks, parameters_of

LONGEST, MOST_GLUED = 120, 15
ROOT = Path(__file__).resolve().parents[2]
SOURCES = find_notebooks(ROOT)
LARGEST = 500_000  # bytes of an .ipynb: figures at 100 to 150 dpi
AGAIN = "run make notebooks"

nbformat = pytest.importorskip("nbformat")
jupytext = pytest.importorskip("jupytext")
notebooks = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


def cells(notebook):
    return [(c.cell_type, c.source.strip(), tags(c), c.metadata.get("mystnb")) for c in notebook.cells]


def tags(cell):
    return list(cell.metadata.get("tags", []))


def committed(source):
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def has_effect(cell):
    """Whether the cell's last statement shows something: it is an expression and no ``;`` hides it."""
    body = ast.parse(cell.source).body
    return bool(body) and isinstance(body[-1], ast.Expr) and not cell.source.rstrip().endswith(";")


def test_there_are_notebooks():
    assert SOURCES


@notebooks
def test_notebook_has_a_source_and_an_executed_pair(source):
    assert source.suffix == ".py", f"{source.name} has no percent source; jupytext --to py:percent it"
    assert source.with_suffix(".ipynb").exists(), f"{source.name} has no .ipynb; {AGAIN}"


@notebooks
def test_pair_has_the_same_cells(source):
    assert cells(committed(source)) == cells(jupytext.read(source)), f"{source.stem} differs; {AGAIN}"


@notebooks
def test_every_code_cell_was_executed_in_order_and_raised_nothing(source):
    code = [c for c in committed(source).cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1)), AGAIN
    bad = [
        out for c in code for out in c.outputs if out.output_type == "error" or out.get("name") == "stderr"
    ]
    assert not bad, f"{source.stem} holds an error or standard error output: {bad[0]}"


@notebooks
def test_outputs_are_there(source):
    code = [c for c in committed(source).cells if c.cell_type == "code"]
    assert any(c.outputs for c in code), f"{source.stem} was saved without outputs; {AGAIN}"
    silent = [c.source for c in code if has_effect(c) and c.source.startswith("print(") and not c.outputs]
    assert not silent, f"{source.stem} prints but holds no output; {AGAIN}"
    checked = [c.source for c in code if "nbval-check-output" in tags(c) and not c.outputs]
    assert not checked, f"{source.stem} has a checked cell without output; {AGAIN}"


@notebooks
def test_notebook_is_small_clean_and_starts_at_smoke(source):
    path = source.with_suffix(".ipynb")
    assert path.stat().st_size <= LARGEST, f"{path.name} has {path.stat().st_size} bytes; lower the dpi"
    assert str(ROOT) not in path.read_text(), f"{path.name} holds a path of the machine that ran it"
    assert parameters_of(source).get("scale", "").strip("'\"") == "smoke"


@notebooks
def test_every_value_that_the_prose_shows_is_glued_and_every_glued_one_shown(source):
    found = committed(source).cells
    prose = "\n".join(c.source for c in found if c.cell_type == "markdown")
    outputs = [out for c in found if c.cell_type == "code" for out in c.outputs]
    glued = {out.metadata["scrapbook"]["name"] for out in outputs if "scrapbook" in out.get("metadata", {})}
    assert glued == set(re.findall(r"\{glue:text\}`([^`]+)`", prose)), source.stem


def code_lines(source):
    """Lines of code of a notebook: neither blank nor a comment alone."""
    code = [c.source for c in jupytext.read(source).cells if c.cell_type == "code"]
    lines = [line.strip() for text in code for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@notebooks
def test_a_chapter_is_thin(source):
    assert len(code_lines(source)) <= LONGEST, "move code into lggkit/study/figures"
    glued = re.findall(r"\{glue:text\}`([^`]+)`", source.read_text())
    assert len(set(glued)) <= MOST_GLUED, "let code choose the sentences"


@notebooks
def test_no_function_is_defined_where_no_test_can_import_it(source):
    sources = [c.source for c in jupytext.read(source).cells if c.cell_type == "code"]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    defined = [node for text in sources for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    assert not defined, f"{source.stem} defines a function; move it into lggkit/study/figures"


def test_every_notebook_is_in_the_contents():
    contents = (ROOT / "_toc.yml").read_text()
    listed = re.findall(r"file: (notebooks/\S+)", contents)
    assert sorted(listed) == sorted(p.relative_to(ROOT).with_suffix("").as_posix() for p in SOURCES)


@pytest.mark.parametrize("page", ["s43_robustness", "s43_mechanism"])
def test_robustness_has_two_pages_on_one_experiment(page):
    text = (ROOT / "notebooks" / "lgg" / f"{page}.py").read_text()
    assert 'Chapter("lgg/s43_robustness"' in text
    assert page == "s43_robustness" or f'page="{page}"' in text
