"""Figures of paper 1, section 4.1: gains seed by seed, agreement with the teacher, ablations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.parts import GRAY, MARKS, marked_interval
from lggkit.study.figures.style import PAPER_COLOR, arm_color
from lggkit.study.statistics import paired_differences, t_interval
from lggkit.study.verdicts import by_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.view import Shown

LEAST = -12.0
"""Points of gain below which an ablation is off the scale of a figure."""

STUDENTS = {"baseline": "baseline", "rkd_d": "RKD-D", "gkd": "GKD"}


def paired_figure(shown: Shown, printed: Mapping[str, float]) -> Figure:
    """Test error of the students, a line a seed (left), and their gains over the baseline (right).

    ``printed`` holds the paper's test errors by arm, in percent; its gains are computed from them.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.6), width_ratios=(3, 2))
    _students(left, shown, "test_error")
    left.set_xticks(range(len(STUDENTS)), list(STUDENTS.values()))
    left.set(ylabel="test error (%)", xlim=(-0.4, 2.4))
    for place, arm in enumerate(("rkd_d", "gkd")):
        gains = shown.values(arm, "gain")
        right.plot(np.full(len(gains), place) - 0.12, gains, "o", ms=4, color=GRAY, alpha=0.8)
        _interval(right, place, gains, arm_color(place + 1))
        label = "printed in the paper" if place == 0 else None
        mark = {"color": PAPER_COLOR, "ms": 7, "label": label, "zorder": 4}
        right.plot(place + 0.15, printed["baseline"] - printed[arm], "D", **mark)
    right.axhline(0, color="#555555", lw=0.8, ls=":")
    right.set_xticks(range(2), [STUDENTS["rkd_d"], STUDENTS["gkd"]])
    right.set(ylabel="gain over the baseline\nof the same seed (points)", xlim=(-0.5, 1.5))
    figure.legend(loc="outside lower right")
    return figure


def _students(ax: Axes, shown: Shown, metric: str) -> None:
    """A metric of the students: a line for each seed that all of them have, means of all their seeds."""
    rows = [by_seed(shown.arm(arm), arm, metric) for arm in STUDENTS]
    for seed in set.intersection(*map(set, rows)):
        ax.plot([row[seed] for row in rows], color=GRAY, lw=0.8, alpha=0.8)
    for place, row in enumerate(rows):
        if row:
            _interval(ax, place, list(row.values()), arm_color(place))


def _interval(ax: Axes, place: float, values: Sequence[float], color: str) -> None:
    """Mean of values at a place, with its 95 % interval where there are at least three."""
    found = t_interval(values)
    half = found.half_width if found.n > 2 else 0.0
    ax.errorbar(place, found.mean, yerr=half, fmt="o", color=color, ms=6, capsize=3, lw=2, zorder=3)


def one_seed_gaps(shown: Shown) -> np.ndarray:
    """Error of RKD-D minus error of GKD for every choice of one run of each, (n²,), in points."""
    rkd, gkd = (np.array(shown.values(arm, "test_error")) for arm in ("rkd_d", "gkd"))
    return (rkd[:, None] - gkd).ravel()


def one_seed_figure(shown: Shown, printed_gap: float) -> Figure:
    """What one run of each method could have told: all gaps between single runs, and the printed one."""
    import matplotlib.pyplot as plt

    gaps = np.sort(one_seed_gaps(shown))
    figure, ax = plt.subplots(figsize=(6, 3.2))
    ax.step(gaps, 100 * np.arange(1, len(gaps) + 1) / len(gaps), where="post", color=arm_color(0), lw=2)
    ax.axvline(printed_gap, color=PAPER_COLOR, ls="--", lw=1.2, label="gap printed in the paper")
    ax.axvline(0, color="#555555", lw=0.8, ls=":")
    ax.set(xlabel="error of one RKD-D run - error of one GKD run (points)", ylim=(0, 103))
    ax.set_ylabel("pairs of runs at or below (%)")
    ax.legend(loc="lower right")
    return figure


def agreement_figure(shown: Shown) -> Figure:
    """Percent of test images on which students decide like the teacher: all images, and its errors."""
    import matplotlib.pyplot as plt

    panels = {"consistency": "all test images", "consistency_on_teacher_errors": "the teacher's errors"}
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.2))
    for ax, (metric, title) in zip(axes, panels.items(), strict=True):
        _students(ax, shown, metric)
        ax.set_xticks(range(len(STUDENTS)), list(STUDENTS.values()))
        ax.set(title=title, ylabel="same answer as the teacher (%)", xlim=(-0.4, 2.4))
    return figure


def variation_figure(shown: Shown, depths: Sequence[str]) -> Figure:
    """Label variation at every depth of the teacher and its students, means over seeds."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.2, 3.4))
    rows = {"teacher": ("teacher", "#000000"), **{a: (n, None) for a, n in STUDENTS.items()}}
    for index, (arm, (name, color)) in enumerate(rows.items()):
        values = np.array(shown.values(arm, "sigma_all_depths"))
        chosen = color or arm_color(index - 1)
        ax.plot(values.T, color=chosen, lw=0.6, alpha=0.5)
        style = {"lw": 2, "marker": "so^D"[index], "ms": 5, "ls": "--" if color else "-"}
        ax.plot(values.mean(0), color=chosen, label=name, **style)
    ax.set_xticks(range(len(depths)), list(depths), rotation=25, ha="right")
    ax.set(ylabel="normalised label variation σ", ylim=(0, None))
    ax.legend()
    return figure


def ablation_figure(shown: Shown, titles: Mapping[str, str], reference: str = "gkd") -> Figure:
    """Gains of every arm over the baseline of the same seed (left), and less those of the reference (right).

    Dots are seeds, marks means, bars 95 % where n > 2; on the right are the seeds that an arm shares with the
    reference. ``titles`` names the arms from top to bottom; those without a run are left out. Means below
    `LEAST` points are written at the edge.
    """
    import matplotlib.pyplot as plt

    held = {arm: by_seed(shown.arm(arm), arm, "gain") for arm in titles if shown.arm(arm)}
    usual = held.get(reference, {})
    size = (8.6, 0.9 + 0.3 * len(held))
    figure, axes = plt.subplots(1, 2, figsize=size, sharey=True, width_ratios=(3, 2))
    for place, (arm, gains) in enumerate(held.items()):
        _dots(axes[0], place, list(gains.values()))
        if arm != reference:
            _dots(axes[1], place, paired_differences(gains, usual))
    for ax in axes:
        ax.axvline(0, color="#555555", lw=0.8, ls=":", zorder=0)
    axes[0].set_yticks(range(len(held)), [f"{titles[arm]} ({len(held[arm])})" for arm in held])
    axes[0].invert_yaxis()
    axes[0].set_xlabel("gain over the baseline\nof the same seed (points)")
    axes[1].set_xlabel(f"less {titles.get(reference, reference)}'s gain,\nsame seeds (points)")
    return figure


def _dots(ax: Axes, place: float, values: Sequence[float]) -> None:
    """Values in a row, with their mean; a mean that is off the scale as a number at its edge."""
    if not values:
        return
    mean = float(np.mean(values))
    if mean < LEAST:
        edge = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": "small"}
        ax.text(0.01, place, f"◂ {mean:.0f}", color=arm_color(0), **edge)
        return
    ax.plot(values, np.full(len(values), place) + 0.2, "o", ms=3.5, color=GRAY)
    marked_interval(ax, place, values, 0)


def mimicry_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Distance to the teacher's graphs on test images against agreement with the teacher, a dot a run."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.6, 3.8))
    for index, (arm, title) in enumerate(t for t in titles.items() if shown.arm(t[0])):
        x, y = shown.values(arm, "graph_distance"), shown.values(arm, "consistency")
        ax.plot(x, y, MARKS[(index + index // 8) % 8], color=arm_color(index), ms=5, alpha=0.8, label=title)
    ax.set(xlim=(0, None), xlabel="distance to the teacher's graphs (mean over layers, sum of squares)")
    ax.set_ylabel("same answer as the teacher (%)")
    figure.legend(loc="outside right upper", fontsize="small")
    return figure
