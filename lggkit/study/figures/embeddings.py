"""Figures of paper 2: embeddings through training, and sweeps over the settings of the loss."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.parts import GRAY, MARKS, legend_below, one_legend
from lggkit.study.figures.style import CLASS_COLORS, CLASS_MARKERS, arm_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.view import Shown

MEASURES = {
    "silhouette": "silhouette, Euclidean",
    "silhouette_cosine": "silhouette, cosine",
    "class_elongation": "elongation of a class",
    "initial_distance_correlation": "rank correlation with\ndistances before training",
}
SWEEPS = {"k": "neighbours k", "d": "dimension d", "alpha": "scale α"}
DEFAULTS = {"k": "max", "alpha": "2"}


def film_figure(shown: Shown, titles: Mapping[str, str], seed: int = 0, points: int = 500) -> Figure:
    """Figure 1 as small multiples: a row an arm, a column a moment; the axes of a row are the same.

    ``titles`` names the arms from top to bottom; the first ``points`` images of their films are drawn.
    """
    import matplotlib.pyplot as plt

    films = {arm: shown.arrays(arm, seed) for arm in titles}
    first = next(iter(films.values()))
    columns = len(first["epochs"])
    size = (1.1 + 1.62 * columns, 0.8 + 1.62 * len(films))
    figure, axes = plt.subplots(len(films), columns, figsize=size, sharex="row", sharey="row", squeeze=False)
    for row, (arm, film) in zip(axes, films.items(), strict=True):
        for ax, frame in zip(row, film["embeddings"], strict=True):
            _scatter(ax, frame[:points].astype(float), film["labels"][:points])
        reach = 1.06 * np.quantile(np.abs(film["embeddings"].astype(float)), 0.998)
        row[0].set(xlim=(-reach, reach), ylim=(-reach, reach))
        row[0].set_ylabel(titles[arm].replace(", ", ",\n"), fontsize="small")
    for ax, epoch in zip(axes[0], first["epochs"], strict=True):
        ax.set_title(_moment(int(epoch)))
    _class_legend(figure, first["class_names"])
    return figure


def _moment(epoch: int) -> str:
    return "before training" if not epoch else f"epoch {epoch}"


def _scatter(ax: Axes, places: np.ndarray, labels: np.ndarray) -> None:
    """Places (n, 2), each in the colour and mark of its class."""
    for label in np.unique(labels):
        look = {"color": CLASS_COLORS[label], "marker": CLASS_MARKERS[label], "ls": ""}
        ax.plot(*places[labels == label].T, ms=3, mew=0, alpha=0.75, **look)
    ax.set(aspect="equal", box_aspect=1)
    ax.tick_params(labelsize="x-small", length=2)
    ax.locator_params(nbins=3)


def _class_legend(figure: Figure, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    looks = zip(CLASS_COLORS[: len(names)], CLASS_MARKERS, strict=False)
    marks = [Line2D([], [], ls="", ms=7, color=c, marker=m, markeredgecolor="white") for c, m in looks]
    legend_below(figure, marks, [str(name) for name in names])


def clustering_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """How clustered the classes are at every moment of the films: a panel a measure, a thin line a seed."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogFormatter

    figure, axes = plt.subplots(1, len(MEASURES), figsize=(11.4, 3.4))
    for index, (arm, title) in enumerate(titles.items()):
        epochs = shown.arrays(arm)["epochs"]
        for ax, metric in zip(axes, MEASURES, strict=True):
            rows = np.array(shown.values(arm, f"{metric}_by_moment"))
            ax.plot(epochs, rows.T, color=arm_color(index), lw=0.6, alpha=0.5)
            look = {"color": arm_color(index), "marker": MARKS[index], "ms": 4.5, "lw": 2}
            ax.plot(epochs, rows.mean(0), label=title, **look)
    for ax, label in zip(axes, MEASURES.values(), strict=True):
        ax.set(xlabel="epoch", title=label)
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[2].set_yscale("log")
    axes[2].yaxis.set_major_formatter(LogFormatter())
    axes[2].yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    one_legend(figure, axes[0])
    return figure


def sweep_figure(shown: Shown, data: str = "cifar10", classes: int = 10, batch: int = 100) -> Figure:
    """Figures 2 to 4: 10-NN error against k, d and α, on test images and on those held out of training.

    The k of all pairs is drawn at ``batch``, the size of the graphs; dotted lines are the values that a sweep
    over another setting keeps.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(10, 3.3), sharey=True)
    kept = DEFAULTS | {"d": str(classes)}
    for ax, (setting, label) in zip(axes, SWEEPS.items(), strict=True):
        arms = {_value(text, batch): (text, arm) for text, arm in swept(shown, setting, data).items()}
        ticks = {value: arms[value][0].replace("max", "all") for value in sorted(arms)}
        drawn = {value: arms[value][1] for value in ticks}
        _sweep_panel(ax, shown, drawn, ticks.values(), label, _value(kept[setting], batch))
    axes[0].set_ylabel("10-NN error (%)")
    one_legend(figure, axes[0])
    return figure


def options_figure(
    shown: Shown, sweeps: Mapping[str, Mapping[float, str]], kept: Sequence[float | None]
) -> Figure:
    """10-NN error against an option of a loss, a panel a loss, on test images and on those held out.

    Args:
        shown: holds the arms of the sweeps.
        sweeps: for the name of an option, as the axis has it, the arms by the option's value.
        kept: for each sweep, the value that other arms have, marked by a dotted line, or None.
    """
    import matplotlib.pyplot as plt

    widths = [max(1.0, float(np.log10(max(arms) / min(arms)))) for arms in sweeps.values()]
    figure, axes = plt.subplots(
        1, len(sweeps), figsize=(10, 3.3), sharey=True, squeeze=False, width_ratios=widths
    )
    for ax, (label, arms), value in zip(axes[0], sweeps.items(), kept, strict=True):
        _sweep_panel(ax, shown, dict(sorted(arms.items())), [f"{v:g}" for v in sorted(arms)], label, value)
    axes[0, 0].set_ylabel("10-NN error (%)")
    one_legend(figure, axes[0, 0])
    return figure


def swept(shown: Shown, setting: str, data: str) -> dict[str, str]:
    """The recorded arms of a sweep, such as ``k10-cifar10``, by the value of the setting as written."""
    pattern = re.compile(rf"{setting}(max|[0-9.]+)-{data}")
    names = dict.fromkeys(r.arm for r in shown.records if r.status == "complete")
    return {found[1]: name for name in names if (found := pattern.fullmatch(name))}


def _value(text: str, batch: int) -> float:
    return float(batch if text == "max" else text)


def _sweep_panel(
    ax: Axes, shown: Shown, arms: Mapping[float, str], ticks: Iterable[str], label: str, kept: float | None
) -> None:
    """Errors of arms over their values, which rise, on a logarithmic axis; a dotted line at what is kept."""
    looks = {
        "error_10nn": {"color": arm_color(0), "marker": "o", "label": "test images"},
        "validation_error_10nn": {"color": arm_color(1), "marker": "s", "ls": "--", "label": "held out"},
    }
    for metric, look in looks.items():
        found = {value: shown.values(arm, metric) for value, arm in arms.items()}
        for value, seeds in found.items():
            ax.plot(np.full(len(seeds), value), seeds, ".", color=look["color"], ms=5, alpha=0.5)
        ax.plot(list(found), [np.mean(seeds) for seeds in found.values()], ms=5, lw=1.8, **look)
    ax.set_xscale("log")
    ax.set_xticks(list(arms), list(ticks))
    ax.set_xticks([], minor=True)
    if kept is not None:
        ax.axvline(kept, color=GRAY, lw=0.8, ls=":", zorder=0)
    ax.set_xlabel(label)
