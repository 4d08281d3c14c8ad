"""What several figures draw alike: an interval over seeds, one legend for all panels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from lggkit.study.figures.style import arm_color
from lggkit.study.statistics import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRAY = "#888888"
MARKS = "os^DvPX*"
"""The mark of an experiment's arms, as `arm_color` is their colour."""


def one_legend(figure: Figure, ax: Axes) -> None:
    """One legend for panels that all hold the same entries, those of ``ax``."""
    legend_below(figure, *ax.get_legend_handles_labels())


def legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend under all panels, in as few rows as the figure's width allows, filled evenly."""
    fitting = max(1, int(figure.get_figwidth() / (0.55 + 0.09 * max(map(len, labels), default=0))))
    rows = ceil(len(labels) / fitting)
    figure.legend(handles, labels, loc="outside lower center", ncols=ceil(len(labels) / max(rows, 1)))


def marked_interval(
    ax: Axes, place: float, values: Sequence[float], index: int, label: str | None = None
) -> None:
    """The mean of an arm's values in its colour and mark, with a 95 % interval from three seeds on."""
    if values:
        found = t_interval(values)
        half = found.half_width if found.n > 2 else 0.0
        look = {"color": arm_color(index), "ms": 5, "capsize": 2, "lw": 1.4, "label": label}
        ax.errorbar(found.mean, place, xerr=half, fmt=MARKS[index], **look)
