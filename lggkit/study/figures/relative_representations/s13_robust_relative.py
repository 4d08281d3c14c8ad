"""Figures, tables and sentences of paper 4, sections 1 to 3: stitching by relative maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit.study.figures.parts import arm_rows, half_width, looks, marked_interval, one_legend, panels
from lggkit.study.figures.stitching import languages_table, stitching_figure
from lggkit.study.judging.statistics import t_interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

MAPS = {
    "absolute": "absolute",
    "relative_vanilla": "relative, as released (÷ √k)",
    "relative_unscaled": "relative, as on the poster",
    "relative_robust": "robust",
}
TOKENS = {f"{arm}-tokens": title for arm, title in MAPS.items()}
STEPS = {"relative_centred": "centred only", "relative_robust_scaled": "robust, ÷ √k"}
RELATIONS = {
    "own": "nothing (own)",
    "seed": "seed",
    "language": "language",
    "kind": "kind",
    "both": "both",
}
CURVES = {
    "robust": ("relative_robust", "robust"),
    "plain": ("relative_unscaled", "relative, unscaled"),
    "plain_scaled": ("relative_vanilla", "relative, ÷ √k"),
}


def maps_figure(shown: Shown) -> Figure:
    """Heat maps of the four maps of the poster's table."""
    return stitching_figure(shown, MAPS)


def poster_table(shown: Shown) -> pd.DataFrame:
    """Ours as the poster's first table lies: encoders of one kind, languages in rows, maps in columns."""
    return languages_table(shown, MAPS)


def tokens_figure(shown: Shown) -> Figure:
    """The same maps on encoders that are trained from the words on."""
    return stitching_figure(shown, TOKENS)


def tokens_table(shown: Shown) -> pd.DataFrame:
    """Accuracy and F1 on these encoders, as the poster's first table lies."""
    return languages_table(shown, TOKENS, {"accuracy": "accuracy", "f1": "F1"})


def relations_figure(shown: Shown) -> Figure:
    """Accuracy of each map by what decoder and encoder differ in."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.2, 3.6))
    look, arms = looks(shown.experiment), {**MAPS, "relative_centred": "centred only"}
    for place, (arm, title) in enumerate(arms.items()):
        for x, name in enumerate(RELATIONS):
            at = x + 0.13 * (place - 2)
            values = shown.values(arm, f"accuracy_{name}")
            marked_interval(ax, at, values, look[arm], None if x else title, upright=True)
    ax.axhline(shown.interval("absolute", "chance_accuracy").mean, color="#888888", lw=1, ls=":")
    ax.set_xticks(range(len(RELATIONS)), RELATIONS.values())
    ax.set(xlabel="encoder and decoder differ in", ylabel="accuracy (%)")
    one_legend(figure, ax)
    return figure


def factors_figure(shown: Shown) -> Figure:
    """The two factors apart: what is normalised, and whether √k divides, own and stitched."""
    figure, axes = panels(2, 3.4, sharey=True)
    headings = {"accuracy_own": "own decoder", "accuracy_stitched": "foreign decoders"}
    for ax, (metric, label) in zip(axes, headings.items(), strict=True):
        arm_rows(ax, shown, {**MAPS, **STEPS}, metric, f"accuracy, {label} (%)")
    return figure


def sweeps_figure(shown: Shown) -> Figure:
    """Stitched accuracy against anchors, width and learning rate."""
    figure, axes = panels(3, 3.4, sharey=True)
    settings = shown.arm("rates")[0].settings
    rates = [factor * settings["learning_rate"] for factor in settings["factors"]]
    for ax, arm, x, label in (
        (axes[0], "anchors-random", shown.arm("anchors-random")[0].settings["counts"], "anchors"),
        (axes[1], "widths", shown.arm("widths")[0].settings["widths"], "width of the latents"),
        (axes[2], "rates", rates, "learning rate of the heads"),
    ):
        _curves(ax, shown, arm, x)
        ax.set(xscale="log", xlabel=label)
    axes[0].set(ylabel="accuracy, foreign decoders (%)")
    one_legend(figure, axes[2])
    return figure


def _curves(ax: Axes, shown: Shown, arm: str, x: Sequence[float]) -> None:
    look = looks(shown.experiment)
    for name, (like, title) in CURVES.items():
        rows = np.array(
            [r.metrics[f"stitched_{name}"] for r in shown.arm(arm) if f"stitched_{name}" in r.metrics]
        )
        if len(rows):
            halves = [half_width(column) for column in rows.T]
            ax.errorbar(x, rows.mean(0), yerr=halves, label=title, capsize=2, ms=5, lw=1.4, **look[like])


def choices(shown: Shown) -> pd.DataFrame:
    """Stitched accuracy of the robust map by how anchors are chosen, and how many."""
    counts = shown.arm("anchors-random")[0].settings["counts"]
    rows = []
    for how in ("random", "far", "kmeans"):
        accuracies = np.array([r.metrics["stitched_robust"] for r in shown.arm(f"anchors-{how}")])
        cells = {
            str(n): tables.interval_text(t_interval(c), 1) for n, c in zip(counts, accuracies.T, strict=True)
        }
        rows.append({"anchors": "k-means" if how == "kmeans" else how} | cells)
    return pd.DataFrame(rows)


def retrieval(shown: Shown) -> pd.DataFrame:
    """Do verses find their translation, and themselves in another kind of encoder?"""
    headings = {
        "rank, language": "mrr_language",
        "cosine, language": "cosine_language",
        "neighbours, language": "jaccard_language",
        "rank, kind": "mrr_kind",
        "cosine, kind": "cosine_kind",
        "neighbours, kind": "jaccard_kind",
    }
    arms = {arm: MAPS[arm] for arm in ("absolute", "relative_unscaled", "relative_robust")}
    arms |= {"relative_centred": "centred only"}
    rows = {h: {title: (arm, metric) for arm, title in arms.items()} for h, metric in headings.items()}
    return tables.metrics_table(shown, rows, 2)
