"""The book's prose: its example runs, and its reference pages name everything that is public."""

import doctest
import importlib

import pytest

from lggkit.study import paths

PAGES = {
    "lggkit.graph": "graph",
    "lggkit.transport": "transport",
    "lggkit.similarity": "similarity",
    "lggkit.subspaces": "subspaces",
    "lggkit.generative": "generative",
    "lggkit.regions": "regions",
    "lggkit.latents": "latents",
    "lggkit.objectives": "objectives",
    "lggkit.networks": "networks",
    "lggkit.data": "data",
    "lggkit.training": "training",
    "lggkit.evaluation": "training",
    "lggkit.experiments": "study",
}


def test_the_example_of_the_method_page_is_right():
    page = paths.repository() / "book" / "lgg" / "methodology.md"
    outcome = doctest.testfile(str(page), module_relative=False)
    assert outcome.attempted > 5 and outcome.failed == 0


@pytest.mark.parametrize("module", PAGES)
def test_every_public_name_is_on_a_reference_page(module):
    names = importlib.import_module(module)
    public = getattr(names, "__all__", ["Taps", "latents", "resolve_depths"])
    text = (paths.repository() / "book" / "api" / f"{PAGES[module]}.md").read_text(encoding="utf-8")
    missing = [name for name in [*public, "{api-summary}"] if name not in text]
    assert not missing, f"book/api/{PAGES[module]}.md lacks {missing}"
