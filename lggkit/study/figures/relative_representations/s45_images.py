"""Figures, tables and sentences of paper 4, section 4, on few images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.figures.parts import arm_rows, looks, panels
from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

ARMS = {"plain": "plain", "densified": "β = 0.7", "densified_wide": "β = 1.9"}


def errors_figure(shown: Shown) -> Figure:
    """Test error, training error and the spread of classes, a row an arm."""
    figure, axes = panels(3, 2.4, sharey=True)
    arms = {arm: title for arm, title in ARMS.items() if shown.arm(arm)}
    headings = {
        "test_error": "test error (%)",
        "train_error": "training error (%)",
        "spread_to_margin_ratio": "spread to margin",
    }
    for ax, (metric, label) in zip(axes, headings.items(), strict=True):
        arm_rows(ax, shown, arms, metric, label)
    return figure


def deaths_figure(shown: Shown) -> Figure:
    """Death times of tested sub-batches of one class, seed 0, with each β as a line."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 3.0))
    look = looks(shown.experiment)
    for arm, title in ARMS.items():
        if shown.arm(arm):
            style = {"color": look[arm]["color"], "histtype": "step", "lw": 1.8, "density": True}
            ax.hist(shown.arrays(arm)["deaths"].astype(float), bins=50, label=title, **style)
            if arm != "plain":
                beta = shown.arm(arm)[0].settings["beta"]
                ax.axvline(beta, color=look[arm]["color"], ls=":", lw=1.5)
    ax.set(xlabel="death time", ylabel="density")
    ax.legend()
    return figure


def deaths_table(shown: Shown) -> pd.DataFrame:
    """Mean death times, alone and beside the size of the space, and how many sub-batches are connected."""
    headings = {
        "death": "death",
        "relative to the space": "relative_death",
        "distance to β": "death_distance_to_beta",
        "β-connected": "connected",
    }
    return tables.arms_table(shown, ARMS, headings, 2)


def errors_said(shown: Shown) -> list[str]:
    """What densification does to the error, the deaths and the classes."""
    error, fitted = (shown.paired("densified", "plain", f"{part}_error") for part in ("test", "train"))
    share = shown.paired("densified", "plain", "relative_death")
    ratio = shown.paired("densified", "plain", "spread_to_margin_ratio")
    wide = shown.paired("densified_wide", "plain", "test_error") if shown.arm("densified_wide") else None
    plain = mean_text(shown.interval("plain", "test_error"))
    return [
        f"Plain networks err on {plain} % of the test images. With β = 0.7 the error is "
        f"{apart_text(error)}, and {apart_text(fitted)} on the images they were trained on."
        + (f" With β = 1.9 the test error is {apart_text(wide)}." if wide else "")
        + f" {seeds_text(error)}",
        f"Death times beside the size of the whole space change by {mean_text(share, 2)}, and the spread of "
        f"classes over their margin by {mean_text(ratio, 1)}: both at β = 0.7, where below 0 is denser.",
    ]
