import pytest
from docutils import nodes

from lggkit.study.book import prompts


def cell(code, mode="input", *classes):
    source = nodes.container("", nodes.literal_block(code, code), nb_element="cell_code_source")
    return nodes.container("", source, nb_element="cell_code", hide_mode=mode, classes=["cell", *classes])


@pytest.mark.parametrize(
    ("folded", "said"),
    [
        (cell('scale = "smoke"', "input", "tag_parameters"), "Parameters"),
        (cell("import torch\n\nuse_style()"), "Imports"),
        (cell("from lggkit import graph"), "Imports"),
        (cell("important = 1"), "Code"),
        (cell("chapter.provenance()", "all"), "Details"),
    ],
)
def test_a_fold_says_what_it_has(folded, said):
    prompts.name_the_folds(None, nodes.section("", folded))
    assert folded["prompt_show"] == folded["prompt_hide"] == said


def test_code_that_is_shown_has_no_prompt():
    shown = nodes.container("", nodes.literal_block("x", "x"), nb_element="cell_code")
    prompts.name_the_folds(None, nodes.section("", shown))
    assert "prompt_show" not in shown
