"""The directive ``api-summary``: a table of what a reference page documents, linked to the entries."""

from __future__ import annotations

from collections.abc import Sequence

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

WIDTHS = (30, 70)


class SummaryPlace(nodes.General, nodes.Element):
    """Where the table will stand."""


class Summary(SphinxDirective):
    """Leaves a `SummaryPlace`, since the entries below are not read yet."""

    def run(self) -> list[nodes.Node]:
        """Called by Sphinx."""
        return [SummaryPlace()]


def fill(app, doctree) -> None:
    """Puts the table in its place once the whole page is read."""
    for place in list(doctree.findall(SummaryPlace)):
        place.replace_self(table([entry(desc) for desc in doctree.findall(addnodes.desc) if _is_outer(desc)]))


def _is_outer(desc: addnodes.desc) -> bool:
    return not isinstance(desc.parent, addnodes.desc_content) and bool(desc[0]["ids"])


def entry(desc: addnodes.desc) -> tuple[nodes.paragraph, nodes.paragraph]:
    """The name as a link, and the first paragraph of a description."""
    signature, content = desc[0], desc[-1]
    name = nodes.literal(text=signature["fullname"])
    link = nodes.reference("", "", name, refid=signature["ids"][0], internal=True)
    said = next(iter(content.findall(nodes.paragraph)), nodes.paragraph())
    return nodes.paragraph("", "", link), said.deepcopy()


def table(rows: Sequence[Sequence[nodes.paragraph]]) -> nodes.table:
    """A table of two columns under the heads ``name`` and ``what it is``."""
    head = [nodes.paragraph(text=text) for text in ("name", "what it is")]
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in WIDTHS), cols=len(WIDTHS))
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", group, classes=["api-summary"])


def _row(cells: Sequence[nodes.paragraph]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def connect(app) -> None:
    """Tells Sphinx of the directive and when to call `fill`."""
    app.add_node(SummaryPlace)
    app.add_directive("api-summary", Summary)
    app.connect("doctree-read", fill)
