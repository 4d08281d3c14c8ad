"""Figures, tables and sentences of paper 3, section 4.2: six penalties on fine-tuning with few labels."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.experiments.ot_transfer.s42_transfer import GRID, METHODS, TARGETS, TITLES
from lggkit.study.figures.parts import dots, looks, marked_interval, panels
from lggkit.study.figures.said import best_said, mean_text, seeds_text
from lggkit.study.judging.texts import interval_text
from lggkit.study.shown import tables, view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown


def _recorded(shown: Shown) -> list[str]:
    """The targets that every method has a run on."""
    return [t for t in TARGETS if all(shown.arm(f"{method}-{t}") for method in METHODS)]


def accuracy_figure(shown: Shown) -> Figure:
    """The accuracy of every method on each target, a dot a seed, the mean with its interval."""
    targets, look = _recorded(shown), looks(shown.experiment)
    figure, axes = panels(len(targets), 3.0, sharey=True)
    for ax, target in zip(axes, targets, strict=True):
        for place, method in enumerate(METHODS):
            values = shown.values(f"{method}-{target}", "accuracy")
            marked_interval(ax, place, values, look[f"{method}-{target}"])
            dots(ax, place, values)
        ax.set(title=TARGETS[target][0], xlabel="test accuracy (%)")
    axes[0].set_yticks(range(len(METHODS)), [TITLES[method] for method in METHODS])
    axes[0].invert_yaxis()
    return figure


def search_figure(shown: Shown) -> Figure:
    """Accuracy on the images held out by the weight α of each penalty, one seed; the best is ringed."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 3.6))
    look = looks(shown.experiment)
    for method in METHODS[1:]:
        accuracies = _searched(shown, method)
        best = max(accuracies, key=accuracies.__getitem__)
        ax.plot(
            [*accuracies],
            [*accuracies.values()],
            label=TITLES[method],
            lw=1.6,
            ms=5,
            **look[f"{method}-cifar10"],
        )
        ax.plot(best, accuracies[best], "o", ms=11, mfc="none", color=look[f"{method}-cifar10"]["color"])
    top = max(max(_searched(shown, method).values()) for method in METHODS[1:])
    ax.set(xscale="log", xlabel="weight α", ylabel="validation accuracy (%)", ylim=(top - 5, top + 0.5))
    ax.legend()
    return figure


def _searched(shown: Shown, method: str) -> dict[float, float]:
    """The validation accuracy by weight; the search is made at reduced length, for every length."""
    shown = view.at(shown.experiment, "reduced")
    arms = {alpha: f"search-{method}-{alpha:g}" for alpha in GRID}
    return {
        alpha: shown.values(arm, "validation_accuracy")[0] for alpha, arm in arms.items() if shown.arm(arm)
    }


def chosen(shown: Shown) -> pd.DataFrame:
    """The weight that the search chose for each penalty, and the accuracies there and next to it."""
    rows = []
    for method in METHODS[1:]:
        accuracies = _searched(shown, method)
        if accuracies:
            best = max(accuracies, key=accuracies.__getitem__)
            spread = f"{min(accuracies.values()):.1f} to {max(accuracies.values()):.1f}"
            rows.append(
                {"penalty": TITLES[method], "α": f"{best:g}", "validation accuracy over the grid": spread}
            )
    return pd.DataFrame(rows)


def arms(shown: Shown) -> pd.DataFrame:
    """The accuracy of every method by target, with what is gained over no penalty at the same seed."""
    rows = []
    for method in METHODS:
        row = {"penalty": TITLES[method]}
        for target in _recorded(shown):
            row[TARGETS[target][0]] = tables.metric_text(shown, f"{method}-{target}", "accuracy")
            gain = shown.paired(f"{method}-{target}", f"none-{target}", "accuracy")
            row[f"gain, {TARGETS[target][0]}"] = "" if method == "none" else interval_text(gain)
        rows.append(row)
    return pd.DataFrame(rows)


def start_said(shown: Shown) -> list[str]:
    """How good the start is, and what it is worth on the target."""
    sentences = []
    if shown.arm("source"):
        own = shown.interval("source", "accuracy").mean
        sentences.append(f"The start is right on {own:.1f} % of the test images of its own classes.")
    if shown.arm("scratch-cifar10"):
        fresh, none = (shown.interval(f"{m}-cifar10", "accuracy") for m in ("scratch", "none"))
        sentences.append(
            f"With the same labels and no start the network reaches {mean_text(fresh)} %, fine-tuned "
            f"without a penalty {mean_text(none)} %."
        )
    return [" ".join(sentences)] if sentences else ["The start itself is not measured yet."]


def order_said(shown: Shown) -> list[str]:
    """Which penalty is best on each target, and by how much over none and over the transport penalty."""
    said = []
    for target in _recorded(shown):
        means = {m: fmean(shown.values(f"{m}-{target}", "accuracy")) for m in METHODS}
        best = max(means, key=means.__getitem__)
        arms = {f"{m}-{target}": TITLES[m] for m in METHODS}
        text = f"{TARGETS[target][0].capitalize()}: {best_said(shown, arms, 'accuracy', '%')}"
        if best != "none":
            gain = shown.paired(f"{best}-{target}", f"none-{target}", "accuracy")
            text += f" {TITLES[best]} gains {mean_text(gain)} points over no penalty."
        if best != "omega_p":
            behind = shown.paired(f"omega_p-{target}", f"{best}-{target}", "accuracy")
            text += f" Ω_P lies {mean_text(behind).lstrip('−')} points below {TITLES[best]}."
        said.append(f"{text} {seeds_text(shown.interval(f'none-{target}', 'accuracy'))}")
    return said
