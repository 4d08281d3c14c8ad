"""What the line above folded code says: parameters, imports, or the code of what follows."""

from __future__ import annotations

import re

from docutils import nodes

IMPORTS = re.compile(r"\s*(import|from) \w")


def name_the_folds(app, doctree) -> None:
    """Gives the code cells of a page their prompts; the triangle before it says whether it is open."""
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and cell.get("hide_mode"):
            cell["prompt_show"] = cell["prompt_hide"] = prompt(cell)


def prompt(cell: nodes.Element) -> str:
    """What a folded cell has, in a word."""
    if cell["hide_mode"] == "all":
        return "Details"
    if "tag_parameters" in cell["classes"]:
        return "Parameters"
    return "Imports" if IMPORTS.match(cell.astext()) else "Code"


def connect(app) -> None:
    """Tells Sphinx when to call it."""
    app.connect("doctree-read", name_the_folds)
