import json

import pytest

from lggkit.study.book.citations import cite

LINK = '[Park *et al.* (2019)](../../book/bibliography.md "park2019")'


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"Those of {LINK} are", "Those of {cite:t}`park2019` are"),
        (f"relations ({LINK}). Then", "relations {cite:p}`park2019`. Then"),
        (f"{LINK} and {LINK}", "{cite:t}`park2019` and {cite:t}`park2019`"),
        (f"relations ({LINK} and others)", "relations ({cite:t}`park2019` and others)"),
        ("[the list](../../book/bibliography.md)", "[the list](../../book/bibliography.md)"),
    ],
)
def test_a_link_to_the_bibliography_becomes_a_citation(written, read):
    assert cite(written) == read
    assert json.loads(cite(json.dumps([written], ensure_ascii=False))) == [read]
