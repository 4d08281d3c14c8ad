"""Figures of article 6's networks: likeness to people beside robustness, depths, ambiguous images."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from lggkit.experiments.recipes.families import FAMILIES, family_of
from lggkit.study.figures.parts import dots, looks, marked_interval, one_legend, panels
from lggkit.study.figures.style import GRAY, WIDEST
from lggkit.study.judging.statistics import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.record import Record
    from lggkit.study.shown.view import Shown

ALIKE = {
    "it": ("correlation with people's IT", "it"),
    "people": ("correlation with people's confusions,\nwithin categories", "features_ambiguous_category"),
}
KINDS = {
    "": "accuracy under harm",
    "_excess": "little lost",
    "_given_accuracy": "the first, given\nclean accuracy",
}
HARMS = {"pgd": "PGD", "noise": "noise"}
DEPTHS = ("input", "early", "middle", "last")


def members(shown: Shown) -> list[str]:
    """The networks that are recorded, in the order of the arms."""
    return list(dict.fromkeys(r.arm for r in shown.records if r.arm != "across" and shown.arm(r.arm)))


def families_of(shown: Shown) -> dict[str, list[str]]:
    """The networks that are recorded, by family."""
    found: dict[str, list[str]] = {}
    for member in members(shown):
        found.setdefault(family_of(member), []).append(member)
    return found


def robustness_figure(shown: Shown) -> Figure:
    """Accuracy under PGD (above) and what PGD costs (below) against likeness, a mark a trained network."""
    figure, axes = panels(4, 2.8)
    for row, (label, value) in enumerate(
        {
            "accuracy under PGD (%)": lambda m: 100 - m["error_pgd_1"],
            "lost to PGD (points)": lambda m: m["error_pgd_1"] - m["error_clean"],
        }.items()
    ):
        for column, (name, metric) in enumerate(ALIKE.values()):
            ax = axes[2 * row + column]
            _marks(ax, shown, metric, value)
            ax.set_xlabel(name if row else "")
            ax.set_ylabel("" if column else label)
    one_legend(figure, axes[0])
    return figure


def _marks(ax: Axes, shown: Shown, metric: str, value: Callable[[Mapping[str, float]], float]) -> None:
    look = looks(shown.experiment)
    for family, names in families_of(shown).items():
        runs: list[Record] = [r for name in names for r in shown.arm(name)]
        x, y = [r.metrics[metric] for r in runs], [value(r.metrics) for r in runs]
        ax.plot(x, y, ls="", ms=6, alpha=0.85, label=FAMILIES[family], **look[names[0]])


def correlations_figure(shown: Shown) -> Figure:
    """Rank correlations over networks of likeness and robustness: a dot a seed, grey bars over families."""
    figure, axes = panels(2, 3.4, sharex=True, sharey=True)
    look = {"pgd": {"color": "#D55E00", "marker": "o"}, "noise": {"color": "#0072B2", "marker": "s"}}
    for ax, (alike, (title, _)) in zip(axes, ALIKE.items(), strict=True):
        for place, kind in enumerate(KINDS):
            for shift, harm in enumerate(HARMS):
                y, name = -place - 0.3 * shift, f"{alike}_{harm}{kind}"
                _over_families(ax, shown, name, y)
                values = shown.values("across", name)
                label = HARMS[harm] if place == 0 else None
                marked_interval(ax, y, values, look[harm], label)
                dots(ax, y - 0.1, values)
        ax.axvline(0, color=GRAY, lw=0.8)
        ax.set(title=title, xlabel="rank correlation", xlim=(-1.15, 1.15))
    axes[0].set_yticks([-place - 0.15 for place in range(len(KINDS))], KINDS.values())
    one_legend(figure, axes[0])
    return figure


def _over_families(ax: Axes, shown: Shown, name: str, y: float) -> None:
    ends = [shown.values("across", f"{name}_{end}") for end in ("low", "high")]
    if all(ends):
        ax.hlines(y, *(float(np.mean(end)) for end in ends), color=GRAY, alpha=0.35, lw=7)


def depths_figure(shown: Shown) -> Figure:
    """Correlation with people's IT from the input to the last depth, trained and with first weights."""
    figure, axes = panels(2, 3.0, sharey=True)
    look = looks(shown.experiment)
    for ax, (before, title) in zip(axes, {"": "trained", "untrained_": "first weights"}.items(), strict=True):
        for family, names in families_of(shown).items():
            rows = [row for name in names for row in shown.values(name, f"{before}it_all_depths")]
            ax.plot(DEPTHS, np.mean(rows, 0), label=FAMILIES[family], lw=1.8, ms=5.5, **look[names[0]])
        ax.set(title=title)
    axes[0].set_ylabel("correlation with people's IT")
    one_legend(figure, axes[0])
    return figure


def most_accurate(shown: Shown) -> str:
    """The network with the fewest errors over seeds."""
    return min(members(shown), key=lambda name: shown.interval(name, "test_error").mean)


def ambiguous_figure(shown: Shown) -> Figure:
    """The images that people disagree on most, with their answers and those of the most accurate network."""
    import matplotlib.pyplot as plt

    arrays, best = shown.arrays("across"), most_accurate(shown)
    answers = arrays["answers"][list(arrays["members"]).index(best)]
    classes, count = [str(name) for name in arrays["class_names"]], len(arrays["labels"])
    rows = ceil(count / 3)
    figure, grid = plt.subplots(rows, 6, figsize=(WIDEST, 1.5 * rows), width_ratios=(1, 1.1) * 3)
    axes = grid.flat[: 2 * count]
    for place, (image, bars) in enumerate(zip(axes[::2], axes[1::2], strict=True)):
        picture = arrays["thumbnails"][place].transpose(1, 2, 0)
        image.imshow(picture.squeeze(), cmap="gray", interpolation="nearest")
        image.set_axis_off()
        _bars(bars, arrays["shares"][place], answers[place], classes)
    one_legend(figure, axes[1])
    return figure


def _bars(ax: Axes, shares: np.ndarray, answers: np.ndarray, classes: list[str]) -> None:
    likely = np.argsort(-(shares + answers))[:3]
    for shift, (label, values, color) in enumerate(
        (("people", shares, "#0072B2"), ("network", answers, "#E69F00"))
    ):
        ax.barh(np.arange(3) + 0.4 * shift, 100 * values[likely], 0.38, color=color, label=label)
    ax.set_yticks(np.arange(3) + 0.2, [classes[place] for place in likely])
    ax.set(xlim=(0, 100), xticks=(0, 50, 100))
    ax.invert_yaxis()


def over_seeds(shown: Shown, name: str) -> Interval | None:
    """A correlation over the networks of a seed, over seeds; None where no seed has it."""
    return shown.interval("across", name) if shown.values("across", name) else None
