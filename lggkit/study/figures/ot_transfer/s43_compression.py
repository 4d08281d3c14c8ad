"""Figures, tables and sentences of paper 3, section 4.3: students under transport and its peers."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.experiments.recipes.compression import GRID, METHODS, TITLES
from lggkit.study.figures.parts import dots, looks, marked_interval, one_legend, panels
from lggkit.study.figures.said import apart_text, best_said, mean_text, seeds_text
from lggkit.study.judging.texts import interval_text
from lggkit.study.shown import tables, view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

PAIRS = {
    f"{data}-{pair}": f"{title}, {pair.upper().replace('_', ' to ')}"
    for data, title in {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}.items()
    for pair in ("l_m", "l_s", "w_m", "w_s")
}
"""Teacher and student, by what arms end in."""
SEARCHED = ("reduced", "short")
"""Lengths of searches; that of the first that has one is chosen by."""
OFF_SCALE = 12
"""Points below the best at which a search's figure ends."""
NOTHING = "No pair of teacher and student is measured yet."


def _arm(method: str, pair: str) -> str:
    data, _, places = pair.partition("-")
    return f"none-{data}-{places[-1]}" if method == "none" else f"{method}-{pair}"


def _methods(shown: Shown, pair: str) -> list[str]:
    """Those that have a run on a pair."""
    return [method for method in METHODS if shown.arm(_arm(method, pair))]


def _pairs(shown: Shown) -> list[str]:
    """The pairs on which transport and no teacher have a run."""
    return [pair for pair in PAIRS if {"none", "omega_p"} <= set(_methods(shown, pair))]


def accuracy_figure(shown: Shown) -> Figure:
    """The students' accuracy under every method, a panel a pair: a dot a seed, the mean with its interval."""
    pairs, look = _pairs(shown), looks(shown.experiment)
    figure, axes = panels(max(len(pairs), 1), 3.0, sharey=True)
    for ax, pair in zip(axes, pairs, strict=False):
        for method in _methods(shown, pair):
            place, values = METHODS.index(method), shown.values(_arm(method, pair), "accuracy")
            marked_interval(ax, place, values, look[_look(method)])
            dots(ax, place, values)
        ax.set(title=PAIRS[pair], xlabel="test accuracy (%)")
        ax.set_yticks(range(len(METHODS)), [TITLES[method] for method in METHODS])
    axes[0].set_ylim(len(METHODS) - 0.5, -0.5)
    return figure


def _look(method: str) -> str:
    """The arm whose colour and mark a method has everywhere."""
    return _arm(method, "cifar10-l_m")


def nearness_figure(shown: Shown) -> Figure:
    """What the plan to the teacher's neurons costs against the student's accuracy, a mark a run."""
    pairs, look = _pairs(shown), looks(shown.experiment)
    figure, axes = panels(max(len(pairs), 1), 3.4)
    for ax, pair in zip(axes, pairs, strict=False):
        for method in _methods(shown, pair):
            x, y = (shown.values(_arm(method, pair), name) for name in ("relative_cost", "accuracy"))
            ax.plot(x, y, ls="", ms=6, alpha=0.85, label=TITLES[method], **look[_look(method)])
        ax.set(title=PAIRS[pair], xlabel="cost of the plan to the teacher\n(share of the mean distance)")
        ax.set_ylabel("test accuracy (%)")
    one_legend(figure, max(axes, key=lambda ax: len(ax.lines)))
    return figure


def _searched(shown: Shown, method: str) -> dict[float, float]:
    """The validation accuracy by weight, of the longest trainings that are recorded for the whole grid."""
    for scale in SEARCHED:
        at = view.at(shown.experiment, scale)
        rows = {alpha: at.values(f"search-{method}-{alpha:g}", "validation_accuracy") for alpha in GRID}
        if all(rows.values()):
            return {alpha: values[0] for alpha, values in rows.items()}
    return {}


def search_figure(shown: Shown) -> Figure:
    """Accuracy on the images held out by the weight of each method, one seed; the best is ringed."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 3.6))
    look = looks(shown.experiment)
    for method in METHODS[1:]:
        accuracies, style = _searched(shown, method), look[_look(method)]
        if accuracies:
            best = max(accuracies, key=accuracies.__getitem__)
            ax.plot([*accuracies], [*accuracies.values()], label=TITLES[method], lw=1.6, ms=5, **style)
            ax.plot(best, accuracies[best], "o", ms=11, mfc="none", color=style["color"])
    ax.set(xscale="log", xlabel="weight α", ylabel="validation accuracy (%)")
    if ax.lines:
        low, high = ax.get_ylim()
        ax.set_ylim(max(low, high - OFF_SCALE))
        ax.legend()
    return figure


def search_said(shown: Shown) -> list[str]:
    """The weight that each method was best with, and which of them lie at an end of the grid."""
    found = {method: _searched(shown, method) for method in METHODS[1:]}
    best = {TITLES[m]: max(one, key=one.__getitem__) for m, one in found.items() if one}
    if not best:
        return []
    ends = [name for name, weight in best.items() if weight in (GRID[0], GRID[-1])]
    edge = (
        f" For {', '.join(ends)} that is at the end of the grid: a weight beyond may be better."
        if ends
        else ""
    )
    return [f"Best are {', '.join(f'{name} at α = {weight:g}' for name, weight in best.items())}.{edge}"]


def students(shown: Shown) -> pd.DataFrame:
    """Accuracy, gain over no teacher, equal answers and cost of the plan, by pair and method."""
    rows = []
    for pair in _pairs(shown):
        for method in _methods(shown, pair):
            arm = _arm(method, pair)
            gain = shown.paired(arm, _arm("none", pair), "accuracy")
            row = {"pair": PAIRS[pair], "method": TITLES[method]}
            row["accuracy"] = tables.metric_text(shown, arm, "accuracy")
            row["gain over none"] = "" if method == "none" else interval_text(gain)
            row["teacher's answer (%)"] = mean_text(shown.interval(arm, "agreement"))
            row["cost of the plan"] = mean_text(shown.interval(arm, "relative_cost"), 3)
            rows.append(row)
    return pd.DataFrame(rows or [{"pair": NOTHING}])


def sizes(shown: Shown) -> pd.DataFrame:
    """The networks of the scale that is shown: their parameters, and the accuracy that they reach alone."""
    arms = {"L, teacher": "teacher-cifar10-l", "W, teacher": "teacher-cifar10-w"}
    arms |= {"M, student": "none-cifar10-m", "S, student": "none-cifar10-s"}
    rows = []
    for title, arm in arms.items():
        if shown.arm(arm):
            count = shown.arm(arm)[0].metrics["parameters"]
            accuracy = tables.metric_text(shown, arm, "accuracy")
            rows.append({"network": title, "parameters": f"{count:,}", "accuracy alone (%)": accuracy})
    return pd.DataFrame(rows or [{"network": NOTHING}])


def teachers_said(shown: Shown) -> list[str]:
    """How much better the teacher is than its students alone."""
    if not shown.arm("teacher-cifar10-l"):
        return ["The teacher itself is not recorded yet."]
    best = shown.interval("teacher-cifar10-l", "accuracy").mean
    alone = [
        f"{letter.upper()} {mean_text(shown.interval(f'none-cifar10-{letter}', 'accuracy'))} %"
        for letter in "ms"
        if shown.arm(f"none-cifar10-{letter}")
    ]
    without = f" Alone, students reach: {', '.join(alone)}." if alone else ""
    return [f"Teacher L is right on {best:.1f} % of the test images.{without}"]


def order_said(shown: Shown) -> list[str]:
    """Which method is best for each pair, and how far transport lies from distillation."""
    said = []
    for pair in _pairs(shown):
        means = {m: fmean(shown.values(_arm(m, pair), "accuracy")) for m in _methods(shown, pair)}
        ranked = sorted(means, key=means.__getitem__, reverse=True)
        arms = {_arm(m, pair): TITLES[m] for m in ranked}
        text = f"{PAIRS[pair]}: {best_said(shown, arms, 'accuracy', '%')}"
        if ranked[0] == "none":
            text += " No method beats the student alone."
        if "kd" in means and ranked[:2] != ["omega_p", "kd"]:
            gap = shown.paired(_arm("omega_p", pair), _arm("kd", pair), "accuracy")
            text += f" Ω_P has {apart_text(gap, 'KD')}."
        said.append(f"{text} {seeds_text(shown.interval(_arm('omega_p', pair), 'accuracy'))}")
    return said or [NOTHING]


def nearness_said(shown: Shown) -> list[str]:
    """Whether the penalty does what it is for: bring the student's neurons near the teacher's."""
    said = []
    for pair in _pairs(shown):
        ours, none = (100 * shown.interval(_arm(m, pair), "relative_cost").mean for m in ("omega_p", "none"))
        said.append(
            f"{PAIRS[pair]}: the exact plan to the teacher's neurons costs {ours:.0f} % of the mean distance "
            f"under Ω_P and {none:.0f} % without a teacher."
        )
    return said or [NOTHING]
