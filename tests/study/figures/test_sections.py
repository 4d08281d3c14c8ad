"""Every figure, table and sentence of a section, on the records that the book shows: legible, never empty."""

import importlib
import inspect
from itertools import takewhile
from pathlib import Path

import pandas as pd
import pytest

from lggkit import experiments
from lggkit.study import chapter, figures
from lggkit.study.figures.style import PAGE
from lggkit.study.shown import view

pytestmark = pytest.mark.usefixtures("no_window")
HERE = "lggkit.study.figures"
SECTIONS = [experiment.name for experiment in experiments.all_experiments()]


def shared(one, other):
    """With how many equal letters two names begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def section_of(module):
    """The section that a module of figures belongs to, by its paper and what its name begins with."""
    paper, _, name = module.partition(".")
    near = [n for n in SECTIONS if n.startswith(f"{paper}/{name.partition('_')[0]}_")]
    return max(near, key=lambda section: shared(section, f"{paper}/{name}"))


FILES = Path(figures.__file__).parent.glob("*/[!_]*.py")
PARTS = {module: section_of(module) for module in sorted(f"{p.parent.name}.{p.stem}" for p in FILES)}

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
def recorded():
    """The records of a section at the lowest scale that has a table's, read once; None where none has."""
    held = {}

    def tabled(shown):
        return any(experiments.get(shown.experiment).arm(r.arm).table for r in shown.records)

    def of(name):
        scales = (view.at(name, scale) for scale in chapter.ABOVE_SMOKE)
        return held.setdefault(name, next((s for s in scales if tabled(s)), None))

    return of


def smallest_text(figure):
    """The size of the smallest text of a figure as a page shows it, in points."""
    from matplotlib.text import Text

    shrunk = min(1.0, PAGE / figure.get_figwidth())
    return shrunk * min(
        t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()
    )


@pytest.mark.parametrize(("module", "name", "titled"), list(functions()))
def test_what_a_page_shows_is_there_and_legible(recorded, module, name, titled):
    from lggkit.study.figures import use_style

    use_style()
    experiment, shown = experiments.get(PARTS[module]), recorded(PARTS[module])
    if shown is None:
        pytest.skip("nothing is recorded")
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
    assert set(PARTS.values()) == set(SECTIONS)
    assert chapter.ABOVE_SMOKE[0] == "short"
