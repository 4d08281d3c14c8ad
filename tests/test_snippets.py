"""Every snippet of the README and of the book's pages runs as it stands, alone, and every command exists."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from typer.main import get_command

from lggkit.study import paths
from lggkit.study.commands import cli
from lggkit.study.publishing import notebooks

ROOT = paths.repository()
PAGES = [ROOT / "README.md", *sorted((ROOT / "book").rglob("*.md"))]
FENCE = re.compile(r"^(`{3,})(python|pycon|console)\n(.*?)^\1$", re.M | re.S)
SECONDS = 240
RUN_EACH = """
import doctest, json, sys

failed = []
for place, code in json.load(sys.stdin):
    try:
        if code.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(code, {}, place, None, 0)
            assert doctest.DocTestRunner().run(test).failed == 0
        else:
            exec(compile(code, place, "exec"), {"__name__": "__main__"})
    except BaseException as error:
        failed.append(f"{place}: {type(error).__name__}: {error}")
sys.exit("\\n".join(failed) or 0)
"""


def snippets(page, *languages):
    """Code of a page by place, in the given languages."""
    text = page.read_text(encoding="utf-8")
    fences = [match for match in FENCE.finditer(text) if match[2] in languages]
    return [
        (f"{page.relative_to(ROOT)}, line {text[: match.start()].count(chr(10)) + 1}", match[3])
        for match in fences
    ]


def test_snippets_run_each_in_a_namespace_of_its_own(tmp_path):
    """In another process and folder, so that nothing is there but what is installed."""
    code = [snippet for page in PAGES for snippet in snippets(page, "python", "pycon")]
    done = subprocess.run(
        [sys.executable, "-c", RUN_EACH],
        input=json.dumps(code),
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def environment(home):
    variables = {k: v for k, v in os.environ.items() if k not in ("LGGKIT_DATA", "PYTHONPATH")}
    return variables | {
        "PYTHONPATH": str(ROOT),
        "LGGKIT_ROOT": str(ROOT),
        "HOME": str(home),
        "MPLBACKEND": "Agg",
    }


def test_all_fences_are_understood():
    """A language written in another way would escape."""
    known = {"python", "pycon", "console", ""}
    for page in PAGES:
        named = re.findall(r"^`{3,}([a-z]*)$", page.read_text(encoding="utf-8"), re.M)
        assert set(named) <= known, f"{page.name} has a block in {set(named) - known}"
    assert sum(len(snippets(page, "python", "pycon")) for page in PAGES) >= 18


def commands():
    for page in PAGES:
        for place, block in snippets(page, "console"):
            for line in block.replace("\\\n", " ").splitlines():
                yield pytest.param(shlex.split(line.removeprefix("$ "), comments=True), id=f"{place}: {line}")


@pytest.mark.parametrize("words", list(commands()))
def test_commands_exist_with_their_options(words):
    if words[0] == "export":
        assert words[1].startswith("LGGKIT_DATA=")
    elif words[0] == "source":
        assert words[1:] == [".venv/bin/activate"]
    elif words[0] == "papermill":
        check_papermill(words[1:])
    elif words[0] == "make":
        check_make(words[1:])
    elif words[:3] == ["python", "-m", "lggkit"]:
        check_lggkit(words[3:])
    else:
        assert words[0] == "python" and all((ROOT / word).is_file() for word in words[1:]), words


def check_papermill(words):
    """The notebook exists, and each parameter is one of its own."""
    cli = pytest.importorskip("papermill.cli")
    given = cli.papermill.make_context("papermill", list(words), parent=None).params
    notebooks.check_parameters(ROOT / given["notebook_path"], dict(given["parameters"]))


def check_make(words):
    """Targets have help, and variables are among those that can be set."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        name, is_variable, _ = word.partition("=")
        pattern = rf"^{name} +\?=" if is_variable else rf"^{name}:.*## "
        assert re.search(pattern, text, re.M), word


def check_lggkit(words):
    """The words parse as the command line parses them, and nothing is run."""
    command = get_command(cli.app)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, words
        command, words = command.commands[words[0]], words[1:]
    try:
        command.make_context(command.name, list(words), parent=None)
    except Exception as error:
        raise AssertionError(f"{words}: {error}") from error


def test_an_option_that_does_not_exist_is_noticed():
    for words in (["study", "run", "--sclae", "paper"], ["study", "retract", "KEY"], ["scorecards"]):
        with pytest.raises(AssertionError, match=words[-1]):
            check_lggkit(words)
