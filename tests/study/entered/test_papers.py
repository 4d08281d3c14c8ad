"""Which papers there are is read from their folders, and each fault of a paper.toml is one sentence."""

import shutil

import pytest

from lggkit.study import paths
from lggkit.study.entered import paper
from lggkit.study.entered.papers import find, papers

WHOLE = """title = "A toy"
cite = "nobody2020"
[sections]
s1_toy = "The toy"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """``data/paper`` with one paper, ``toy``, whose toml may be broken."""
    (tmp_path / "data/paper/toy").mkdir(parents=True)
    (tmp_path / "data/paper/toy/paper.toml").write_text(WHOLE)
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    return tmp_path / "data/paper"


def test_the_papers_of_this_study_come_in_their_order():
    assert [one.name for one in papers()][:2] == ["lgg", "graph_smoothness_loss"]
    for one in papers():
        assert find(one.name) == one and one.cite
        assert (one.kind, one.families) in {("paper", "paper"), ("articles", "section")}
        assert all(paper.cells(one.name)) and all(paper.claims(one.name))


def test_little_has_to_be_said(folder):
    (toy,) = papers()
    assert (toy.name, toy.title, toy.cite, toy.kind, toy.families) == (
        *("toy", "A toy", "nobody2020", "paper", "paper"),
    )
    assert toy.experiments == ("toy/s1_toy",) and toy.claims is None and toy.tables == ()


def test_a_paper_is_called_by_its_initials_or_as_it_says(folder):
    assert find("toy").short == "AT"
    (folder / "toy/paper.toml").write_text('short = "Toy"\n' + WHOLE)
    assert find("toy").short == "Toy"


def test_units_keep_their_order(folder):
    (folder / "toy/paper.toml").write_text(WHOLE + "[units]\n'z.*' = 'pixels'\na = 'bits'\n")
    assert find("toy").units == (("z.*", "pixels"), ("a", "bits"))


def test_articles_are_families_by_themselves(folder):
    (folder / "toy/paper.toml").write_text('kind = "articles"\n' + WHOLE)
    assert find("toy").families == "section"
    (folder / "toy/paper.toml").write_text('kind = "articles"\nfamilies = "paper"\n' + WHOLE)
    assert find("toy").families == "paper"


def test_order_is_said_or_by_name(folder):
    for name, order in (("aaa", ""), ("zzz", "order = 1\n"), ("mmm", "order = 0\n")):
        (folder / name).mkdir()
        (folder / name / "paper.toml").write_text(order + WHOLE)
    assert [one.name for one in papers()] == ["mmm", "zzz", "aaa", "toy"]


def test_folders_without_a_toml_and_hidden_ones_are_no_papers(folder):
    for name in (".ipynb_checkpoints", "notes"):
        (folder / name).mkdir()
    shutil.copy(folder / "toy/paper.toml", folder / ".ipynb_checkpoints")
    assert [one.name for one in papers()] == ["toy"]


def test_an_edited_file_is_read_again(folder):
    assert find("toy").title == "A toy"
    (folder / "toy/paper.toml").write_text(WHOLE.replace("A toy", "Another title"))
    assert find("toy").title == "Another title"


@pytest.mark.parametrize("name", ["none", "", "../paper", "toy/..", "/etc", "To y"])
def test_a_paper_that_is_not_there_is_named(folder, name):
    with pytest.raises(KeyError, match=r"no paper is named .*; there are toy"):
        find(name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "title is None; write a text in quotes"),
        (WHOLE.replace("A toy", " "), "title is ' '"),
        (WHOLE.replace('"A toy"', "7"), "title is 7"),
        ("titel = 'x'\n" + WHOLE, "there is a 'titel', which nothing reads"),
        ("name = 'x'\n" + WHOLE, "there is a 'name', which nothing reads"),
        ("kind = 'book'\n" + WHOLE, "kind is 'book'; write one of paper, articles"),
        ("families = 'none'\n" + WHOLE, "families is 'none'; write one of paper, section"),
        ("order = 1.5\n" + WHOLE, "order is 1.5; write a whole number from 0 on"),
        ("claims = true\n" + WHOLE, "claims is True; write a whole number"),
        ("claims = -1\n" + WHOLE, "claims is -1"),
        ("sections = 3\n" + WHOLE.partition("[sec")[0], "sections is 3; write a table"),
        (WHOLE.partition("[sec")[0], "there is no [sections]"),
        (WHOLE + "'S 2' = 'x'\n", "a section is named 'S 2'"),
        (WHOLE + "s2 = 3\n", "s2 is 3; write a text"),
        (WHOLE + "[tables]\ntable-1 = 'four'\n", "table-1 is 'four'; write a whole number"),
        ("title = 'x'\n" + WHOLE, "overwrite"),
        ("tables = [1]\n" + WHOLE, "tables is [1]; write a table"),
        (WHOLE + "[units]\n'radius_(' = 'pixels'\n", "a unit has the pattern 'radius_(', which is none"),
        (WHOLE + "[units]\nradius = 3\n", "radius is 3; write a text"),
    ],
    ids=str,
)
def test_a_fault_is_one_sentence_that_names_the_file(folder, text, said):
    (folder / "toy/paper.toml").write_text(text)
    for call in (papers, lambda: find("toy")):
        with pytest.raises(ValueError) as refusal:
            call()
        assert said in str(refusal.value) and "toy/paper.toml: " in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_bytes_that_are_no_text_are_named(folder):
    (folder / "toy/paper.toml").write_bytes(WHOLE.encode("utf-16"))
    with pytest.raises(ValueError, match=r"toy/paper\.toml: "):
        papers()
    (folder / "toy/paper.toml").write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    assert find("toy").title == "A toy"
