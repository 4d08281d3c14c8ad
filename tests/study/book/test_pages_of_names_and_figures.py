"""A small book is built with both directives."""

import pytest

Sphinx = pytest.importorskip("sphinx.application").Sphinx

INDEX = """
Front
=====

.. toctree::

   api
   drawn
   figures
"""
API = """
Names
=====

.. api-summary::

.. py:function:: one(x)

   The first line.

   More of it.

.. py:class:: Two

   A class.

   .. py:method:: inner()

      A method, which the table leaves out.
"""
DRAWN = """
Drawn (LGG 4.1)
===============

.. figure:: dot.svg
   :name: fig-dot

   A dot. Seen from afar.
"""
FIGURES = "Figures\n=======\n\n.. figure-index::\n"
DOT = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>'


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    source = tmp_path_factory.mktemp("small_book")
    pages = {"index.rst": INDEX, "api.rst": API, "drawn.rst": DRAWN, "figures.rst": FIGURES, "dot.svg": DOT}
    for name, text in pages.items():
        (source / name).write_text(text, encoding="utf-8")
    config = {"extensions": ["lggkit.study.book"], "numfig": True, "html_theme": "sphinx_book_theme"}
    folders = (str(source), None, str(source / "out"), str(source / "trees"))
    Sphinx(*folders, "html", confoverrides=config, status=None, warningiserror=True).build()
    return {p.stem: p.read_text(encoding="utf-8") for p in (source / "out").glob("*.html")}


def test_names_stand_in_a_table_with_a_line_each(built):
    table = built["api"].partition("</table>")[0]
    assert table.count("<tr") == 3 and 'href="#one"' in table and "The first line." in table
    assert "More of it." not in table and "A method" not in table


def test_a_thumbnail_leads_to_its_figure(built):
    page = built["figures"]
    assert 'href="drawn.html#fig-dot"' in page and "_images/dot.svg" in page
    assert "Fig. 1. A dot." in page and "Seen from afar" not in page
