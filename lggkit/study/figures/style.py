"""One style: an arm or a class has the same colour and mark everywhere, told apart without seeing colour."""

from __future__ import annotations

from itertools import count

from lggkit import experiments

CLASS_COLORS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#8A7A00",
    "#332288",
    "#999999",
    "#000000",
)
"""Ten colours, seven of them after Okabe and Ito, darkened where white paper would swallow them."""

CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")

ARM_COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#332288",
    "#8A7A00",
    "#882255",
    "#777777",
)
MARKS = "os^DvPX*<>"
"""The marks of arms, as `ARM_COLORS` are their colours."""

SHARED = ("cross_entropy", "graph_smoothness")
"""Arms that several sections have: they come first wherever one of them is."""

PAPER_COLOR = "#000000"
"""The papers' own values, always black diamonds."""

GRAY = "#888888"
PAGE = 7.2
"""The width of a page's text in inches: a wider figure is shown smaller."""
WIDEST = 8.6
"""Inches from which on the smallest text of a figure would be below 8 pt on the page."""


def arm_color(index: int) -> str:
    """The colour of the ``index``-th arm, from 0; repeats after ten."""
    return ARM_COLORS[index % len(ARM_COLORS)]


def arm_mark(index: int) -> str:
    """The mark of the ``index``-th arm, from 0; colour and mark together repeat after a hundred."""
    return MARKS[(index + index // len(ARM_COLORS)) % len(MARKS)]


def look_of(index: int) -> dict[str, str]:
    """Colour and mark of the ``index``-th arm, as matplotlib takes them."""
    return {"color": arm_color(index), "marker": arm_mark(index)}


def arm_places(experiment: str) -> dict[str, int]:
    """The place of every arm of an experiment among the colours and marks, whichever of them a figure draws.

    Arms that differ in what follows a hyphen, data or an option, have one place.
    """
    stems = {arm.name: arm.name.partition("-")[0] for arm in experiments.get(experiment).arms}
    known = {stem: SHARED.index(stem) for stem in stems.values() if stem in SHARED}
    free = count(len(SHARED) if known else 0)
    for stem in stems.values():
        if stem not in known:
            known[stem] = next(free)
    return {arm: known[stem] for arm, stem in stems.items()}


def use_style() -> None:
    """Sets matplotlib up for the book: plain, no chart junk, twice the dots that a page shows."""
    import matplotlib as mpl
    import seaborn as sns

    sns.set_theme(context="paper", style="ticks", font_scale=1.25)
    mpl.rcParams.update(
        {
            "figure.dpi": 150,
            "savefig.dpi": 150,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "axes.titlesize": "medium",
        }
    )
