"""Figures of article 10: the weight of orthogonality, and the statistic by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.geometries_of_learning.a10_orthogonal_blocks import FIVE, MANY, short_title
from lggkit.study.figures.parts import dots, looks, marked_interval, one_legend, panels
from lggkit.study.figures.style import GRAY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

SWEEP = {"dae_g": 0, "dae_og": 0.001, "dae_og-0.01": 0.01, "dae_og-0.1": 0.1}


def sweep_figure(shown: Shown) -> Figure:
    """Cosine, error, mig and the share of the matched factor against the weight of orthogonality."""
    figure, axes = panels(4, 2.3)
    look, arms = looks(shown.experiment), [arm for arm in SWEEP if shown.arm(arm)]
    columns = {
        "cosine": "mean |cosine| of blocks",
        "mse": "mean square, held out",
        "mig": "mig",
        "matched_share": "share of matched factor",
    }
    for ax, (metric, label) in zip(axes, columns.items(), strict=True):
        for place, arm in enumerate(arms):
            values = shown.values(arm, metric)
            marked_interval(ax, place, values, look[arm], upright=True)
            dots(ax, place, values, upright=True)
        ax.set_xticks(range(len(arms)), [f"{SWEEP[arm]:g}" for arm in arms])
        most = max((value for arm in arms for value in shown.values(arm, metric)), default=0)
        ax.set(ylabel=label, xlim=(-0.5, len(arms) - 0.5), ylim=(0, 1.2 * most or 1))
    for ax in axes[2:]:
        ax.set_xlabel("α₁")
    return figure


def grid_figure(shown: Shown) -> Figure:
    """Error, cosine, mig and FID of the three arms of five blocks, with 1,000 images and with 24,000."""
    figure, axes = panels(4, 2.3)
    look = looks(shown.experiment)
    columns = {"mse": "mean square", "cosine": "mean |cosine|", "mig": "mig", "fid": "FID"}
    for ax, (metric, label) in zip(axes, columns.items(), strict=True):
        for offset, pair in zip((-0.25, 0, 0.25), zip(FIVE, MANY, strict=True), strict=True):
            for place, arm in enumerate(pair):
                values, title = shown.values(arm, metric), short_title(arm) if place == 0 else None
                marked_interval(ax, place + offset, values, look[pair[0]], title, upright=True)
                dots(ax, place + offset + 0.05, values, upright=True)
        ax.set_xticks((0, 1), ("1,000 images", "24,000"))
        ax.set(ylabel=label, xlim=(-0.6, 1.6))
        ax.set_ylim(bottom=0)
    one_legend(figure, axes[0])
    return figure


def statistic_figure(shown: Shown) -> Figure:
    """The null of permutations with two pairs of samples in it, and the loss as samples move apart."""
    figure, axes = panels(2, 2.8)
    arrays, metrics = shown.arrays("statistic"), shown.arm("statistic")[0].metrics
    look = looks(shown.experiment)
    bins = np.linspace(-4, 4, 33)
    axes[0].hist(arrays["null_same"], bins=bins, color=GRAY, alpha=0.5, density=True, label="permutations")
    axes[0].plot(bins, np.exp(-(bins**2) / 2) / np.sqrt(2 * np.pi), color=GRAY, lw=1.4, label="N(0, 1)")
    for name, arm in {"same": "plain", "different": "dae_og"}.items():
        title = "two halves of a class" if name == "same" else "two classes"
        axes[0].axvline(
            metrics[f"t_{name}"],
            color=look[arm]["color"],
            lw=2,
            label=title,
            ls="-" if name == "same" else "--",
        )
    axes[0].set(xlabel="t", yticks=[], ylim=(0, 0.85))
    axes[0].legend(loc="upper left")
    for scale, arm in {"none": "plain", "median": "dae_og"}.items():
        title = "distances as they are" if scale == "none" else "over their median"
        mean = np.mean(shown.values("statistic", f"losses_{scale}"), 0)
        axes[1].plot(range(len(mean)), mean, label=title, ms=4.5, **look[arm])
    axes[1].set_xticks(range(len(metrics["shifts"])), [f"{shift:g}" for shift in metrics["shifts"]])
    axes[1].set(xlabel="shift of one sample, in sds", ylabel="loss, −t")
    axes[1].legend()
    return figure
