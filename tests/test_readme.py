import doctest
import re

import pytest

from lggkit.study import paths
from lggkit.study.pages import generated, landing


@pytest.fixture
def readme():
    return paths.repository() / "README.md"


def test_the_example_runs_and_says_what_it_says(readme):
    outcome = doctest.testfile(str(readme), module_relative=False)
    assert outcome.attempted >= 8 and outcome.failed == 0


def test_the_headline_is_computed(readme, tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text(readme.read_text(encoding="utf-8"), encoding="utf-8")
    assert not generated.update_readme(copy), (
        "run `python -m lggkit study readme`: the scorecard has moved on"
    )


def test_a_readme_without_marks_is_refused(tmp_path):
    bare = tmp_path / "README.md"
    begin, end = generated.BEGIN.format("findings"), generated.END.format("findings")
    for text in ("nothing", begin, end, end + begin, begin + end):
        bare.write_text(text)
        with pytest.raises(ValueError, match="has no marks"):
            generated.update_readme(bare)
        assert bare.read_text() == text


def test_what_came_out_links_to_notebooks_that_are_there(readme):
    text = readme.read_text(encoding="utf-8")
    findings = text.partition("<!-- findings -->")[2].partition("<!-- end of findings -->")[0]
    links = re.findall(r"\]\((notebooks/[^)]*)\)", findings)
    assert len(links) == findings.count("\n- ") == landing.FINDINGS
    assert all((readme.parent / link).is_file() for link in links)


def test_the_commands_and_the_picture_are_there(readme):
    text = readme.read_text(encoding="utf-8")
    assert "make book" in text and "make test" in text
    assert (readme.parent / "book/images/figure-2.png").stat().st_size < 500_000
    assert len(text.splitlines()) < 80
