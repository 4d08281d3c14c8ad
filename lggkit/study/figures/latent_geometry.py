"""Figures of paper 1, section 3.3: small graphs of images, and σ at every depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from lggkit import graph
from lggkit.study.figures.style import CLASS_COLORS, CLASS_MARKERS, PAPER_COLOR, arm_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from lggkit.study.view import Shown

NAMES = ("input", "middle", "penultimate")
DEPTH_LABELS = {"input": "input", "penultimate": "pooled", "output": "logits"}


def graphs_figure(arrays: Mapping[str, np.ndarray], k: int) -> Figure:
    """Figure 2 redrawn: one panel a depth, thumbnails at their Laplacian eigenmap, inter-class edges only.

    ``arrays`` holds ``adjacency_<depth>`` (n, n) for the three depths, ``thumbnails`` uint8 (n, c, h, w),
    ``labels`` (n,) and ``class_names``; ``k`` is the graphs' number of neighbours.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(9, 3.9))
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


def distribution_figure(
    arrays: Mapping[str, np.ndarray], depths: Sequence[str], paper: Sequence[float]
) -> Figure:
    """σ of every draw at three depths as violins with quartiles, the paper's single draw as a black diamond.

    ``arrays`` holds ``sigma`` (draws, all depths) and ``depths``, the names of its columns; ``depths`` are
    the three to draw and ``paper`` the values printed for them.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    sigma, names = arrays["sigma"], list(arrays["depths"])
    columns = [names.index(depth) for depth in depths]
    figure, ax = plt.subplots(figsize=(6, 3.4))
    sns.violinplot([sigma[:, c] for c in columns], ax=ax, inner="quart", color="#9ecae1", cut=0, linewidth=1)
    ax.plot(range(3), paper, "D", color=PAPER_COLOR, label="the paper's one draw", zorder=3)
    ax.set_xticks(range(3), NAMES)
    ax.set(ylabel="normalised label variation σ", ylim=(0, None))
    ax.legend(loc="upper right")
    return figure


def depth_figure(shown: Shown) -> Figure:
    """Mean σ (left) and k-NN test error (right) at every depth, a thin line a seed, trained and untrained."""
    import matplotlib.pyplot as plt

    depths = [str(d) for d in shown.arrays("resnet18")["depths"]]
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.4), sharex=True)
    for index, (arm, label) in enumerate((("resnet18", "trained"), ("untrained", "before training"))):
        _seed_lines(axes[0], shown.values(arm, "sigma_all_depths"), arm_color(index), label)
        _seed_lines(axes[1], shown.values(arm, "knn_error_all_depths"), arm_color(index), label)
    axes[0].set(ylabel="normalised label variation σ", ylim=(0, None))
    axes[1].set(ylabel="k-NN test error (%)", ylim=(0, None))
    for ax in axes:
        ax.set_xticks(range(len(depths)), [DEPTH_LABELS.get(d, d) for d in depths], rotation=40, ha="right")
    axes[0].legend()
    return figure


def _seed_lines(ax: Axes, rows: Sequence[Sequence[float]], color: str, label: str) -> None:
    values = np.asarray(rows)
    ax.plot(values.T, color=color, lw=0.7, alpha=0.5)
    ax.plot(values.mean(0), color=color, lw=2, marker="o", ms=4, label=f"{label} (n = {len(values)})")


def difficulty_figure(shown: Shown) -> Figure:
    """σ against the k-NN test error, a point a depth and seed: does a smaller σ go with an easier task?"""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(5, 3.6))
    for index, (arm, label) in enumerate((("resnet18", "trained"), ("untrained", "before training"))):
        sigma = np.asarray(shown.values(arm, "sigma_all_depths"))
        error = np.asarray(shown.values(arm, "knn_error_all_depths"))
        mark = "o^"[index]
        ax.plot(sigma.ravel(), error.ravel(), mark, color=arm_color(index), ms=4, alpha=0.7, label=label)
    ax.set(xlabel="normalised label variation σ", ylabel="k-NN test error (%)")
    ax.legend()
    return figure
