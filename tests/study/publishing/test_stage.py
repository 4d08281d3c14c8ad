import os
import subprocess
import sys
from pathlib import Path

import pytest

from lggkit.study import paths
from lggkit.study.publishing.stage import build_stage


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def root(tmp_path):
    for name in ("_config.yml", "_toc.yml", "book/index.md", "data/paper/lgg/cells.csv"):
        write(tmp_path / "repository" / name, name)
    write(tmp_path / "repository/notebooks/lgg/s1.ipynb", "committed")
    write(tmp_path / "repository/notebooks/lgg/s1.py", "source")
    write(tmp_path / "executed/lgg/s1.ipynb", "executed")
    return tmp_path / "repository"


def build(root):
    return build_stage(root, root.parent / "executed", root.parent / "stage")


def files(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_executed_notebook_takes_the_place_of_the_committed_one(root):
    stage = build(root)
    assert (stage / "notebooks/lgg/s1.ipynb").read_text() == "executed"
    assert (stage / "notebooks/lgg/s1.py").read_text() == "source"
    assert (root / "notebooks/lgg/s1.ipynb").read_text() == "committed"


def test_stage_holds_what_the_book_needs_and_nothing_else(root):
    write(root / ".venv/lib/page.md", "never read this")
    write(root / "data/cache/cifar.bin", "nor this")
    write(root / "book/.ipynb_checkpoints/index.md", "nor this")
    expected = {"_config.yml", "_toc.yml", "book/index.md", "data/paper/lgg/cells.csv"}
    assert files(build(root)) == expected | {"notebooks/lgg/s1.ipynb", "notebooks/lgg/s1.py"}


def test_unchanged_files_keep_their_time_and_changed_ones_are_copied(root):
    stage = build(root)
    before = {p: p.stat().st_mtime_ns for p in stage.rglob("*") if p.is_file()}
    (root / "_toc.yml").touch()
    write(root / "book/index.md", "a new text, and longer")
    build(root)
    changed = {str(p.relative_to(stage)) for p, time in before.items() if p.stat().st_mtime_ns != time}
    assert changed == {"book/index.md"}
    assert (stage / "book/index.md").read_text() == "a new text, and longer"


def test_same_size_and_time_but_other_content_is_copied(root):
    stage = build(root)
    time = (stage / "book/index.md").stat().st_mtime_ns
    os.utime(write(root / "book/index.md", "book/INDEX.md"), ns=(time, time))
    build(root)
    assert (stage / "book/index.md").read_text() == "book/INDEX.md"


def test_a_page_that_is_gone_leaves_the_stage(root):
    write(root / "book/old.md", "old")
    assert (build(root) / "book/old.md").exists()
    (root / "book/old.md").unlink()
    assert not (build(root) / "book/old.md").exists()


def test_computed_parts_lie_beside_the_pages_and_keep_their_time_while_they_say_the_same(root, tmp_path):
    part = write(tmp_path / "pages" / "scorecard.md", "3 cells agree")
    places = (root, root.parent / "executed", root.parent / "stage", tmp_path / "pages")
    staged = build_stage(*places) / "book/_generated/scorecard.md"
    before = staged.stat().st_mtime_ns
    part.touch()
    build_stage(*places)
    assert staged.read_text() == "3 cells agree" and staged.stat().st_mtime_ns == before


def test_a_notebook_that_was_not_executed_is_named(root):
    write(root / "notebooks/lgg/s2.ipynb", "committed")
    with pytest.raises(FileNotFoundError, match=r"s2\.ipynb has not been executed"):
        build(root)


def test_a_folder_that_is_not_the_repository_is_refused(root):
    (root / "_toc.yml").unlink()
    with pytest.raises(FileNotFoundError, match=r"_toc\.yml"):
        build(root)


def test_a_broken_source_is_one_sentence_and_a_failure(tmp_path):
    here = os.environ | {"PYTHONPATH": str(paths.repository())}
    command = [sys.executable, "-m", "lggkit.study.publishing.stage", *("root", "executed", "build/stage")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=here)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1
