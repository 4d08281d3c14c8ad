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


def test_one_number_of_seeds_stands_in_the_caption():
    frame = pd.DataFrame({"": ["a", "b"], "error": ["15.4 ± 0.6 (3)", "–"], "parameters": ["1,200", "900"]})
    table = Table(frame, "Errors (seeds).", "tab")
    assert "Errors (3 seeds)." in table.data and "(3)" not in table.data.replace("(3 seeds)", "")
    assert "15.4 ± 0.6" in table.data.replace("\N{NO-BREAK SPACE}", " ")
    assert "Errors (3 seeds)." in table._repr_html_() and "1,200" in table._repr_html_()
    assert frame["error"][0] == "15.4 ± 0.6 (3)", "the frame given is left alone"


@pytest.mark.parametrize(
    ("cells", "caption"),
    [
        (["15.4 ± 0.6 (3)", "10.7 (1)"], "Errors (seeds)."),
        (["15.4 ± 0.6 (3)", "10.7 ± 1.0 (3)"], "Errors over people."),
        (["15.4 ± 0.6 (sd)", "–"], "Errors (seeds)."),
    ],
)
def test_numbers_of_seeds_stay_in_cells_that_differ_in_them_or_whose_caption_has_no_place(cells, caption):
    shown = Table(pd.DataFrame({"error": cells}), caption).data.replace("\N{NO-BREAK SPACE}", " ")
    assert caption in shown and all(cell in shown for cell in cells)
