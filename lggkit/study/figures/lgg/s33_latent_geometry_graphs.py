"""Figures, tables and sentences of paper 1, section 3.3: σ over many draws and at every depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit.study.entered.paper import cells
from lggkit.study.figures import latent_geometry
from lggkit.study.figures.parts import looks, panels, seed_lines
from lggkit.study.figures.style import PAPER_COLOR
from lggkit.study.judging.statistics import Interval, paired_differences, t_interval
from lggkit.study.judging.verdicts import by_seed
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

NAMES = ("input", "middle", "penultimate")
DEPTH_LABELS = {"input": "input", "penultimate": "pooled", "output": "logits"}
ARMS = {"resnet18": "trained", "untrained": "before training"}
READINGS = {
    "possible edges, n·k or all pairs if fewer (used here)": "sigma_{}",
    "pairs of images of two classes": "sigma_{}_inter_pairs",
    "edges between classes that are there": "sigma_{}_edges_present",
}
INFLUENCE = {
    "spread of the mean edge weight over depths": ("dimension_spread_plain", "dimension_spread_normalized"),
    "spread of the contrast within a graph": ("contrast_spread_plain", "contrast_spread_normalized"),
    "share of one displaced sample": ("eclipse_share_cosine", "eclipse_share_normalized"),
    "the same, matrix of distances": ("eclipse_share_plain", None),
}


def graphs_figure(shown: Shown) -> Figure:
    """Figure 2 redrawn from the first draw and the first network."""
    return latent_geometry.graphs_figure(shown.arrays("resnet18"), shown.arm("resnet18")[0].settings["k"])


def distribution_figure(shown: Shown) -> Figure:
    """σ of every draw at three depths of the first network as violins, the paper's one draw as a diamond."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    arrays = shown.arrays("resnet18")
    middle = shown.arm("resnet18")[0].settings["middle"]
    columns = [list(arrays["depths"]).index(depth) for depth in ("input", middle, "penultimate")]
    printed = [cell.value for cell in cells("lgg") if cell.table == "figure-2"]
    figure, ax = plt.subplots(figsize=(6, 3.4))
    draws = [arrays["sigma"][:, column] for column in columns]
    sns.violinplot(draws, ax=ax, inner="quart", color="#9ecae1", cut=0, linewidth=1)
    ax.plot(range(3), printed, "D", color=PAPER_COLOR, label="the paper's one draw", zorder=3)
    ax.set_xticks(range(3), NAMES)
    ax.set(ylabel="normalised label variation σ", ylim=(0, None))
    ax.legend(loc="upper right")
    return figure


def depth_figure(shown: Shown) -> Figure:
    """Mean σ (left) and k-NN test error (right) at every depth, a thin line a seed, trained and untrained."""
    depths, look = depth_names(shown), looks(shown.experiment)
    figure, axes = panels(2, 3.6, sharex=True)
    for arm, label in ARMS.items():
        for ax, metric in zip(axes, ("sigma_all_depths", "knn_error_all_depths"), strict=True):
            rows = shown.values(arm, metric)
            seed_lines(ax, range(len(depths)), rows, look[arm], f"{label} (n = {len(rows)})")
    axes[0].set(ylabel="normalised label variation σ", ylim=(0, None))
    axes[1].set(ylabel="k-NN test error (%)", ylim=(0, None))
    for ax in axes:
        ax.set_xticks(range(len(depths)), depths, rotation=40, ha="right")
    axes[0].legend()
    return figure


def difficulty_figure(shown: Shown) -> Figure:
    """σ against the k-NN test error, a point a depth and seed: does a smaller σ go with an easier task?"""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(5, 3.6))
    look = looks(shown.experiment)
    for arm, label in ARMS.items():
        sigma = np.asarray(shown.values(arm, "sigma_all_depths"))
        error = np.asarray(shown.values(arm, "knn_error_all_depths"))
        ax.plot(sigma.ravel(), error.ravel(), ls="", ms=4, alpha=0.7, label=label, **look[arm])
    ax.set(xlabel="normalised label variation σ", ylabel="k-NN test error (%)")
    ax.legend()
    return figure


def depth_names(shown: Shown) -> list[str]:
    """The depths of the network as a figure names them."""
    return [DEPTH_LABELS.get(str(depth), str(depth)) for depth in shown.arrays("resnet18")["depths"]]


def denominators(shown: Shown) -> pd.DataFrame:
    """σ at the three depths by what it is divided by."""
    rows: dict[str, Mapping[str, tuple[str, str]]] = {
        label: {name: ("resnet18", metric.format(name)) for name in NAMES}
        for label, metric in READINGS.items()
    }
    return tables.metrics_table(shown, rows)


def influences(shown: Shown) -> pd.DataFrame:
    """What the dimension and one displaced sample weigh, without step 4 and with it."""
    headings = ("without step 4", "with step 4")
    rows = {
        label: {h: ("normalization", m) for h, m in zip(headings, metrics, strict=True) if m}
        for label, metrics in INFLUENCE.items()
    }
    return tables.metrics_table(shown, rows).fillna("–")


def draws_said(shown: Shown) -> list[str]:
    """How many draws have a σ that falls at both steps."""
    settings = shown.arm("resnet18")[0].settings
    trained, untrained = (100 * shown.interval(arm, "share_of_draws_falling").mean for arm in ARMS)
    return [
        f"{settings['draws']} draws of {settings['classes']} classes with {settings['per_class']} images "
        "each "
        f"went through every network. σ falls at both steps in {trained:.0f} % of the draws after training "
        "and "
        f"in {untrained:.0f} % before."
    ]


def depths_said(shown: Shown) -> list[str]:
    """Where σ is lowest, what training does to it, and how it goes with the nearest-neighbour error."""
    rows = np.array(shown.values("resnet18", "sigma_all_depths"))
    lowest = int(rows.mean(0).argmin())
    pooled = {arm: tables.interval_text(shown.interval(arm, "sigma_penultimate")) for arm in ARMS}
    change = {name: shown.paired("resnet18", "untrained", f"sigma_{name}") for name in NAMES[1:]}
    correlation = {arm: tables.interval_text(shown.interval(arm, "sigma_error_correlation")) for arm in ARMS}
    return [
        f"Trained networks have the lowest mean σ, {rows.mean(0)[lowest]:.2f}, at depth "
        f"“{depth_names(shown)[lowest]}”. The pooled vector has {pooled['resnet18']}, and "
        f"{pooled['untrained']} before training.",
        f"Training changes σ by {tables.interval_text(change['middle'])} in the middle and by "
        f"{tables.interval_text(change['penultimate'])} at the pooled vector, paired by seed. "
        + _middle_text(change["middle"], rows[:, 0] - np.array(shown.values("resnet18", "sigma_middle"))),
        f"Over the depths σ has a rank correlation of {correlation['resnet18']} with the nearest-neighbour "
        f"error after training, and of {correlation['untrained']} before.",
    ]


def _middle_text(change: Interval, fall: np.ndarray) -> str:
    if change.below(0):
        share = -100 * change.mean / fall.mean()
        return f"So {share:.0f} % of the fall from the input to the middle is the work of training."
    return "The seeds do not show that training makes σ fall up to the middle."


def readings_said(shown: Shown) -> list[str]:
    """What becomes of the weight of the edges that are left between classes."""
    runs = shown.arm("resnet18")
    late, early = (by_seed(runs, "resnet18", f"sigma_{d}_edges_present") for d in ("penultimate", "middle"))
    change = t_interval(paired_differences(late, early))
    return [
        "The first two differ by a constant factor. The third is the mean weight of the edges that are left "
        f"between classes; from the middle to the penultimate depth it changes by "
        f"{tables.interval_text(change)}: {tables.sign_text(change, 'it rises', 'it falls')}. "
        "Claim 1 is decided by the first."
    ]
