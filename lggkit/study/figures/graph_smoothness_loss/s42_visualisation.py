"""Figures, tables and sentences of paper 2, section 4.2: embeddings in two dimensions through training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from lggkit.evaluation import class_elongation, silhouette
from lggkit.study.figures.parts import legend_below, looks, one_legend, panels, seed_lines
from lggkit.study.figures.said import HEIGHT, apart_text, seeds_text
from lggkit.study.figures.style import CLASS_COLORS, CLASS_MARKERS, WIDEST
from lggkit.study.judging.statistics import Interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

MEASURES = {
    "silhouette": "silhouette, Euclidean",
    "silhouette_cosine": "silhouette, cosine",
    "class_elongation": "elongation of a class",
    "initial_distance_correlation": "rank correlation with\ndistances before training",
}
COLUMNS = {
    "elongation": "class_elongation",
    "silhouette": "silhouette",
    "silhouette, cosine": "silhouette_cosine",
    "correlation with the start": "initial_distance_correlation",
    "10-NN error (%)": "error_10nn",
    "last training loss": "final_train_loss",
}
DRAWN = 500
"""Points of a film that are drawn."""


def film_figure(shown: Shown, titles: Mapping[str, str], seed: int = 0, points: int = DRAWN) -> Figure:
    """Figure 1 as small multiples: a row an arm, a column a moment; the axes of a row are the same.

    ``titles`` names the arms from top to bottom; the first ``points`` images of their films are drawn.
    """
    import matplotlib.pyplot as plt

    films = {arm: shown.arrays(arm, seed) for arm in titles}
    first = next(iter(films.values()))
    columns = len(first["epochs"])
    width = min(1.1 + 1.5 * columns, WIDEST)
    size = (width, 0.9 + (width - 1.1) / columns * len(films))
    options = {"sharex": "row", "sharey": "row", "squeeze": False}
    figure, axes = plt.subplots(len(films), columns, figsize=size, **options)
    for row, (arm, film) in zip(axes, films.items(), strict=True):
        for ax, frame in zip(row, film["embeddings"], strict=True):
            _scatter(ax, frame[:points].astype(float), film["labels"][:points])
        reach = 1.06 * np.quantile(np.abs(film["embeddings"].astype(float)), 0.998)
        row[0].set(xlim=(-reach, reach), ylim=(-reach, reach))
        row[0].set_ylabel(titles[arm].replace(", ", ",\n"), fontsize="small")
    for ax, epoch in zip(axes[0], first["epochs"], strict=True):
        ax.set_title("start" if not epoch else f"epoch {epoch}")
    _class_legend(figure, first["class_names"])
    return figure


def _scatter(ax: Axes, places: np.ndarray, labels: np.ndarray) -> None:
    """Places (n, 2), each in the colour and mark of its class."""
    for label in np.unique(labels):
        look = {"color": CLASS_COLORS[label], "marker": CLASS_MARKERS[label], "ls": ""}
        ax.plot(*places[labels == label].T, ms=3, mew=0, alpha=0.75, **look)
    ax.set(aspect="equal", box_aspect=1)
    ax.tick_params(labelsize="small", length=2)
    ax.locator_params(nbins=3)


def _class_legend(figure: Figure, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    pairs = zip(CLASS_COLORS[: len(names)], CLASS_MARKERS, strict=False)
    marks = [Line2D([], [], ls="", ms=7, color=c, marker=m, markeredgecolor="white") for c, m in pairs]
    legend_below(figure, marks, [str(name) for name in names])


def clustering_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """How clustered the classes are at every moment of the films: a panel a measure, a thin line a seed."""
    from matplotlib.ticker import LogFormatter

    figure, axes = panels(len(MEASURES), 2.8)
    look = looks(shown.experiment)
    for arm, title in titles.items():
        epochs = shown.arrays(arm)["epochs"]
        for ax, metric in zip(axes, MEASURES, strict=True):
            seed_lines(ax, epochs, shown.values(arm, f"{metric}_by_moment"), look[arm], title)
    for ax, label in zip(axes, MEASURES.values(), strict=True):
        ax.set(xlabel="epoch", title=label)
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[2].set_yscale("log")
    axes[2].yaxis.set_major_formatter(LogFormatter())
    axes[2].yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    one_legend(figure, axes[0])
    return figure


def ends(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """All measures after training, one row an arm."""
    return tables.arms_table(shown, titles, COLUMNS)


def rays() -> str:
    """What the measures say of three perfectly separate rays, for an example by hand."""
    steps = torch.linspace(0.2, 2, 50)[:, None]
    sides = torch.tensor([[-0.02], [0.02]]).repeat(25, 1)
    angles = torch.arange(3) * 2 * torch.pi / 3
    outwards = torch.stack([angles.cos(), angles.sin()], 1)
    across = torch.stack([-angles.sin(), angles.cos()], 1)
    points = (steps * outwards[:, None] + sides * across[:, None]).flatten(0, 1)
    classes = torch.arange(3).repeat_interleave(50)
    return "\n".join(
        (
            f"elongation of three rays: {class_elongation(points, classes):.0f} (a round cloud: 1)",
            f"silhouette by Euclidean distance: {silhouette(points, classes):.2f}",
            f"silhouette by the angle:          {silhouette(points, classes, metric='cosine'):.2f}",
        )
    )


def film_said(shown: Shown) -> list[str]:
    """How many images are followed, and how many of them are drawn."""
    points = shown.arrays("graph_smoothness")["embeddings"].shape[1]
    return [
        f"{points} training images are followed through every run, embedded with the statistics of their own "
        f"batch as in a training step. The first {min(DRAWN, points)} are drawn; the farthest few may lie "
        "outside the panels."
    ]


def clustering_said(shown: Shown) -> list[str]:
    """Which loss makes longer classes, and whether the two silhouettes favour the same loss."""
    elongation = shown.paired("cross_entropy", "graph_smoothness", "class_elongation")
    plain, cosine = (
        shown.paired("graph_smoothness", "cross_entropy", metric)
        for metric in ("silhouette", "silhouette_cosine")
    )
    longer = apart_text(elongation, "those of graph smoothness", ("longer", "rounder"), 2)
    return [
        f"By elongation cross-entropy's classes are {longer}. Graph smoothness has a silhouette "
        f"{apart_text(plain, '', HEIGHT, 2)} by Euclidean distance and {apart_text(cosine, '', HEIGHT, 2)} "
        f"by the angle. {_favours(plain, cosine)} {seeds_text(plain)}"
    ]


def _favours(plain: Interval, cosine: Interval) -> str:
    if not all(interval.above(0) or interval.below(0) for interval in (plain, cosine)):
        return "So which loss clusters better is open."
    if plain.mean * cosine.mean < 0:
        return "They favour different losses: which is better clustered depends on the distance."
    return "Both favour the same loss."


def circle_said(shown: Shown) -> list[str]:
    """What the circle costs in the loss, and how each network's end resembles its start."""
    gap = shown.paired("graph_smoothness_l2", "graph_smoothness", "final_train_loss")
    size = {"mean": "mean over pairs, without its factor", "sum": "sum over pairs"}
    loss = shown.arm("graph_smoothness")[0].settings["loss"]["reduction"]
    plain, normalised = (
        apart_text(shown.paired("graph_smoothness", other, "initial_distance_correlation"), "", HEIGHT, 2)
        for other in ("cross_entropy", "cross_entropy_batch_norm")
    )
    return [
        f"*The circle.* On it training ends at a loss ({size[loss]}) {apart_text(gap, '', HEIGHT, 2)} than "
        "with batch normalisation. Outputs of unit variance reach further apart than points of the unit "
        "circle, which lowers this loss for any arrangement.",
        "*The start.* The rank correlation with the distances before training is, with graph smoothness, "
        f"{plain} than with cross-entropy, and {normalised} where both are batch-normalised. "
        f"{seeds_text(gap)}",
    ]
