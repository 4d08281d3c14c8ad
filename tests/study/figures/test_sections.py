"""Every figure, table and sentence of a section, on the records that the book shows: legible, never empty."""

import importlib
import inspect

import pandas as pd
import pytest

from lggkit import experiments
from lggkit.study import chapter, view
from lggkit.study.figures.style import PAGE

pytestmark = pytest.mark.usefixtures("no_window")
HERE = "lggkit.study.figures"
PARTS = {
    "lgg.s33_latent_geometry_graphs": "lgg/s33_latent_geometry_graphs",
    "lgg.s41_distillation": "lgg/s41_distillation",
    "lgg.s41_numbers": "lgg/s41_distillation",
    "lgg.s42_embeddings": "lgg/s42_embeddings",
    "lgg.s43_robustness": "lgg/s43_robustness",
    "lgg.s43_mechanism": "lgg/s43_robustness",
    "lgg.s43_steps": "lgg/s43_robustness",
    "lgg.s43_numbers": "lgg/s43_robustness",
    "graph_smoothness_loss.s42_visualisation": "graph_smoothness_loss/s42_visualisation",
    "graph_smoothness_loss.s43_classification": "graph_smoothness_loss/s43_classification",
    "graph_smoothness_loss.s44_robustness": "graph_smoothness_loss/s44_robustness",
}

WITH_ABLATIONS = ("failures", "new_classes", "ablation_figure", "mimicry_figure", "variants_table")


def functions():
    """Module and function of everything that takes records and nothing else, or titles besides."""
    for module in PARTS:
        for name, function in inspect.getmembers(
            importlib.import_module(f"{HERE}.{module}"), inspect.isfunction
        ):
            needed = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
            here = function.__module__ == f"{HERE}.{module}" and not name.startswith("_")
            if here and needed[:1] == ["shown"] and set(needed) <= {"shown", "titles"}:
                yield pytest.param(module, name, "titles" in needed, id=f"{module}.{name}")


@pytest.fixture(scope="module")
def at_short():
    """The records of a section at short scale, read once."""
    held = {}
    return lambda name: held.setdefault(name, view.at(name, "short"))


def smallest_text(figure):
    """The size of the smallest text of a figure as a page shows it, in points."""
    from matplotlib.text import Text

    shrunk = min(1.0, PAGE / figure.get_figwidth())
    return shrunk * min(
        t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()
    )


@pytest.mark.parametrize(("module", "name", "titled"), list(functions()))
def test_what_a_page_shows_is_there_and_legible(at_short, module, name, titled):
    from lggkit.study.figures import use_style

    use_style()
    experiment, shown = experiments.get(PARTS[module]), at_short(PARTS[module])
    arms = [a for a in experiment.arms if a.name != "exact" and (a.table or name in WITH_ABLATIONS)]
    titles = {a.name: a.title for a in arms if shown.arm(a.name) or name == "variants_table"}
    function = getattr(importlib.import_module(f"{HERE}.{module}"), name)
    made = function(shown, titles) if titled else function(shown)
    if name.endswith("_figure"):
        assert made.axes and smallest_text(made) >= 8, f"{name} has text below 8 pt"
    elif name.endswith("_said"):
        assert made and all(text.endswith((".", "!", "?")) and "nan" not in text for text in made)
    elif isinstance(made, pd.DataFrame):
        assert len(made) and not made.isna().any(axis=None)


def test_a_section_is_found_for_every_notebook_of_the_experiments():
    assert set(PARTS.values()) == {e.name for e in experiments.all_experiments()}
    assert chapter.ABOVE_SMOKE[0] == "short"
