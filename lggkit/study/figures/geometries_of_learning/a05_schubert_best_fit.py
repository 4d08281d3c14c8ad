"""Figures of article 5: fits against k, three classifiers, prototypes as images, solvers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.parts import banded, looks, one_legend, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

CURVES = {"cats": "ten sets of cats", "dogs": "ten sets of dogs", "both": "both", "haar": "random subspaces"}
PROTOTYPES = ("svbf_prototypes", "flag_mean_prototypes", "pca_prototypes", "pca_centred_prototypes")
CLASSES = ("cats", "dogs")


def _dims(shown: Shown) -> list[int]:
    return list(shown.arm("svbf_prototypes")[0].settings["dims"])


def _sizes(shown: Shown) -> list[int]:
    return list(shown.arm("svbf_prototypes")[0].settings["sizes"])


def fits_figure(shown: Shown) -> Figure:
    """Figure 4: the fit of the sets that were fitted, and of as many others, against k."""
    figure, axes = panels(4, 2.2, sharey=True, sharex=True)
    look = looks(shown.experiment)
    for ax, (name, title) in zip(axes, CURVES.items(), strict=True):
        for i, (split, arm) in enumerate({"train": "fit", "test": "svbf_prototypes"}.items()):
            rows = shown.values("fit", f"{split}_{name}")
            banded(ax, _dims(shown), rows, look[arm], f"{split} sets", i)
        ax.set(title=title, ylim=(0, 1.02))
    axes[0].set_ylabel("mean cos² θ₁")
    axes[2].set(ylabel="mean cos² θ₁", xlabel="dimension k")
    axes[3].set_xlabel("dimension k")
    one_legend(figure, axes[0])
    return figure


def prototypes_figure(shown: Shown, titles: dict[str, str]) -> Figure:
    """Figure 8: accuracy of prototypes against k, sets of one, three and five images."""
    sizes = [size for size in (1, 3, 5) if size in _sizes(shown)]
    figure, axes = panels(len(sizes), 2.7, sharey=True)
    look = looks(shown.experiment)
    for ax, size in zip(axes, sizes, strict=True):
        for i, arm in enumerate(PROTOTYPES):
            rows = shown.values(arm, f"accuracy_l{size}_m{size}")
            banded(ax, _dims(shown), rows, look[arm], titles.get(arm, arm), i)
        ax.set(title=f"l = m = {size}", xlabel="dimension k")
    axes[0].set_ylabel("accuracy (%)")
    one_legend(figure, axes[0])
    return figure


def coordinates_figure(shown: Shown) -> Figure:
    """Figure 6: algorithm I by set size, with the article's distance and two that ignore bases."""
    figure, axes = panels(2, 3, sharey=True)
    look, sizes = looks(shown.experiment), _sizes(shown)
    arms = {"frobenius": "fit", "projection": "svbf_node", "procrustes": "tanh_layer"}
    for ax, arm in zip(axes, ("svbf_coordinates", "pca_coordinates"), strict=True):
        for i, (metric, colour) in enumerate(arms.items()):
            by_size = [shown.values(arm, f"{metric}_l{size}") for size in sizes]
            rows = np.mean(by_size, axis=2).T if all(by_size) else []
            banded(ax, sizes, rows, look[colour], metric, i)
        ax.set(
            title=arm.replace("svbf", "best fit").replace("pca", "PCA").replace("_", ": "),
            xlabel="images a set",
        )
    axes[0].set_ylabel("accuracy (%), mean over k")
    one_legend(figure, axes[0])
    return figure


def node_figure(shown: Shown) -> Figure:
    """Figure 11: algorithm III against the images a decision, beside tanh units with one and with as many."""
    figure, axes = panels(2, 3, sharey=True)
    look, sizes, dims = looks(shown.experiment), _sizes(shown), _dims(shown)
    banded(axes[0], dims, shown.values("svbf_node", "accuracy_by_k"), look["svbf_node"], "algorithm III", 0)
    banded(
        axes[0], dims, shown.values("tanh_layer", "accuracy_by_k"), look["tanh_layer"], "tanh, one image", 1
    )
    banded(axes[1], sizes, shown.values("svbf_node", "accuracy_by_m"), look["svbf_node"], "algorithm III", 0)
    votes = [shown.values("tanh_layer", f"vote_m{m}") for m in sizes]
    rows = np.mean(votes, axis=2).T if all(votes) else []
    banded(axes[1], sizes, rows, look["fit"], "tanh, as many images", 2)
    axes[0].set(xlabel="dimension k", ylabel="accuracy (%)")
    axes[1].set(xlabel="images a decision")
    for ax in axes:
        ax.legend()
    return figure


def images_figure(shown: Shown) -> Figure:
    """Figures 3 and 10: prototypes by either cosine, columns of K, and the nearest vectors of six sets."""
    import matplotlib.pyplot as plt

    arrays = shown.arrays("images")
    members, near = arrays["members"][:, 0].astype(float), arrays["near"].astype(float)
    signs = np.sign((members * near).sum((1, 2), keepdims=True))
    rows = [[*arrays["cos2"], *arrays["cos"], *arrays["columns"][:2]], [*(signs * near)], [*members]]
    titles = [
        [f"{name}, {c}" for c in ("cos²", "cos") for name in CLASSES] + ["K, first", "K, second"],
        [f"K b, {name}" for name in ("cat", "dog") for _ in range(3)],
        [f"a {name} of it" for name in ("cat", "dog") for _ in range(3)],
    ]
    figure, axes = plt.subplots(3, 6, figsize=(6.6, 4.0))
    for ax, image, title in zip(axes.flat, chain(*rows), chain(*titles), strict=True):
        ax.imshow(image.astype(float), cmap="gray", interpolation="nearest")
        ax.set_title(title, fontsize=9)
        ax.axis("off")
    return figure


def coordinates_of_sets_figure(shown: Shown) -> Figure:
    """Figure 10C: the coordinates b of all training sets, up to sign, in the plane of their last two."""
    import matplotlib.pyplot as plt

    from lggkit.study.figures.style import CLASS_COLORS, CLASS_MARKERS

    arrays = shown.arrays("images")
    b = arrays["coordinates"] * np.where(arrays["coordinates"][:, :1] < 0, -1, 1)
    figure, ax = plt.subplots(figsize=(4.2, 3.8))
    for label, name in enumerate(CLASSES):
        own = b[arrays["labels"] == label]
        ax.plot(
            own[:, 1], own[:, 2], CLASS_MARKERS[label], ls="", ms=5, color=CLASS_COLORS[label], label=name
        )
    ax.set(xlabel="second coordinate of b", ylabel="third coordinate of b", xlim=(-1, 1), ylim=(-1, 1))
    ax.legend()
    return figure


def angles_figure(shown: Shown) -> Figure:
    """The first angle of each test set with the best fit of cats and with that of dogs; seed 0."""
    import matplotlib.pyplot as plt

    from lggkit.study.figures.style import CLASS_COLORS, CLASS_MARKERS, GRAY

    arrays = shown.arrays("angles")
    figure, ax = plt.subplots(figsize=(3.8, 3.5))
    ends = (0.9 * arrays["angles"].min(), 1.05 * arrays["angles"].max())
    ax.plot(ends, ends, color=GRAY, lw=1, ls="--", zorder=0)
    for label, name in enumerate(CLASSES):
        own = arrays["angles"][arrays["labels"] == label]
        look = {"color": CLASS_COLORS[label], "marker": CLASS_MARKERS[label]}
        ax.plot(*own.T, ls="", ms=4, label=f"test sets of {name}", **look)
    ax.set(
        xlabel="angle to the best fit of cats (°)", ylabel="angle to that of dogs (°)", xlim=ends, ylim=ends
    )
    ax.legend()
    return figure


def solvers_figure(shown: Shown) -> Figure:
    """The fit against the iterations of the ascent (left) and the steps of Adam (right), same problem."""
    figure, axes = panels(2, 3, sharey=True)
    look = looks(shown.experiment)
    for record in shown.arm("solver"):
        for ax, name, every in ((axes[0], "alternating", 1), (axes[1], "adam", 1000)):
            values = record.curves[name]
            places = np.arange(1, len(values) + 1) * every
            ax.plot(places, values, color=look["solver" if every > 1 else "svbf_prototypes"]["color"], lw=1.4)
    axes[0].set(xlabel="iterations of the ascent", ylabel="mean cos² θ₁", ylim=(0, None))
    axes[1].set(xlabel="steps of Adam with a penalty")
    return figure
