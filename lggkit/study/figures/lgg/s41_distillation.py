"""Figures of paper 1, section 4.1: gains seed by seed, agreement with the teacher, ablations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lggkit.networks import build
from lggkit.study.figures.lgg.s41_numbers import one_seed_gaps, printed_errors
from lggkit.study.figures.parts import Look, dots, looks, marked_interval, one_legend, panels, seed_lines
from lggkit.study.figures.style import GRAY, PAPER_COLOR
from lggkit.study.judging.statistics import paired_differences
from lggkit.study.judging.verdicts import by_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

LEAST = -12.0
"""Points of gain below which an ablation is off the scale of a figure."""

STUDENTS = {"baseline": "baseline", "rkd_d": "RKD-D", "gkd": "GKD"}
COMPARED = ("baseline", "rkd_d", "gkd", "gkd_inter", "rkd_a", "kd", "sp", "gkd_kd")
PANELS = {"consistency": "all test images", "consistency_on_teacher_errors": "the teacher's errors"}


def paired_figure(shown: Shown) -> Figure:
    """Test error of the students, a line a seed (left), and their gains over the baseline (right).

    The paper's gains, black diamonds, are computed from the errors that it prints.
    """
    figure, (left, right) = panels(2, 3.6, width_ratios=(3, 2))
    _students(left, shown, "test_error")
    left.set(ylabel="test error (%)", xlim=(-0.4, 2.4))
    printed, look = printed_errors(), looks(shown.experiment)
    for place, arm in enumerate(("rkd_d", "gkd")):
        gains = shown.values(arm, "gain")
        dots(right, place, gains, upright=True)
        marked_interval(right, place, gains, look[arm], upright=True)
        label = "printed in the paper" if place == 0 else None
        mark = {"color": PAPER_COLOR, "ms": 7, "label": label, "zorder": 4}
        right.plot(place + 0.15, printed["baseline"] - printed[arm], "D", **mark)
    right.axhline(0, color=GRAY, lw=0.8, ls=":")
    right.set_xticks(range(2), [STUDENTS["rkd_d"], STUDENTS["gkd"]])
    right.set(ylabel="gain over the baseline\nof the same seed (points)", xlim=(-0.5, 1.5))
    one_legend(figure, right)
    return figure


def _students(ax: Axes, shown: Shown, metric: str) -> None:
    """A metric of the students: a line for each seed that all of them have, means of all their seeds."""
    rows, look = [by_seed(shown.arm(arm), arm, metric) for arm in STUDENTS], looks(shown.experiment)
    for seed in set.intersection(*map(set, rows)):
        ax.plot([row[seed] for row in rows], color=GRAY, lw=0.8, alpha=0.8)
    for place, (arm, row) in enumerate(zip(STUDENTS, rows, strict=True)):
        marked_interval(ax, place, list(row.values()), look[arm], upright=True)
    ax.set_xticks(range(len(STUDENTS)), list(STUDENTS.values()))


def one_seed_figure(shown: Shown) -> Figure:
    """What one run of each method could have told: all gaps between single runs, and the printed one."""
    import matplotlib.pyplot as plt

    gaps, printed = np.sort(one_seed_gaps(shown)), printed_errors()
    figure, ax = plt.subplots(figsize=(6, 3.2))
    share = 100 * np.arange(1, len(gaps) + 1) / len(gaps)
    ax.step(gaps, share, where="post", color=looks(shown.experiment)["gkd"]["color"], lw=2)
    gap = printed["rkd_d"] - printed["gkd"]
    ax.axvline(gap, color=PAPER_COLOR, ls="--", lw=1.2, label="gap printed in the paper")
    ax.axvline(0, color=GRAY, lw=0.8, ls=":")
    ax.set(xlabel="error of one RKD-D run - error of one GKD run (points)", ylim=(0, 103))
    ax.set_ylabel("pairs of runs at or below (%)")
    ax.legend(loc="lower right")
    return figure


def agreement_figure(shown: Shown) -> Figure:
    """Percent of test images on which students decide like the teacher: all images, and its errors."""
    figure, axes = panels(2)
    for ax, (metric, title) in zip(axes, PANELS.items(), strict=True):
        _students(ax, shown, metric)
        ax.set(title=title, ylabel="same answer as the teacher (%)", xlim=(-0.4, 2.4))
    return figure


def variation_figure(shown: Shown) -> Figure:
    """Label variation at every depth of the teacher and its students, a thin line a seed."""
    import matplotlib.pyplot as plt

    settings = shown.arm("gkd")[0].settings
    depths = ("input", *build(settings["network"]).depths, "output")
    figure, ax = plt.subplots(figsize=(6.2, 3.4))
    look = looks(shown.experiment)
    for arm, name in {"teacher": "teacher", **STUDENTS}.items():
        seed_lines(ax, range(len(depths)), shown.values(arm, "sigma_all_depths"), look[arm], name)
    ax.set_xticks(range(len(depths)), depths, rotation=25, ha="right")
    ax.set(ylabel="normalised label variation σ", ylim=(0, None))
    ax.legend()
    return figure


def ablation_figure(shown: Shown, titles: Mapping[str, str], reference: str = "gkd") -> Figure:
    """Gains of every arm over the baseline of the same seed (left), and less those of the reference (right).

    Dots are seeds; on the right are those that an arm shares with the reference. ``titles`` names the arms
    from top to bottom; those without a run are left out. Means below `LEAST` points are written at the edge.
    """
    gains = {arm: by_seed(shown.arm(arm), arm, "gain") for arm in titles if shown.arm(arm)}
    usual, look = gains.get(reference, {}), looks(shown.experiment)
    figure, axes = panels(2, 0.9 + 0.3 * len(gains), sharey=True, width_ratios=(3, 2))
    for place, (arm, own) in enumerate(gains.items()):
        _row(axes[0], place, list(own.values()), look[arm])
        if arm != reference:
            _row(axes[1], place, paired_differences(own, usual), look[arm])
    for ax in axes:
        ax.axvline(0, color=GRAY, lw=0.8, ls=":", zorder=0)
    axes[0].set_yticks(range(len(gains)), [f"{titles[arm]} ({len(gains[arm])})" for arm in gains])
    axes[0].invert_yaxis()
    axes[0].set_xlabel("gain over the baseline\nof the same seed (points)")
    axes[1].set_xlabel(f"less {titles.get(reference, reference)}'s gain,\nsame seeds (points)")
    return figure


def _row(ax: Axes, place: float, values: Sequence[float], look: Look) -> None:
    """Values in a row, with their mean; a mean that is off the scale as a number at its edge."""
    if not values:
        return
    mean = float(np.mean(values))
    if mean < LEAST:
        edge = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": "small"}
        ax.text(0.01, place, f"◂ {mean:.0f}", color=look["color"], **edge)
        return
    dots(ax, place, values)
    marked_interval(ax, place, values, look)


def mimicry_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Distance to the teacher's graphs on test images against agreement with the teacher, a dot a run."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7.6, 3.8))
    look = looks(shown.experiment)
    for arm in (arm for arm in COMPARED if shown.arm(arm)):
        x, y = shown.values(arm, "graph_distance"), shown.values(arm, "consistency")
        ax.plot(x, y, ls="", ms=6, alpha=0.8, label=titles[arm], **look[arm])
    ax.set(xlim=(0, None), xlabel="distance to the teacher's graphs\n(mean over layers, sum of squares)")
    ax.set_ylabel("same answer as the teacher (%)")
    ax.locator_params(axis="x", nbins=4)
    figure.legend(loc="outside right upper", fontsize="small")
    return figure
