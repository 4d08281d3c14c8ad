"""Heads and feet of pages: a description, the version, and no script that nothing on the page calls."""

from __future__ import annotations

import textwrap
from html import escape
from typing import Any

from docutils import nodes

from lggkit import __version__

UNUSED = "thebe"
"""Jupyter Book declares this launcher's constants twice a page, a syntax error, whether it is used or not."""
LONGEST = 160


def describe(app, page: str, template: str, context: dict[str, Any], doctree) -> None:
    """Adds the description of a page to its head and takes unused scripts and styles out of it."""
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context[kind] if not _is_unused(file)]
    text = description(doctree) if doctree else ""
    if text:
        context["metatags"] += f'<meta name="description" content="{escape(text)}" />\n'


def _is_unused(file: Any) -> bool:
    attributes = getattr(file, "attributes", {})
    return UNUSED in f"{getattr(file, 'filename', file)} {attributes.get('body', '')}".lower()


def description(doctree) -> str:
    """The first paragraph of the text itself, at most 160 characters; empty where there is none."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            return textwrap.shorten(paragraph.astext(), LONGEST, placeholder=" …")
    return ""


def _sign(app, config) -> None:
    config.version = config.release = __version__
    config.html_theme_options["extra_footer"] = f"lggkit {__version__}"


def connect(app) -> None:
    """Tells Sphinx when to call these."""
    app.connect("config-inited", _sign)
    app.connect("html-page-context", describe)
