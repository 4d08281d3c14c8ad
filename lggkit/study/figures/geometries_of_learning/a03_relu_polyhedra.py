"""Figures and sentences of article 3: a plane's partition, counts, responses of sets, balls, segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit.study.entered.paper import cells
from lggkit.study.figures.parts import dots, looks, marked_interval, panels
from lggkit.study.figures.style import PAPER_COLOR, arm_color
from lggkit.study.judging.statistics import t_interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

SETS = {"train": "training", "test": "test", "fgsm": "FGSM", "signs": "random signs"}
STRUCTURES = ("structure-3x200", "structure-5x300")
ALL = (*STRUCTURES, "structure-5x500")
SHAPES = {"layers": [(n, 5) for n in (2, 4, 6, 8, 10)], "nodes": [(3, n) for n in (5, 10, 15, 20, 25)]}


def partition_figure(shown: Shown) -> Figure:
    """Figure 1: the pieces of the first network in [-4, 4]², coloured by the size of their slope."""
    from matplotlib.collections import PolyCollection

    arrays = shown.arrays("toy1")
    corners = np.split(arrays["corners"], np.cumsum(arrays["counts"])[:-1])
    figure, axes = panels(2, 3.7)
    for ax, reach in zip(axes, (4, 1), strict=True):
        pieces = PolyCollection(corners, array=arrays["slopes"], cmap="viridis", ec="white", lw=0.5)
        ax.add_collection(pieces)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x₁", ylabel="x₂")
    axes[0].plot([-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1], color="#D55E00", lw=1.6, label="training square")
    axes[0].legend(loc="upper left", frameon=True, fontsize=10)
    figure.colorbar(pieces, ax=list(axes), label="length of the slope", shrink=0.85)
    return figure


def counts_figure(shown: Shown) -> Figure:
    """Table 1: pieces and mean squares against layers and nodes, a dot a seed, the article's in black."""
    figure, axes = panels(4, 2.8)
    look, printed = looks(shown.experiment), {c.metric: c for c in cells("geometries_of_learning")}
    kinds = ("pieces", "mse")
    for ax, (arm, kind) in zip(axes, ((a, k) for k in kinds for a in SHAPES), strict=True):
        for place, (layers, nodes) in enumerate(SHAPES[arm]):
            metric = f"{kind}_{layers}x{nodes}"
            dots(ax, place, shown.values(arm, metric), upright=True)
            marked_interval(ax, place, shown.values(arm, metric), look[arm], upright=True)
            ax.plot(place + 0.22, printed[metric].value, "D", color=PAPER_COLOR, ms=4)
        names = [n if arm == "layers" else w for n, w in SHAPES[arm]]
        ax.set_xticks(range(5), names)
        ax.set(yscale="log", xlabel="layers of 5 nodes" if arm == "layers" else "nodes in 3 layers")
        ax.yaxis.set_minor_formatter("")
        ax.set_ylabel("polyhedra in the square" if kind == "pieces" else "mean square (10⁻⁶)")
    return figure


def responses_figure(shown: Shown) -> Figure:
    """Table 4: mean Hamming response of four sets, a row a structure, a column a length of step."""
    figure, axes = panels(4, 2.1)
    look, steps = looks(shown.experiment), {"response": "steps of 0.5 to 1", "far": "steps 28 times as long"}
    for ax, (arm, metric) in zip(axes, ((a, m) for a in STRUCTURES for m in steps), strict=True):
        for place, name in enumerate(SETS):
            values = shown.values(arm, f"{metric}_{name}")
            dots(ax, place, values, upright=True)
            marked_interval(ax, place, values, look[arm], upright=True)
        ax.set_xticks(range(4), SETS.values(), rotation=15)
        ax.set(
            ylabel="bits that change",
            ylim=(0, 1.15 * ax.get_ylim()[1]),
            title=f"{arm.partition('-')[2]}, {steps[metric]}",
        )
    return figure


def balls_figure(shown: Shown) -> Figure:
    """Figure 6: radii of the largest balls of the first network's cells, a dot a cell."""
    figure, (left, right) = panels(2, 2.7)
    arrays = shown.arrays("balls")
    line = {"color": looks(shown.experiment)["balls"]["color"]}
    parts = {f"{part}props": line for part in ("box", "whisker", "cap", "median")}
    left.boxplot([arrays[f"radii_{name}"] for name in SETS], flierprops={"ms": 3}, **parts)
    left.set_xticks(range(1, 5), SETS.values(), rotation=20)
    left.set(ylabel="radius of the largest ball", title="cells of one network")
    for place, name in enumerate(SETS):
        values = shown.values("balls", f"radius_{name}")
        dots(right, place, values, upright=True)
        marked_interval(right, place, values, looks(shown.experiment)["balls"], upright=True)
    right.set_xticks(range(4), SETS.values(), rotation=20)
    right.set(title="means over networks")
    return figure


def segments_figure(shown: Shown) -> Figure:
    """Figure 4 and Table 5: polyhedra between neighbours by depth, and crossings against Hamming distance."""
    figure, (left, right) = panels(2, 3.0)
    for place, (name, label) in enumerate({"most": "most", "mean": "mean"}.items()):
        for depth in range(1, 6):
            values = shown.values("segments", f"{name}_{depth}")
            look = {"color": arm_color(place), "marker": "os"[place]}
            marked_interval(left, depth, values, look, label if depth == 1 else None, upright=True)
    left.set(xlabel="layers of 200", ylabel="polyhedra between neighbours", ylim=(0, None))
    left.legend()
    arrays = shown.arrays("segments")
    right.plot(arrays["hamming"], arrays["crossings"], ".", color=arm_color(0))
    right.axline((0, 0), slope=1, color=PAPER_COLOR, lw=0.8, label="equal")
    right.set(xlabel="Hamming distance", ylabel="facets crossed", title="five layers, one network")
    right.legend()
    return figure


def neighbours(shown: Shown) -> pd.DataFrame:
    """Table 3 with two controls: the last features of the same network, and an untrained network."""
    columns = {"pixels": "{}_euclidean", "pattern": "{}_hamming", "last features": "{}_features"}
    rows: dict[str, Mapping[str, tuple[str, str]]] = {}
    for arm in ALL:
        for split in ("train", "test"):
            for prefix, word in (("", "trained"), ("untrained_", "untrained")):
                place = f"{prefix}same_class_{split}"
                label = f"{arm.partition('-')[2]}, {word}, {SETS[split]} images"
                rows[label] = {name: (arm, form.format(place)) for name, form in columns.items()}
    return tables.metrics_table(shown, rows, 2)


def counts_said(shown: Shown) -> list[str]:
    """How many pieces there are, inside and in all, and what the article's one network has."""
    inside, plane = (
        tables.interval_text(shown.interval("toy1", f"pieces_{p}"), 0) for p in ("square", "plane")
    )
    density = [shown.interval("toy1", f"density_{where}").mean for where in ("inside", "outside")]
    loss = shown.interval("toy1", "mse_millionths").mean / 1e6
    same = "different" if any(shown.values("toy1", "walk_and_cut_differ")) else "the same"
    return [
        f"The networks 2-10-10-1 have {inside} polyhedra in the training square and {plane} in the plane, at "
        f"a mean square of {loss:.1e}. On a unit of area that is {density[0]:.1f} inside and "
        f"{density[1]:.2f} outside. Walking across facets and cutting polygons give {same} patterns."
    ]


def constant_said(shown: Shown) -> list[str]:
    """How many networks of Table 1 stayed constant, and in which shape most; these are kept in the means."""
    shapes = [(arm, *shape) for arm, sizes in SHAPES.items() for shape in sizes]
    alive = {f"{n} layers of {m}": shown.values(arm, f"alive_{n}x{m}") for arm, n, m in shapes}
    dead = {name: values.count(0.0) for name, values in alive.items()}
    most = max(dead, key=dead.__getitem__)
    return [
        f"{sum(dead.values())} of {sum(map(len, alive.values()))} networks stayed constant and are kept in "
        f"all means; the most of a shape, {dead[most]} of {len(alive[most])}, have {most}."
    ]


def responses_table(shown: Shown) -> pd.DataFrame:
    """Mean responses of the sets at both lengths of step, and FGSM less test by network."""
    rows = []
    for metric, step in (("response", "short"), ("far", "long")):
        for arm in filter(shown.arm, ALL):
            bits = {SETS[name]: f"{shown.interval(arm, f'{metric}_{name}').mean:.1f}" for name in SETS}
            more = _difference(shown, arm, f"{metric}_fgsm", f"{metric}_test", 1)
            rows.append({"network": arm.partition("-")[2], "steps": step, **bits, "FGSM less test": more})
    return pd.DataFrame(rows)


def balls_said(shown: Shown) -> list[str]:
    """The mean radii, and how many cells have no largest ball without a box."""
    mean = {name: shown.interval("balls", f"radius_{name}").mean for name in SETS}
    open_cells = shown.interval("balls", "unbounded_share").mean
    listed = ", ".join(f"{SETS[name]} {value:.3f}" for name, value in mean.items())
    more = _difference(shown, "balls", "radius_fgsm", "radius_test", 3)
    return [
        f"Mean radii are: {listed}. FGSM less test, by network, is {more}. Without a box {open_cells:.0f} % "
        "of the cells looked at have no largest ball."
    ]


def _difference(shown: Shown, arm: str, left: str, right: str, digits: int) -> str:
    pairs = zip(shown.values(arm, left), shown.values(arm, right), strict=True)
    return tables.interval_text(t_interval([a - b for a, b in pairs]), digits)


def parity_said(shown: Shown) -> list[str]:
    """Which printed columns of Table 5 break the law of parity, and what bisection misses."""
    printed: dict[str, dict[str, float]] = {}
    for cell in cells("geometries_of_learning"):
        if cell.table == "a03-table-5":
            printed.setdefault(cell.row, {})[cell.column] = cell.value
    broken = [row for row, p in printed.items() if (p["polyhedra"] - 1 - p["Hamming"]) % 2]
    share = shown.interval("segments", "bisection_share").mean
    ours = "somewhere" if any(shown.values("segments", "parity_violations")) else "nowhere"
    return [
        "A bit differs at the two ends exactly if it flips an odd number of times, so polyhedra less one "
        f"less the Hamming distance is even. Of the {len(printed)} printed pairs, {len(broken)} break this "
        f"({', '.join(broken)}). Ours break it {ours}. The article's bisection, run on a few of the same "
        f"segments, finds {share:.1f} % of the crossings."
    ]
