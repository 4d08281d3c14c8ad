"""Small graphs of images at three depths of a network: Figure 2 of paper 1, and the first picture of the "
"book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from lggkit import graph
from lggkit.study.figures.style import CLASS_COLORS, CLASS_MARKERS, WIDEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

NAMES = ("input", "middle", "penultimate")


def graphs_figure(arrays: Mapping[str, np.ndarray], k: int) -> Figure:
    """Figure 2 redrawn: one panel a depth, thumbnails at their Laplacian eigenmap, inter-class edges only.

    ``arrays`` holds ``adjacency_<depth>`` (n, n) for the three depths, ``thumbnails`` uint8 (n, c, h, w),
    ``labels`` (n,) and ``class_names``; ``k`` is the graphs' number of neighbours.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(WIDEST, 3.9))
    for ax, name in zip(axes, NAMES, strict=True):
        _graph_panel(ax, arrays[f"adjacency_{name}"], arrays["thumbnails"], arrays["labels"])
        ax.set_title(_panel_title(name, arrays[f"adjacency_{name}"], arrays["labels"], k))
    present = np.unique(arrays["labels"])
    handles = [_legend_entry(c, arrays["class_names"][c]) for c in present]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(present))
    return figure


def _legend_entry(label: int, name: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], lw=2, ms=9, label=name, **_class_look(label))


def _class_look(label: int) -> dict[str, str]:
    """The mark of a class: its shape and colour, on a white edge."""
    return {"marker": CLASS_MARKERS[label], "color": CLASS_COLORS[label], "markeredgecolor": "white"}


def _panel_title(name: str, adjacency: np.ndarray, labels: np.ndarray, k: int) -> str:
    a, y = torch.from_numpy(adjacency), torch.from_numpy(labels)
    sigma = graph.normalized_label_variation(a, y, k).item()
    return f"{name}\nσ = {sigma:.2f}, {int(graph.inter_class_edges(a, y))} edges"


def _graph_panel(ax: Axes, adjacency: np.ndarray, thumbnails: np.ndarray, labels: np.ndarray) -> None:
    places = graph.laplacian_eigenmaps(torch.from_numpy(adjacency).double()).numpy()
    places = _spread_ranks(places)
    for i, j in zip(*np.nonzero(np.triu(adjacency, 1)), strict=True):
        if labels[i] != labels[j]:
            ax.plot(*places[[i, j]].T, color="#777777", lw=2.2 * adjacency[i, j], alpha=0.7, zorder=1)
    for place, image, label in zip(places, thumbnails, labels, strict=True):
        _thumbnail(ax, place, image, label)
    ax.set(xticks=[], yticks=[], xlim=(-0.1, 1.1), ylim=(-0.1, 1.1), aspect="equal")
    for spine in ax.spines.values():
        spine.set_visible(False)


def _spread_ranks(places: np.ndarray) -> np.ndarray:
    """Each coordinate half way between value and rank, in [0, 1]: vertices that coincide come apart."""
    ranks = places.argsort(0, kind="stable").argsort(0, kind="stable") / max(len(places) - 1, 1)
    span = np.ptp(places, axis=0)
    return (ranks + (places - places.min(0)) / np.where(span > 0, span, 1)) / 2


def _thumbnail(ax: Axes, place: np.ndarray, image: np.ndarray, label: int) -> None:
    """An image framed in its class's colour, with its class's mark on the upper left corner."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from matplotlib.transforms import offset_copy

    pixels = image.transpose(1, 2, 0)
    picture = OffsetImage(pixels.squeeze(), zoom=22 / image.shape[-1], cmap="gray_r")
    frame = {"edgecolor": CLASS_COLORS[label], "linewidth": 2, "boxstyle": "square,pad=0"}
    ax.add_artist(AnnotationBbox(picture, place, frameon=True, pad=0.05, bboxprops=frame))
    corner = offset_copy(ax.transData, ax.figure, x=-12, y=12, units="points")
    ax.plot(*place, transform=corner, ms=7, zorder=5, clip_on=False, **_class_look(label))
