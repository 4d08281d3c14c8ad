"""A Sphinx extension: numbers, names and links of the pages, and what Sphinx leaves out of their heads."""

from __future__ import annotations

from lggkit.study.book import api_summary, citations, figure_index, heads, numbering, prompts


def setup(app) -> dict[str, bool]:
    """Called by Sphinx."""
    for part in (api_summary, citations, figure_index, heads, numbering, prompts):
        part.connect(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
