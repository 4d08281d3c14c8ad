"""Figures of paper 1, section 4.3, second page: what the regulariser does to a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.lgg.s43_steps import VARIANTS
from lggkit.study.figures.parts import banded, looks, one_legend, panels
from lggkit.study.figures.robustness import arms_figure
from lggkit.study.figures.style import GRAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

NORMS = {"spectral_norm_largest": "largest", "spectral_norm_mean": "mean"}
MARGINS = {"logit_margin": "margin of the logits", "input_margin": "distance to the boundary"}
METRICS = {
    "test_error": "clean error (%)",
    "error_fgsm_after": "FGSM error (%)",
    "error_pgd": "PGD error (%)",
    "largest_variation_step": "largest step",
}


def variation_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Label variation of every map before training (left), after it (middle), and its steps there (right).

    A step is the absolute difference of neighbouring maps, which is what eq. 8 adds up.
    """
    figure, axes = panels(3, 3.5)
    axes[1].sharey(axes[0])
    look = looks(shown.experiment)
    for index, (arm, title) in enumerate(titles.items()):
        before, after = (shown.values(arm, f"variation_by_depth{end}") for end in ("_untrained", ""))
        steps = [np.abs(np.diff(row)) for row in after]
        for ax, rows, first in zip(axes, (before, after, steps), (1.0, 1.0, 1.5), strict=True):
            places = first + np.arange(len(rows[0]) if len(rows) else 0)
            banded(ax, places, rows, look[arm], title, index)
    for ax, label in zip(axes, ("before training", "after training", "steps after training"), strict=True):
        ax.set(title=label, xlabel="ReLU map", ylim=(0, None))
        ax.ticklabel_format(axis="y", scilimits=(-2, 3))
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes[0].set_ylabel(r"label variation $\mathrm{tr}(V^\top L^2 V)$")
    one_legend(figure, axes[1])
    return figure


def margin_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Histograms of margins, a row an arm: of the logits (left), to the boundary at first order (right).

    Outlines are those of the first arm. Left of the dotted line an image is classified wrongly. The
    outermost bins hold everything beyond them.
    """
    import matplotlib.pyplot as plt

    size = (8, 1 + 1.4 * len(titles))
    figure, axes = plt.subplots(len(titles), 2, figsize=size, sharex="col", sharey="col", squeeze=False)
    look, first = looks(shown.experiment), next(iter(titles))
    for column, (metric, label) in zip(axes.T, MARGINS.items(), strict=True):
        for ax, arm in zip(column, titles, strict=True):
            _stairs(ax, _histogram(shown, arm, metric), color=look[arm]["color"], fill=True, alpha=0.65)
            _stairs(ax, _histogram(shown, first, metric), color="#333333", lw=1.2)
            ax.axvline(0, color=GRAY, lw=0.8, ls=":")
        column[-1].set_xlabel(label)
    for ax, title in zip(axes[:, 0], titles.values(), strict=True):
        ax.set_title(title, loc="left")
        ax.set_ylabel("images (%)")
    return figure


def _histogram(shown: Shown, arm: str, metric: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Percent of images in every bin, mean over seeds, and the bins' edges; None where a seed has none."""
    counts = np.array(shown.values(arm, f"{metric}_histogram"), float)
    if not len(counts) or not counts.sum(1).all():
        return None
    shares = 100 * (counts / counts.sum(1, keepdims=True)).mean(0)
    return shares, np.array(shown.values(arm, f"{metric}_edges")[0])


def _stairs(ax: Axes, histogram: tuple[np.ndarray, np.ndarray] | None, **look: object) -> None:
    if histogram:
        ax.stairs(*histogram, **look)


def norms_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Spectral norms of the weights through training: the largest of all layers, and their mean.

    The dotted line is 1, the norm of orthonormal rows.
    """
    figure, axes = panels(2, 3.4)
    look = looks(shown.experiment)
    for ax, (name, label) in zip(axes, NORMS.items(), strict=True):
        for index, (arm, title) in enumerate(titles.items()):
            curves = [record.curves for record in shown.arm(arm) if record.curves.get(name)]
            epochs = curves[0]["test_epoch"] if curves else []
            banded(ax, epochs, [curve[name] for curve in curves], look[arm], title, index)
        ax.axhline(1, color=GRAY, lw=0.8, ls=":", zorder=0)
        ax.set(xlabel="epoch", title=f"{label} of the layers", ylim=(0, None))
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes[0].set_ylabel("spectral norm")
    one_legend(figure, axes[0])
    return figure


def ablation_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Errors of the variants, and their largest step of label variation."""
    figure = arms_figure(shown, {arm: titles[arm] for arm in VARIANTS if shown.arm(arm)}, METRICS)
    figure.axes[-1].ticklabel_format(axis="x", scilimits=(-2, 3))
    return figure
