"""Notebooks outside the book: what Jupyter shows of them, and that they install what they need."""

import os
import re
import shutil
import subprocess
import sysconfig
import venv

import jupytext
import nbformat
import pytest

from lggkit.study import paths
from lggkit.study.book.citations import LINK
from lggkit.study.publishing.notebooks import find_notebooks

ROOT = paths.repository()
SOURCES = find_notebooks(ROOT)
notebooks = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


def code(source):
    return [c.source for c in jupytext.read(source).cells if c.cell_type == "code"]


def first_cell(source):
    return code(source)[0]


def install_line():
    return re.search(r'os\.system\(\s*"(.*)"', first_cell(SOURCES[0]))[1]


def test_all_notebooks_begin_with_one_cell():
    assert len({first_cell(source) for source in SOURCES}) == 1
    assert "github.com/lggkit/lggkit" in install_line() and 'os.chdir("clone")' in first_cell(SOURCES[0])


@notebooks
def test_a_page_ends_with_the_command_that_runs_it_again(source):
    assert code(source)[-1] == "chapter.rerun()"


@notebooks
def test_outputs_are_plain_in_jupyter(source):
    """It prefers HTML to Markdown; neither may hold what only the book understands."""
    cells = nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells
    shown = [o.data for c in cells for o in c.get("outputs", []) if "data" in o]
    for text in (data.get("text/html") or data.get("text/markdown", "") for data in shown):
        assert not re.search(r"^:::|\{[a-z:]+\}`", text, re.M), text[:200]


@notebooks
def test_prose_has_no_roles_and_no_labels(source):
    for cell in jupytext.read(source).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"^\([\w-]+\)=$|\{[a-z:]+\}`", cell.source, re.M), cell.source


@notebooks
def test_what_is_cited_is_in_the_bibliography(source):
    known = re.findall(r"^@\w+\{([\w:-]+),", (ROOT / "book/references.bib").read_text("utf-8"), re.M)
    cited = [link["key"] for link in LINK.finditer(source.read_text("utf-8"))]
    assert set(cited) <= set(known)


@pytest.mark.skipif(not shutil.which("git") or not (ROOT / ".git").exists(), reason="is no clone")
def test_the_first_cell_installs_into_an_empty_environment(tmp_path):
    """Its line as it stands, of a clone of this checkout; without other packages, which need a network."""
    venv.create(tmp_path / "empty", symlinks=os.name != "nt")
    line = install_line().replace("https://github.com/lggkit/lggkit", ROOT.as_uri())
    tools = {"PYTHONPATH": sysconfig.get_path("purelib")}  # pip, and what builds
    run_in(tmp_path, line, tools | {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"})
    assert run_in(tmp_path, f"python -c '{WHERE}'", {}).strip() == str(tmp_path / "clone")


WHERE = "from lggkit.study import paths; print(paths.repository())"


def run_in(folder, line, more):
    """Runs a line in the environment below a folder, which knows of no other checkout."""
    kept = {k: v for k, v in os.environ.items() if k not in ("LGGKIT_ROOT", "PYTHONPATH", "PYTHONHOME")}
    path = {"PATH": os.pathsep.join([str(folder / "empty" / "bin"), os.environ["PATH"]])}
    done = subprocess.run(
        line, shell=True, cwd=folder, env=kept | path | more, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@notebooks
def test_a_part_that_is_drawn_says_at_which_scale_it_is_shown(source):
    """A page has one scale in its first line; a figure's caption names none."""
    text = "\n".join(code(source))
    drawn = re.findall(r"^figure = (\w+)\.draw", text, re.M)
    for name in {name for name in drawn if name != "chapter"}:
        assert re.search(rf"\b{name}\b.*\.waiting\(", text), name
