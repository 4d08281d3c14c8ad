"""Figures and sentences of article 3 on cells of image classifiers: facets, balls by set, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.entered.paper import cells
from lggkit.study.figures.parts import dots, legend_below, marked_interval, panels
from lggkit.study.figures.style import PAPER_COLOR, look_of
from lggkit.study.judging.statistics import t_interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

WIDTHS, DIMENSIONS = (300, 350, 400, 450, 500), (10, 20, 40, 60)
DATA = {"digits": "digits", "fashion": "Fashion-MNIST"}
SETS = {
    **{"train": "training", "test": "test", "wrong": "test, misclassified"},
    **{"fgsm": "FGSM", "signs": "random signs"},
}
SPLIT = {"fgsm_right": "FGSM, still right", "fgsm_wrong": "FGSM, now wrong"}
RULES = {"sphere": "on the sphere", "signs": "random signs", "toward": "towards another image"}
GROUPS = {
    **{"train": "training", "test": "test", "test_wrong": "test, misclassified", "fgsm": "FGSM"},
    **SPLIT,
    **{"fgsm_equal_norm": "FGSM, norm of test", "signs": "random signs"},
}


def facets_figure(shown: Shown) -> Figure:
    """Table 2: facets and their share of the bits by width, and facets by dimensions of the input."""
    figure, axes = panels(3, 2.7)
    printed = {c.metric: c.value for c in cells("geometries_of_learning") if c.table == "a03-table-2"}
    for ax, metric in zip(axes, ("facets", "share"), strict=False):
        for place, nodes in enumerate(WIDTHS):
            _marked(ax, place, shown.values("widths", f"{metric}_5x{nodes}_40"), 0)
            value = printed[f"facets_5x{nodes}_40"] / (0.05 * nodes if metric == "share" else 1)
            ax.plot(place + 0.22, value, "D", color=PAPER_COLOR, ms=4)
        ax.set_xticks(range(len(WIDTHS)), WIDTHS)
        ax.set(xlabel="nodes in 5 layers")
    axes[0].set_ylabel("facets of a cell")
    axes[1].set_ylabel("facets in % of the bits")
    for place, dimension in enumerate(DIMENSIONS):
        _marked(axes[2], place, shown.values("dimensions", f"facets_3x200_{dimension}"), 1)
    axes[2].set_xticks(range(len(DIMENSIONS)), DIMENSIONS)
    axes[2].set(xlabel="input dimensions", ylabel="facets of a cell")
    _from_zero(axes)
    return figure


def _from_zero(axes) -> None:
    for ax in axes:
        ax.set_ylim(0, 1.08 * ax.get_ylim()[1])


def _marked(ax, place: float, values: list[float], look: int, label: str | None = None) -> None:
    dots(ax, place, values, upright=True)
    marked_interval(ax, place, values, look_of(look), label, upright=True)


def sets_figure(shown: Shown) -> Figure:
    """Facets and radii of the cells of five sets, two data sets beside each other."""
    figure, axes = panels(2, 3.2)
    heads = {"facets": "facets of a cell", "radius_near": "largest radius"}
    for ax, (metric, head) in zip(axes, heads.items(), strict=True):
        for index, (data, title) in enumerate(DATA.items()):
            for place, name in enumerate(SETS):
                values = shown.values(f"cells-{data}", f"{metric}_{name}")
                _marked(ax, place + 0.36 * index - 0.1, values, index, None if place else title)
        ax.set_xticks(range(len(SETS)), SETS.values(), rotation=30, ha="right")
        ax.set_ylabel(head)
    _from_zero(axes)
    legend_below(figure, *axes[1].get_legend_handles_labels())
    return figure


def rules_figure(shown: Shown) -> Figure:
    """Table 4 by rule: bits that a step changes, for sets that are moved, scaled, or split by the answer."""
    figure, axes = panels(2, 3.5)
    for ax, (data, title) in zip(axes, DATA.items(), strict=True):
        for index, (rule, word) in enumerate(RULES.items()):
            for place, name in enumerate(GROUPS):
                values = shown.values(f"rules-{data}", f"response_{rule}_{name}")
                marked_interval(
                    *(ax, place + 0.22 * index - 0.22, values, look_of(index)),
                    *(None if place else word, True),
                )
        ax.set_xticks(range(len(GROUPS)), GROUPS.values(), rotation=40, ha="right")
        ax.set(ylabel="bits that change", title=title)
    _from_zero(axes)
    legend_below(figure, *axes[0].get_legend_handles_labels())
    return figure


def balls(shown: Shown) -> pd.DataFrame:
    """Radii in three boxes, and the room about the inputs, by data set and set."""
    columns = {
        **{"box of the data": "radius_tight", "widened by 1": "radius_near"},
        **{"widened by 10": "radius_wide", "room about the input": "room"},
    }
    rows = {
        f"{title}, {word}": {head: (f"cells-{data}", f"{metric}_{name}") for head, metric in columns.items()}
        for data, title in (DATA | {"cifar": "CIFAR-10"}).items()
        for name, word in (SETS | SPLIT).items()
        if shown.values(f"cells-{data}", f"room_{name}")
    }
    return tables.metrics_table(shown, rows, 4)


def facets_said(shown: Shown) -> list[str]:
    """How many facets cells have by width and by dimensions, beside the article's share."""
    low, high = (_said(shown, "widths", f"facets_5x{n}_40", 0) for n in (WIDTHS[0], WIDTHS[-1]))
    shares = [shown.interval("widths", f"share_5x{n}_40").mean for n in (WIDTHS[0], WIDTHS[-1])]
    few, many = (_said(shown, "dimensions", f"facets_3x200_{d}", 0) for d in (10, 60))
    bounded = shown.interval("widths", f"bounded_5x{WIDTHS[0]}_40").mean
    return [
        f"On 40 components a cell has {low} facets with 300 nodes a layer and {high} with 500: "
        f"{shares[0]:.1f} and {shares[1]:.1f} % of the bits. The article's 44 and 39 % are on 784 pixels. "
        f"The number rests on the dimension of the input: with 3 layers of 200 it is {few} in 10 dimensions "
        f"and {many} in 60. Of the cells at 300 nodes {bounded:.0f} % are bounded."
    ]


def sets_said(shown: Shown) -> list[str]:
    """Differences of FGSM to test and to random signs in radius and facets, a line a data set."""
    lines = []
    for data, title in (DATA | {"cifar": "CIFAR-10"}).items():
        arm, parts = f"cells-{data}", []
        for metric, word, digits in (("radius_near", "radius", 3), ("facets", "facets", 0)):
            if shown.values(arm, f"{metric}_fgsm"):
                less = [_less(shown, arm, metric, "fgsm", other, digits) for other in ("test", "signs")]
                missed = _less(shown, arm, metric, "wrong", "test", digits)
                parts.append(
                    f"{word}: FGSM less test {less[0]}, FGSM less random signs {less[1]}, "
                    f"misclassified less all test {missed}"
                )
        if shown.values(arm, "bounded_test"):
            parts.append(f"{shown.interval(arm, 'bounded_test').mean:.0f} % of the test cells are bounded")
        lines.append(f"- {title}. {'; '.join(parts)}." if parts else "")
    return ["\n".join(filter(None, lines))]


def apart_said(shown: Shown) -> list[str]:
    """How far the cells of images and of moved ones lie apart, and whether two methods agree."""
    texts = []
    counted = {data: title for data, title in DATA.items() if shown.values(f"cells-{data}", "apart_fgsm")}
    for data, title in counted.items():
        far = [_said(shown, f"cells-{data}", f"apart_{name}", 0) for name in ("fgsm", "signs")]
        texts.append(f"{far[0]} % of the step for FGSM and {far[1]} % for random signs on {title}")
    differ = sum(sum(shown.values(f"cells-{data}", "methods_differ")) for data in counted)
    agree = "the same facets" if differ == 0 else f"facets that differ in {differ:.0f} rows"
    return [
        "The polyhedra of a test image and of the same image moved lie apart, in the largest coordinate, by "
        f"{' and '.join(texts)}. Linear programs and the faster cones give {agree} where both were asked."
    ]


def rules_said(shown: Shown) -> list[str]:
    """FGSM less test by rule, and what is left at equal norm, a line a data set."""
    lines = []
    for data, title in (DATA | {"cifar": "CIFAR-10, on components"}).items():
        arm = f"cells-{data}" if data == "cifar" else f"rules-{data}"
        if shown.values(arm, "response_sphere_fgsm"):
            less = [f"{_less(shown, arm, f'response_{r}', 'fgsm', 'test', 1)} {w}" for r, w in RULES.items()]
            equal = _less(shown, arm, "response_sphere", "fgsm_equal_norm", "test", 1)
            lines.append(f"- {title}, FGSM less test in bits: {', '.join(less)}; at equal norm {equal}.")
    return ["\n".join(lines)]


def _said(shown: Shown, arm: str, metric: str, digits: int) -> str:
    return tables.interval_text(shown.interval(arm, metric), digits)


def _less(shown: Shown, arm: str, metric: str, left: str, right: str, digits: int) -> str:
    sides = (shown.values(arm, f"{metric}_{name}") for name in (left, right))
    differences = [a - b for a, b in zip(*sides, strict=False)]
    return tables.interval_text(t_interval(differences), digits) if differences else "not measured"
