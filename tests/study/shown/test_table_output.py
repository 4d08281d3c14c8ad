import pandas as pd
import pytest

from lggkit.study.shown.table_output import Table

yaml = pytest.importorskip("yaml")
FRAME = pd.DataFrame({"a_b": ["x < y", "a long cell " * 20], "c": [1, 2]})


def test_jupyter_is_given_a_table_and_the_book_a_numbered_one():
    table = Table(FRAME, "Errors < 5.", "tab-x")
    html, text = table._repr_html_(), table._repr_markdown_()
    assert "<p>Errors &lt; 5.</p>" in html and html.count("<tr") == 3 and "x &lt; y" in html
    assert "{" not in html and "tab-x" not in html
    assert "tab-x" in text and "Errors < 5." in text and text == table.data


def test_long_cells_are_whole_and_empty_ones_empty():
    html = Table(pd.DataFrame({"a": ["word " * 50, None]}), "")._repr_html_()
    assert "..." not in html and html.count("word") == 50 and "<td></td>" in html


def test_the_book_prefers_what_it_can_number():
    """Jupyter prefers HTML of its own accord."""
    from lggkit.study import paths

    settings = yaml.safe_load((paths.repository() / "_config.yml").read_text())["sphinx"]["config"]
    ((builder, kind, rank),) = settings["nb_mime_priority_overrides"]
    assert (builder, kind) == ("html", "text/markdown") and rank < 30
