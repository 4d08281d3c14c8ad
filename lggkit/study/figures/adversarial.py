"""Figures of paper 1, section 4.3: networks under attack and noise, and what regularisers do to them.

Every function takes the records of the section and ``titles``, the arms to draw by name. Bands and bars are
95 % intervals and are drawn from three seeds on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from lggkit.evaluation.robustness import SNR
from lggkit.study.figures.parts import GRAY, MARKS, marked_interval, one_legend
from lggkit.study.figures.style import PAPER_COLOR, arm_color
from lggkit.study.statistics import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.paper import Cell
    from lggkit.study.view import Shown

DASHES = ("-", (0, (4, 1.5)))
ATTACKS = {"accuracy_fgsm_by_snr": "fast gradient sign", "accuracy_noise_by_snr": "Gaussian noise"}
NORMS = {"spectral_norm_largest": "largest", "spectral_norm_mean": "mean"}
MARGINS = {"logit_margin": "margin of the logits", "input_margin": "distance to the boundary"}
CLEAN = "clean images"


def snr_figure(shown: Shown, titles: Mapping[str, str], marked: float = SNR) -> Figure:
    """Accuracy against the signal-to-noise ratio, under FGSM (left) and Gaussian noise (right).

    Disturbances grow to the right. Means on clean images are at the left, a dotted line is at ``marked`` dB.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.7), sharey=True)
    levels = _levels(shown, titles)
    for ax, (metric, title) in zip(axes, ATTACKS.items(), strict=True):
        for index, (arm, name) in enumerate(titles.items()):
            _curve(ax, levels, shown.values(arm, metric), index, name)
            place = levels.max() + (0.09 + 0.03 * (len(titles) - index)) * np.ptp(levels)
            if values := shown.values(arm, "accuracy_clean"):
                ax.plot(place, np.mean(values), MARKS[index], color=arm_color(index), ms=5)
        ax.axvline(marked, color=GRAY, lw=0.8, ls=":", zorder=0)
        ax.set(xlabel="signal-to-noise ratio (dB)", title=title, ylim=(0, 103))
        ticks = [tick for tick in ax.get_xticks() if levels.min() <= tick <= levels.max()]
        middle = levels.max() + (0.105 + 0.015 * len(titles)) * np.ptp(levels)
        ax.set_xticks([*ticks, middle], [*(f"{tick:g}" for tick in ticks), "clean"])
        ax.invert_xaxis()
    axes[0].set_ylabel("accuracy (%)")
    one_legend(figure, axes[0])
    return figure


def _levels(shown: Shown, titles: Mapping[str, str]) -> np.ndarray:
    return np.array(next(levels for arm in titles for levels in shown.values(arm, "snr_levels")), float)


def _curve(ax: Axes, x: Sequence[float], rows: Sequence[Sequence[float]], index: int, title: str) -> None:
    """The mean of an arm's curves, one a seed, with its band; lines below stay visible through the dashes."""
    if not rows:
        return
    points = [t_interval(values) for values in zip(*rows, strict=True)]
    look = {"color": arm_color(index), "marker": MARKS[index], "ls": DASHES[index % 2], "ms": 5, "lw": 1.8}
    every = (index % 3, 3) if len(x) > 12 else None
    ax.plot(x, [p.mean for p in points], markevery=every, label=title, **look)
    if len(rows) > 2:
        low, high = [p.low for p in points], [p.high for p in points]
        ax.fill_between(x, low, high, color=arm_color(index), alpha=0.2, lw=0)


def variation_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Label variation of every map before training (left), after it (middle), and its steps there (right).

    A step is the absolute difference of neighbouring maps, which is what eq. 8 adds up.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(11.4, 3.5))
    axes[1].sharey(axes[0])
    for index, (arm, title) in enumerate(titles.items()):
        for ax, suffix in zip(axes, ("_untrained", ""), strict=False):
            rows = shown.values(arm, f"variation_by_depth{suffix}")
            _curve(ax, _places(rows), rows, index, title)
        steps = [np.abs(np.diff(row)) for row in shown.values(arm, "variation_by_depth")]
        _curve(axes[2], _places(steps, 1.5), steps, index, title)
    labels = ("before training", "after training", "steps after training")
    for ax, label in zip(axes, labels, strict=True):
        ax.set(title=label, xlabel="ReLU map", ylim=(0, None))
        ax.ticklabel_format(axis="y", scilimits=(-2, 3))
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes[0].set_ylabel(r"label variation $\mathrm{tr}(V^\top L^2 V)$")
    axes[2].set_ylabel("difference of neighbours")
    one_legend(figure, axes[1])
    return figure


def _places(rows: Sequence[Sequence[float]], first: float = 1.0) -> np.ndarray:
    return first + np.arange(len(rows[0]) if rows else 0)


def margin_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Histograms of margins, a column an arm: of the logits (above), to the boundary at first order (below).

    Outlines are those of the first arm. Left of the dotted line an image is classified wrongly. The
    outermost bins hold everything beyond them.
    """
    import matplotlib.pyplot as plt

    size = (1 + 2.5 * len(titles), 4.8)
    figure, axes = plt.subplots(2, len(titles), figsize=size, sharex="row", sharey="row", squeeze=False)
    for row, (metric, label) in zip(axes, MARGINS.items(), strict=True):
        reference = _histogram(shown, next(iter(titles)), metric)
        for index, (ax, arm) in enumerate(zip(row, titles, strict=True)):
            _stairs(ax, _histogram(shown, arm, metric), color=arm_color(index), fill=True, alpha=0.65)
            _stairs(ax, reference, color="#333333", lw=1.2)
            ax.axvline(0, color=GRAY, lw=0.8, ls=":")
            ax.set_xlabel(label)
        row[0].set_ylabel("images (%)")
    for ax, title in zip(axes[0], titles.values(), strict=True):
        ax.set_title(title)
    return figure


def _histogram(shown: Shown, arm: str, metric: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Percent of images in every bin, mean over seeds, and the bins' edges; None where a seed has none."""
    counts = np.array(shown.values(arm, f"{metric}_histogram"), float)
    if not len(counts) or not counts.sum(1).all():
        return None
    return 100 * (counts / counts.sum(1, keepdims=True)).mean(0), np.array(
        shown.values(arm, f"{metric}_edges")[0]
    )


def _stairs(ax: Axes, histogram: tuple[np.ndarray, np.ndarray] | None, **look: object) -> None:
    if histogram:
        ax.stairs(*histogram, **look)


def transfer_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Error of every network (columns) on the FGSM images of every other (rows), means over seeds.

    The diagonal is a network's error on its own images; the row above is that on clean images.
    """
    import matplotlib.pyplot as plt

    errors = transfer_matrix(shown, list(titles))
    size = (2.6 + 1.15 * len(titles), 1.4 + 0.5 * len(errors))
    figure, ax = plt.subplots(figsize=size)
    image = ax.imshow(errors, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(errors):
        if np.isfinite(value):
            ink = "white" if value < 55 else "black"
            weight = "bold" if row == column + 1 else "normal"
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink, weight=weight)
    ax.set_xticks(range(len(titles)), [fill(title, 12) for title in titles.values()])
    ax.set_yticks(range(len(errors)), [CLEAN, *titles.values()])
    ax.axhline(0.5, color="white", lw=3)
    ax.set(xlabel="network that is shown the images", ylabel="network that they are made for")
    ax.tick_params(length=0)
    figure.colorbar(image, label="error (%)")
    return figure


def transfer_matrix(shown: Shown, arms: Sequence[str]) -> np.ndarray:
    """Errors in percent, mean over seeds: a column a target; clean images, then a row a source.

    Where a pair was not measured it is nan.
    """
    metrics = ["test_error", *(f"transfer_from_{source}" for source in arms)]
    found = [[shown.values(target, metric) for target in arms] for metric in metrics]
    return np.array([[np.mean(values) if values else np.nan for values in row] for row in found])


def norms_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Spectral norms of the weights through training: the largest of all layers, and their mean.

    The dotted line is 1, the norm of orthonormal rows.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.4))
    for ax, (name, label) in zip(axes, NORMS.items(), strict=True):
        for index, (arm, title) in enumerate(titles.items()):
            held = [record.curves for record in shown.arm(arm) if record.curves.get(name)]
            epochs = held[0]["test_epoch"] if held else []
            _curve(ax, epochs, [found[name] for found in held], index, title)
        ax.axhline(1, color=GRAY, lw=0.8, ls=":", zorder=0)
        ax.set(xlabel="epoch", title=f"{label} of the layers", ylim=(0, None))
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes[0].set_ylabel("spectral norm")
    one_legend(figure, axes[0])
    return figure


def released_figure(shown: Shown, titles: Mapping[str, str], cells: Sequence[Cell]) -> Figure:
    """A panel a column of released accuracies: theirs as black diamonds with their intervals, ours in colour.

    ``cells`` are those of one table; its rows are the arms. Intervals are cut off at 0 and 100 %.
    """
    import matplotlib.pyplot as plt

    columns = list(dict.fromkeys(cell.column for cell in cells))
    size = (11, 0.8 + 0.45 * len(titles) * -(-len(columns) // 4))
    figure, axes = plt.subplots(-(-len(columns) // 4), 4, figsize=size, sharey=True, squeeze=False)
    for ax, column in zip(axes.flat, columns, strict=False):
        for cell in (c for c in cells if c.column == column and c.arm in titles):
            place = list(titles).index(cell.arm)
            marked_interval(ax, place + 0.17, shown.values(cell.arm, cell.metric), place)
            look = {"color": PAPER_COLOR, "fmt": "D", "ms": 4.5, "capsize": 2, "lw": 1.2}
            ax.errorbar(cell.value, place - 0.17, xerr=cell.spread or 0.0, **look)
        low, high = ax.get_xlim()
        ax.set(title=fill(column, 16), xlim=(max(low, -2), min(high, 102)))
    for ax in axes[-1]:
        ax.set_xlabel("accuracy (%)")
    axes[0, 0].set_yticks(range(len(titles)), list(titles.values()))
    axes[0, 0].set_ylim(len(titles) - 0.5, -0.5)
    for ax in axes.flat[len(columns) :]:
        ax.set_visible(False)
    return figure
