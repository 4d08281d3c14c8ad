from types import SimpleNamespace

import pytest
from docutils import nodes

from lggkit.study.book import numbering


def test_each_page_counts_from_one_and_the_papers_tables_not_at_all():
    labels = {"tab-lgg-table-1": (18,), "tab-lgg-s41-costs": (19,), "tab-lgg-s41-claims": (20,)}
    env = SimpleNamespace(toc_fignumbers={"a": {"table": labels}, "b": {"table": {"tab-other": (21,)}}})
    numbering.number_by_page(None, env)
    assert env.toc_fignumbers["a"]["table"] == {"tab-lgg-s41-costs": (1,), "tab-lgg-s41-claims": (2,)}
    assert env.toc_fignumbers["b"]["table"] == {"tab-other": (1,)}


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Distillation with graphs (LGG 4.1, Table 1)", "LGG 4.1"),
        ("Robustness (LGG 4.3)", "LGG 4.3"),
        ("Performance", "“Performance”"),
    ],
)
def test_a_page_is_named_by_its_section(title, short):
    assert numbering.short_title(title) == short


@pytest.mark.parametrize(
    ("uri", "text"), [("../notebooks/s41.html#fig", "Fig. 2 of LGG 4.1"), ("#fig", "Fig. 2")]
)
def test_only_a_number_of_another_page_names_it(uri, text):
    number = nodes.inline("", "Fig. 2", classes=["std", "std-numref"])
    tree = nodes.section("", nodes.paragraph("", "", nodes.reference("", "", number, refuri=uri)))
    titles = {"notebooks/s41": nodes.title(text="Distillation (LGG 4.1)")}
    numbering.name_the_pages(SimpleNamespace(env=SimpleNamespace(titles=titles)), tree, "book/deviations")
    assert tree.astext() == text
