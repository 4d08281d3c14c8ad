"""Figures of paper 1, section 4.3, first page: networks under attack, noise and damage.

Every function takes the records of the section and ``titles``, the arms to draw by name. Bands and bars are
95 % intervals and are drawn from three seeds on.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from lggkit.evaluation.robustness import SNR
from lggkit.study.entered.paper import cells
from lggkit.study.figures.lgg.s43_numbers import transfer_matrix
from lggkit.study.figures.parts import banded, looks, marked_interval, one_legend, panels
from lggkit.study.figures.style import GRAY, PAPER_COLOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

ATTACKS = {"accuracy_fgsm_by_snr": "fast gradient sign", "accuracy_noise_by_snr": "Gaussian noise"}
CLEAN = "clean images"
RELEASED = "table-3-released"


def snr_figure(shown: Shown, titles: Mapping[str, str], marked: float = SNR) -> Figure:
    """Accuracy against the signal-to-noise ratio, under FGSM (left) and Gaussian noise (right).

    Disturbances grow to the right. Means on clean images are at the left, a dotted line is at ``marked`` dB.
    """
    figure, axes = panels(2, 3.7, sharey=True)
    levels, look = _levels(shown, titles), looks(shown.experiment)
    for ax, (metric, title) in zip(axes, ATTACKS.items(), strict=True):
        for index, (arm, name) in enumerate(titles.items()):
            banded(ax, levels, shown.values(arm, metric), look[arm], name, index)
            place = levels.max() + (0.09 + 0.03 * (len(titles) - index)) * np.ptp(levels)
            if values := shown.values(arm, "accuracy_clean"):
                ax.plot(place, np.mean(values), ms=5, **look[arm])
        ax.axvline(marked, color=GRAY, lw=0.8, ls=":", zorder=0)
        ax.set(xlabel="signal-to-noise ratio (dB)", title=title, ylim=(0, 103))
        _clean_tick(ax, levels, len(titles))
        ax.invert_xaxis()
    axes[0].set_ylabel("accuracy (%)")
    one_legend(figure, axes[0])
    return figure


def _levels(shown: Shown, titles: Mapping[str, str]) -> np.ndarray:
    return np.array(next(levels for arm in titles for levels in shown.values(arm, "snr_levels")), float)


def _clean_tick(ax: Axes, levels: np.ndarray, arms: int) -> None:
    """Ticks where there are levels, and one for the clean images beyond them."""
    ticks = [tick for tick in ax.get_xticks() if levels.min() <= tick <= levels.max()]
    middle = levels.max() + (0.105 + 0.015 * arms) * np.ptp(levels)
    ax.set_xticks([*ticks, middle], [*(f"{tick:g}" for tick in ticks), "clean"])


def transfer_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Error of every network (columns) on the FGSM images of every other (rows), means over seeds.

    The diagonal is a network's error on its own images; the row above is that on clean images.
    """
    import matplotlib.pyplot as plt

    errors = transfer_matrix(shown, list(titles))
    figure, ax = plt.subplots(figsize=(2.6 + 1.15 * len(titles), 1.4 + 0.5 * len(errors)))
    image = ax.imshow(errors, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(errors):
        if np.isfinite(value):
            ink = "white" if value < 55 else "black"
            weight = "bold" if row == column + 1 else "normal"
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink, weight=weight)
    ax.set_xticks(range(len(titles)), [fill(title, 12) for title in titles.values()])
    ax.set_yticks(range(len(errors)), [CLEAN, *titles.values()])
    ax.axhline(0.5, color="white", lw=3)
    ax.set(xlabel="network that is shown the images", ylabel="network that they are made for")
    ax.tick_params(length=0)
    figure.colorbar(image, label="error (%)")
    return figure


def released_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """A panel a column of released accuracies: theirs as black diamonds with their intervals, ours in colour.

    The rows are the arms. Intervals are cut off at 0 and 100 %.
    """
    released = [cell for cell in cells("lgg") if cell.table == RELEASED and cell.arm in titles]
    columns = list(dict.fromkeys(cell.column for cell in released))
    figure, axes = panels(len(columns), 0.8 + 0.3 * len(titles), sharey=True)
    look = looks(shown.experiment)
    for ax, column in zip(axes, columns, strict=True):
        for cell in (c for c in released if c.column == column):
            place = list(titles).index(cell.arm)
            marked_interval(ax, place + 0.17, shown.values(cell.arm, cell.metric), look[cell.arm])
            diamond = {"color": PAPER_COLOR, "fmt": "D", "ms": 4.5, "capsize": 2, "lw": 1.2}
            ax.errorbar(cell.value, place - 0.17, xerr=cell.spread or 0.0, **diamond)
        low, high = ax.get_xlim()
        ax.set(title=column, xlim=(max(low, -2), min(high, 102)))
    for ax in axes[-2:]:
        ax.set_xlabel("accuracy (%)")
    axes[0].set_yticks(range(len(titles)), list(titles.values()))
    axes[0].set_ylim(len(titles) - 0.5, -0.5)
    return figure
