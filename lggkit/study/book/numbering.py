"""Figures and tables are numbered within their page; a number that another page quotes names the page too."""

from __future__ import annotations

import posixpath
import re

from docutils import nodes

PAPERS_OWN = re.compile(r"tab-.+-table-\w+")
"""Labels of tables whose captions begin with the paper's name and number of the table."""
SECTION = re.compile(r"\((\w+ \d[\d.]*)")
AFTER_SPHINX = 900


def number_by_page(app, env) -> list[str]:
    """Counts figures and tables of each page from 1; the papers' own tables keep the paper's number."""
    for kinds in env.toc_fignumbers.values():
        for kind, numbers in kinds.items():
            counted = [label for label in numbers if not PAPERS_OWN.fullmatch(label)]
            kinds[kind] = {label: (place,) for place, label in enumerate(counted, start=1)}
    return []


def name_the_pages(app, doctree, page: str) -> None:
    """``Fig. 2`` of another page becomes ``Fig. 2 of LGG 4.1``."""
    for number in [node for node in doctree.findall(nodes.inline) if "std-numref" in node["classes"]]:
        uri = number.parent.get("refuri", "").partition("#")[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), uri)).removesuffix(".html")
        if uri and target in app.env.titles:
            number += nodes.Text(f" of {short_title(app.env.titles[target].astext())}")


def short_title(title: str) -> str:
    """The section that a title ends with in parentheses, ``LGG 4.1``; else the title in quotes."""
    match = SECTION.search(title)
    return match[1] if match else f"“{title}”"


def connect(app) -> None:
    """Tells Sphinx when to call these."""
    app.connect("env-get-updated", number_by_page, priority=AFTER_SPHINX)
    app.connect("doctree-resolved", name_the_pages)
