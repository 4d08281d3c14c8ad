"""What several figures draw alike: panels, an interval, lines of seeds, a band, dots, one legend for all.

A ``look`` is the colour and mark of an arm as matplotlib takes them (`looks`). Intervals are Student's, 95 %,
and are drawn from three seeds on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from lggkit.study.figures.style import GRAY, WIDEST, arm_places, look_of
from lggkit.study.judging.statistics import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

Look = Mapping[str, Any]
FEWEST = 3
"""Seeds from which on an interval is drawn."""


def looks(experiment: str) -> dict[str, Look]:
    """Colour and mark of every arm of an experiment, the same in each of its figures."""
    return {arm: look_of(place) for arm, place in arm_places(experiment).items()}


def panels(number: int, height: float = 3.2, width: float = WIDEST, **options: Any) -> tuple[Figure, Any]:
    """A figure of panels (number,): up to three in a row, more of them two in a row.

    ``height`` is that of a row in inches; options are those of ``plt.subplots``.
    """
    import matplotlib.pyplot as plt

    columns = number if number <= 3 else 2
    rows = ceil(number / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width, height * rows), squeeze=False, **options)
    for ax in axes.flat[number:]:
        ax.set_visible(False)
    return figure, axes.flat[:number]


def one_legend(figure: Figure, ax: Axes) -> None:
    """One legend for panels that all hold the same entries, those of ``ax``."""
    legend_below(figure, *ax.get_legend_handles_labels())


def legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend under all panels, in as few rows as the figure's width allows, filled evenly."""
    fitting = max(1, int(figure.get_figwidth() / (0.55 + 0.09 * max(map(len, labels), default=0))))
    rows = ceil(len(labels) / fitting)
    figure.legend(handles, labels, loc="outside lower center", ncols=ceil(len(labels) / max(rows, 1)))


def half_width(values: Sequence[float]) -> float:
    """Half the interval of values, 0 where they are too few for one."""
    return t_interval(values).half_width if len(values) >= FEWEST else 0.0


def marked_interval(
    ax: Axes,
    place: float,
    values: Sequence[float],
    look: Look,
    label: str | None = None,
    upright: bool = False,
) -> None:
    """The mean of an arm's values with its interval, along the x axis at height ``place``, or upright."""
    if not values:
        return
    mean, half = float(np.mean(values)), half_width(values)
    mark = {"color": look["color"], "fmt": look["marker"], "label": label, "ms": 5, "capsize": 2, "lw": 1.4}
    if upright:
        ax.errorbar(place, mean, yerr=half, zorder=3, **mark)
    else:
        ax.errorbar(mean, place, xerr=half, zorder=3, **mark)


def dots(ax: Axes, place: float, values: Sequence[float], upright: bool = False) -> None:
    """A grey dot a seed beside a `marked_interval`."""
    beside = np.full(len(values), place)
    x, y = (beside - 0.14, values) if upright else (values, beside + 0.22)
    ax.plot(x, y, ".", ms=5, color=GRAY)


def arm_rows(ax: Axes, shown: Shown, arms: Mapping[str, str], metric: str, label: str) -> None:
    """A row an arm, from top to bottom: the mean of a metric with its interval, and a dot a seed."""
    look = looks(shown.experiment)
    for place, arm in enumerate(arms):
        marked_interval(ax, -place, shown.values(arm, metric), look[arm])
        dots(ax, -place, shown.values(arm, metric))
    ax.set_yticks([-place for place in range(len(arms))], arms.values())
    ax.set_xlabel(label)


def seed_lines(
    ax: Axes, x: Sequence[float], rows: Sequence[Sequence[float]], look: Look, label: str | None = None
) -> None:
    """A thin line a seed and the thick one of their mean, with marks."""
    if not len(rows):
        return
    values = np.asarray(rows, float)
    ax.plot(x, values.T, color=look["color"], lw=0.6, alpha=0.5)
    ax.plot(x, values.mean(0), label=label, ms=4.5, lw=2, **look)


def banded(
    ax: Axes, x: Sequence[float], rows: Sequence[Sequence[float]], look: Look, label: str, index: int
) -> None:
    """The mean of an arm's curves, one a seed, in its band; the ``index`` sets dashes and places of marks.

    So lines below stay visible.
    """
    if not len(rows):
        return
    points = [t_interval(values) for values in zip(*rows, strict=True)]
    every = (index % 3, 3) if len(x) > 12 else None
    line = {"ls": "-" if index % 2 == 0 else (0, (4, 1.5)), "ms": 5, "lw": 1.8, **look}
    ax.plot(x, [p.mean for p in points], markevery=every, label=label, **line)
    if len(rows) >= FEWEST:
        low, high = [p.low for p in points], [p.high for p in points]
        ax.fill_between(x, low, high, color=look["color"], alpha=0.2, lw=0)
