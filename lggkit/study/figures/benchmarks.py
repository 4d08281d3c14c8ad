"""Figures of the performance page, from the benchmark files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lggkit.study.figures.style import WIDEST, arm_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]
GRAY = "#555555"
AXES = {"n": "samples n", "depths": "maps of the network"}


def growth_figure(rows: Rows, width: int = 512) -> Figure:
    """Seconds of what grows, ours and the usual way, beside what the device allows.

    ``rows`` are those of ``bench_graph.py`` or its like: one panel for the size n at latents of ``width``
    features, and, where they are there, one for the number of maps. The dotted line is the `roofline` where
    the device's rates were measured, else growth as n².

    Raises:
        ValueError: no row has latents of ``width`` features.
    """
    import matplotlib.pyplot as plt

    families = {
        "n": [row for row in rows if row.get("width") == width],
        "depths": [row for row in rows if "depths" in row],
    }
    if not families["n"]:
        raise ValueError(f"no row has latents of {width} features; run the benchmark again")
    drawn = {key: sorted(chosen, key=lambda row: row[key]) for key, chosen in families.items() if chosen}
    figure, axes = plt.subplots(1, len(drawn), figsize=(min(2 + 4 * len(drawn), WIDEST), 3.6), squeeze=False)
    for ax, (key, chosen) in zip(axes[0], drawn.items(), strict=True):
        _panel(ax, key, chosen, rates(rows))
    axes[0, 0].set_ylabel("forward and backward (s)")
    axes[0, 0].legend()
    return figure


def rates(rows: Rows) -> dict[str, float]:
    """What the device was measured to do in a second, by unit: both ``B/s`` and ``FLOP/s``, or nothing."""
    roofs = {row["unit"]: row["rate"] for row in rows if row.get("kind") == "roof"}
    return roofs if {"B/s", "FLOP/s"} <= roofs.keys() else {}


def roofline(row: Mapping[str, Any], measured: Mapping[str, float]) -> float:
    """The least seconds for a row's ``bytes`` and ``flops`` at the rates that were measured."""
    return max(row["bytes"] / measured["B/s"], row["flops"] / measured["FLOP/s"])


def _panel(ax: Axes, key: str, rows: Rows, measured: Mapping[str, float]) -> None:
    places = [row[key] for row in rows]
    both = [row for row in rows if row["reference_seconds"] is not None]
    usual = [row["reference_seconds"] for row in both]
    ax.loglog([row[key] for row in both], usual, "s--", color=arm_color(1), label="the usual way")
    ax.loglog(places, [row["ours_seconds"] for row in rows], "o-", color=arm_color(0), label="lggkit")
    if both and len(both) < len(rows):
        ax.annotate(
            "stopped", (both[-1][key], usual[-1]), (0, 6), textcoords="offset points", color=GRAY, ha="right"
        )
    label, guide = _guide(rows, measured)
    if measured or key == "n":
        ax.loglog(places, guide, ":", color=GRAY, label=label)
    shown = places[:: 2 if len(places) > 6 else 1]
    ax.set_xticks(shown, [f"{place:,}" for place in shown])
    ax.set_xticks([], minor=True)
    ax.set_xlabel(AXES[key])


def _guide(rows: Rows, measured: Mapping[str, float]) -> tuple[str, list[float]]:
    if measured and all({"bytes", "flops"} <= row.keys() for row in rows):
        return "roofline", [roofline(row, measured) for row in rows]
    last = max(rows, key=lambda row: row["n"])
    return "growth as n²", [last["ours_seconds"] * (row["n"] / last["n"]) ** 2 for row in rows]
