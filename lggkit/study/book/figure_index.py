"""The directive ``figure-index``: every figure of the book as a thumbnail, linked to its place."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class IndexPlace(nodes.General, nodes.Element):
    """Where the thumbnails will stand."""


class Index(SphinxDirective):
    """Leaves a `IndexPlace`, since other pages are not read yet."""

    def run(self) -> list[nodes.Node]:
        """Called by Sphinx."""
        return [IndexPlace()]


def fill(app, doctree, page: str) -> None:
    """Puts the thumbnails in their place, page after page in the order of the contents."""
    for place in list(doctree.findall(IndexPlace)):
        thumbnails = [part for other in pages(app.env) for part in _of_page(app, page, other)]
        place.replace_self(thumbnails)


def pages(env, start: str | None = None) -> Iterator[str]:
    """All pages below one, by default the root, in the order of the contents."""
    start = start or env.config.root_doc
    yield start
    for child in env.toctree_includes.get(start, ()):
        yield from pages(env, child)


def _of_page(app, page: str, other: str) -> list[nodes.Element]:
    """A heading and the thumbnails of one page, or nothing where it has no figure."""
    uri = app.builder.get_relative_uri(page, other)
    numbers = app.env.toc_fignumbers.get(other, {}).get("figure", {})
    figures = {f["ids"][0]: f for f in app.env.get_doctree(other).findall(nodes.figure) if f["ids"]}
    shown = [_thumbnail(figures[label], f"{uri}#{label}", numbers[label]) for label in numbers]
    title = nodes.reference("", app.env.titles[other].astext(), refuri=uri, internal=True)
    return [nodes.rubric("", "", title), nodes.container("", *shown, classes=["thumbnails"])] if shown else []


def _thumbnail(figure: nodes.figure, uri: str, number: tuple[int, ...]) -> nodes.paragraph:
    image = next(iter(figure.findall(nodes.image))).deepcopy()
    for size in ("width", "height", "scale", "align"):
        image.attributes.pop(size, None)
    said = next(iter(figure.findall(nodes.caption))).astext().partition(". ")[0].rstrip(".")
    text = nodes.inline(text=f"Fig. {'.'.join(map(str, number))}. {said}.")
    link = nodes.reference("", "", image, text, refuri=uri, internal=True)
    return nodes.paragraph("", "", link, classes=["thumbnail"])


def _changed(app, env) -> list[str]:
    """The pages that show an index are written anew whenever a page is."""
    return [page for page in env.found_docs if any(env.get_doctree(page).findall(IndexPlace))]


def connect(app) -> None:
    """Tells Sphinx of the directive and when to call `fill`."""
    app.add_node(IndexPlace)
    app.add_directive("figure-index", Index)
    app.connect("env-get-updated", _changed)
    app.connect("doctree-resolved", fill)
