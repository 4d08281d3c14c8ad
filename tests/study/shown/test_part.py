"""Parts of a page at another scale than the page's say so."""

import pandas as pd
import pytest

from lggkit.study.records.ledger import Ledger
from lggkit.study.shown.part import Part
from lggkit.study.shown.view import Shown


@pytest.mark.parametrize(("page", "caption"), [("reduced", "Gains. Short scale."), ("short", "Gains.")])
def test_a_table_of_another_scale_says_so(make_record, tmp_path, page, caption):
    shown = Shown("lgg/s41_distillation", "short", (make_record("gkd", 0, "short"),), Ledger(tmp_path))
    table = Part(shown, {}, page).show(lambda one: pd.DataFrame([{"a": 1}]), "Gains.", "tab-gains")
    assert caption in table._repr_markdown_() and ("scale" in table._repr_markdown_()) == (page != "short")


def test_a_table_of_nothing_is_none():
    assert Part(None, {}, "reduced").show(lambda one: pd.DataFrame(), "Gains.", "tab-gains") is None
