"""Figures, tables and sentences of paper 4, sections 4 and 5: topological densification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.figures.parts import arm_rows, looks, panels
from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.figures.stitching import languages_table, stitching_figure
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

ARMS = {
    "robust": "robust",
    "robust_topology_before": "densified before",
    "robust_topology_after": "densified after",
    "robust_topology": "densified before and after",
}


def deaths_figure(shown: Shown) -> Figure:
    """Death times of tested sub-batches, languages in columns, before and after the map in rows."""
    figure, axes = panels(4, 2.8)
    look, beta = looks(shown.experiment), shown.arm("robust")[0].settings["beta"]
    for arm in ("robust", "robust_topology"):
        arrays = shown.arrays(arm)
        for row, part in enumerate(("before", "after")):
            for column, language in enumerate(("left", "right")):
                # Encoders lie language by language, each in words first.
                deaths = arrays[f"deaths_{part}"][column::2].astype(float).ravel()
                ax = axes[2 * row + column]
                options = {"color": look[arm]["color"], "histtype": "step", "lw": 1.8, "density": True}
                ax.hist(deaths, bins=50, label=ARMS[arm], **options)
                ax.set_title(f"{_language(arrays, column, language)}, {part} the map")
    for ax in axes:
        ax.axvline(beta, color="#888888", ls=":", lw=1.5, label="β")
        ax.set(xlabel="death time", ylabel="density")
    axes[0].legend(fontsize=9.8)
    return figure


def _language(arrays, column: int, otherwise: str) -> str:
    return {"en": "English", "fr": "French"}.get(str(arrays["names"][column]).split()[0], otherwise)


def accuracy_figure(shown: Shown) -> Figure:
    """Own and stitched accuracy of each arm, and their spread over pairs."""
    figure, axes = panels(3, 3.0, sharey=True)
    headings = {
        "accuracy_own": "own decoder (%)",
        "accuracy_stitched": "foreign decoders (%)",
        "accuracy_pair_sd": "sd over pairs (points)",
    }
    for ax, (metric, label) in zip(axes, headings.items(), strict=True):
        arm_rows(ax, shown, ARMS, metric, label)
    return figure


def maps_figure(shown: Shown) -> Figure:
    """Heat maps without densification and with it."""
    return stitching_figure(shown, {arm: ARMS[arm] for arm in ("robust", "robust_topology")})


def poster_table(shown: Shown) -> pd.DataFrame:
    """Ours as the poster's second table lies: encoders of one kind, languages in rows, arms in columns."""
    return languages_table(shown, ARMS)


def deaths_table(shown: Shown) -> pd.DataFrame:
    """Mean death times and their share of the spread of the whole space, before and after the map."""
    headings = {
        "death before": "death_before",
        "relative to the space": "relative_death_before",
        "death after": "death_after",
        "relative to its space": "relative_death_after",
        "distance to β": "death_distance_to_beta",
    }
    return tables.arms_table(shown, ARMS, headings, 2)


def few_table(shown: Shown) -> pd.DataFrame:
    """With few labels and no map: errors, and how wide classes are."""
    headings = {
        "test error (%)": "test_error",
        "training error (%)": "train_error",
        "spread to margin": "spread_to_margin_ratio",
        "death": "death_before",
    }
    return tables.arms_table(shown, {"plain": "plain", "densified": "densified"}, headings, 2)


def topology_said(shown: Shown) -> list[str]:
    """What densification does to both accuracies, and where it is applied."""
    own, foreign = (shown.paired("robust_topology", "robust", f"accuracy_{p}") for p in ("own", "stitched"))
    single = {arm: shown.paired(arm, "robust", "accuracy_stitched") for arm in list(ARMS)[1:3]}
    before, after = single.values()
    return [
        f"Densified before and after the map, encoders are right in {apart_text(own)} with the own decoder "
        f"and in {apart_text(foreign)} with foreign ones. Densified before it alone they are right in "
        f"{apart_text(before)} with foreign decoders, after it alone in {apart_text(after)}. "
        f"{seeds_text(own)}"
    ]


def deaths_said(shown: Shown) -> list[str]:
    """That deaths move to β, and that the robust map forgets the scale on which they did before it."""
    distance = [
        mean_text(shown.interval(arm, "death_distance_to_beta"), 2) for arm in ("robust", "robust_topology")
    ]
    change = shown.paired("robust_topology_before", "robust", "relative_death_after")
    moved = "it shrinks" if change.below(0) else "it grows" if change.above(0) else "it stays as it is"
    return [
        f"Deaths of tested sub-batches are {distance[0]} away from β without the penalty and "
        f"{distance[1]} with "
        "it.",
        "The robust map forgets the scale of the latents, and a penalty before the map can be met "
        "by a change of "
        "scale alone. What it does to the coordinates after the map is measured relative to their "
        "own spread: "
        f"{moved}, by {mean_text(change, 2)}.",
    ]


def few_said(shown: Shown) -> list[str]:
    """Test errors with few labels."""
    error = shown.paired("densified", "plain", "test_error")
    ratio = shown.paired("densified", "plain", "spread_to_margin_ratio")
    return [
        f"Densified networks err {apart_text(error)} than plain ones, and their classes' spread "
        "over the margin "
        f"changes by {mean_text(ratio, 2)}."
    ]
