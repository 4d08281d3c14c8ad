"""Article 4 on the plane: dual points of XOR, a decision that closes, restarts that fail; with sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.parts import dots, looks, marked_interval, one_legend, panels
from lggkit.study.figures.planes import BORDER, draw_pieces
from lggkit.study.figures.style import CLASS_COLORS
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

SHAPES = {"circle_2": "2-2-2", "circle_3": "2-3-2", "circle_888": "2-8-8-8-2", "four_888": "four discs"}
WIDTHS = (2, 20, 100)


def dual_figure(shown: Shown) -> Figure:
    """Figure 4: the dual points of every piece of [-1, 1]², for XOR networks of three widths."""
    figure, axes = panels(3, 2.9)
    arrays = shown.arrays("xor")
    for ax, width in zip(axes, WIDTHS, strict=True):
        points = arrays[f"dual_{width}"]
        drawn = ax.scatter(points[:, 0], points[:, 1], c=points[:, 2], s=14, cmap="viridis", ec="none")
        ax.set(xlabel="slope along x₁", title=f"{width} hidden units", aspect="equal")
        ax.locator_params(nbins=4)
        figure.colorbar(drawn, ax=ax, label="offset" if width == WIDTHS[-1] else None, shrink=0.7)
    axes[0].set_ylabel("slope along x₂")
    return figure


def closing_figure(shown: Shown) -> Figure:
    """Figure 10: pieces and decision of the restart that arrives first, at three moments and at its best."""
    figure, axes = panels(4, 3.1, 7.2)
    arrays = shown.arrays("circle_888")
    for number, (ax, title) in enumerate(zip(axes, moments(shown), strict=True)):
        polygons = corners_of(arrays, number)
        slopes = np.linalg.norm(arrays[f"maps_{number}"][:, :2], axis=1)
        drawn = draw_pieces(ax, polygons, slopes)
        for polygon, on in zip(polygons, arrays[f"decisions_{number}"], strict=True):
            if on:
                ax.fill(*polygon.T, fc="none", ec=BORDER, hatch="//", lw=0)
        for radius in (0.25, 0.5, 0.75):
            turn = np.linspace(0, 2 * np.pi, 100)
            ax.plot(radius**0.5 * np.cos(turn), radius**0.5 * np.sin(turn), color="white", lw=1, ls="--")
        ax.set(title=title)
        figure.colorbar(drawn, ax=ax, shrink=0.8, label="slope" if number % 2 else None)
    return figure


def clouds_figure(shown: Shown) -> Figure:
    """Figures 10 and 11: the dual points of output 1 less output 0, one disc and four."""
    arms = [arm for arm in ("circle_888", "four_888") if shown.arm(arm)]
    figure, axes = panels(len(arms), 3.1, 4.3 * len(arms))
    for ax, arm in zip(axes, arms, strict=True):
        arrays = shown.arrays(arm)
        last = max(int(name.split("_")[1]) for name in arrays if name.startswith("maps_"))
        points, on = arrays[f"maps_{last}"], arrays[f"decisions_{last}"]
        for side, word in ((True, "the second output is larger"), (False, "the first one")):
            cloud = points[on == side]
            ax.scatter(
                cloud[:, 0], cloud[:, 1], s=14, color=CLASS_COLORS[side], marker="os"[side], label=word
            )
        title = "one disc" if arm == "circle_888" else SHAPES[arm]
        ax.set(title=title, xlabel="slope along x₁", ylabel="slope along x₂")
    one_legend(figure, axes[0])
    return figure


def restarts_figure(shown: Shown) -> Figure:
    """Best accuracies of all restarts of the first seed, and the share that fails by seed."""
    figure, (left, right) = panels(2, 2.9)
    look = looks(shown.experiment)
    arms = [arm for arm in SHAPES if shown.arm(arm)]
    for place, arm in enumerate(arms):
        best = np.sort(shown.arrays(arm)["best"])
        beside = place + np.linspace(-0.3, 0.3, len(best))
        left.plot(beside, best, look[arm]["marker"], color=look[arm]["color"], ms=3.5)
        dots(right, place, shown.values(arm, "failed"), upright=True)
        marked_interval(right, place, shown.values(arm, "failed"), look[arm], upright=True)
    left.axhline(98, color="#888888", lw=0.8, ls="--")
    for ax, label in ((left, "best accuracy (%), one seed"), (right, "restarts that fail (%)")):
        ax.set_xticks(range(len(arms)), [SHAPES[arm] for arm in arms])
        ax.set(ylabel=label)
    right.set_ylim(-4, 104)
    return figure


def xor_said(shown: Shown) -> list[str]:
    """How many maps XOR networks have in the square, by width, and how many solve it."""
    maps = {w: tables.interval_text(shown.interval("xor", f"maps_{w}"), 0) for w in WIDTHS}
    right = {w: shown.interval("xor", f"solved_{w}").mean for w in WIDTHS}
    listed = ", ".join(f"{maps[w]} with {w} units" for w in WIDTHS)
    solved = ", ".join(f"{right[w]:.0f} % with {w}" for w in WIDTHS)
    return [f"Distinct maps in the square are {listed}. XOR is solved by {solved}."]


def restarts_said(shown: Shown) -> list[str]:
    """Failure rates, shares stuck below 75 %, shares that enclose a part, and steps, by shape."""
    texts = []
    for arm, name in SHAPES.items():
        if shown.arm(arm):
            failed, steps = (tables.interval_text(shown.interval(arm, m), 0) for m in ("failed", "steps"))
            stuck, closed = (shown.interval(arm, m).mean for m in ("stuck", "enclosing"))
            texts.append(
                f"- {name}: {failed} % of the restarts fail, {stuck:.0f} % never pass 75 %; {closed:.0f} % "
                f"enclose a part; mean steps {steps}."
            )
    return ["\n".join(texts)]


def moments(shown: Shown, arm: str = "circle_888") -> list[str]:
    """A title for each frame of a run, the last one of the network at its best."""
    (first, *_) = shown.arm(arm)
    return [f"after {n} step{'s' * (n > 1)}" for n in first.settings["frames"]] + ["at its best"]


def corners_of(arrays, number: int) -> list[np.ndarray]:
    """The pieces of one frame of a run, as their corners."""
    return np.split(arrays[f"corners_{number}"], np.cumsum(arrays[f"counts_{number}"])[:-1])
