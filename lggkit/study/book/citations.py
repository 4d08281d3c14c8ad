"""Citations of notebooks: plain links to the bibliography for Jupyter, citations for the book."""

from __future__ import annotations

import re

LINK = re.compile(r'(\()?\[[^\[\]]*\]\((?:\.\./)+book/bibliography\.md \\?"(?P<key>[\w:-]+)\\?"\)(?(1)\))')
"""A link whose title is a key of ``references.bib``, in parentheses of its own or in a sentence."""


def cite(text: str) -> str:
    """The text with a role in place of each link, so that Sphinx lists what is cited and leads there."""
    return LINK.sub(lambda link: f"{{cite:{'p' if link[1] else 't'}}}`{link['key']}`", text)


def _read(app, page: str, source: list[str]) -> None:
    source[0] = cite(source[0])


def connect(app) -> None:
    """Tells Sphinx when to call it."""
    app.connect("source-read", _read)
