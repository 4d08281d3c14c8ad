"""Figures of the performance page, from the benchmark files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lggkit.study.figures.style import arm_color

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def growth_figure(rows: Sequence[Mapping[str, Any]], width: int = 512) -> Figure:
    """Seconds of a graph and its label variation against the batch size n, ours and the usual way.

    ``rows`` are those of ``bench_graph.py``; those with latents of ``width`` features are drawn. The
    dotted line grows as n², as the number of pairs does.
    """
    import matplotlib.pyplot as plt

    chosen = sorted((row for row in rows if row["width"] == width), key=lambda row: row["n"])
    sizes = [row["n"] for row in chosen]
    figure, ax = plt.subplots(figsize=(6, 3.6))
    sides = {"the usual way": ("reference_seconds", "s--", 1), "lggkit": ("ours_seconds", "o-", 0)}
    for label, (key, look, color) in sides.items():
        ax.loglog(sizes, [row[key] for row in chosen], look, color=arm_color(color), label=label)
    last = chosen[-1]
    guide = [last["ours_seconds"] * (n / last["n"]) ** 2 for n in sizes]
    ax.loglog(sizes, guide, ":", color="#555555", label="growth as n²")
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="batch size n", ylabel="forward and backward (s)")
    ax.legend()
    return figure
