"""Figures and sentences of article 5: fits against k, three classifiers, prototypes as images, solvers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.parts import banded, looks, one_legend, panels
from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.texts import sign_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.view import Shown

CURVES = {"cats": "ten sets of cats", "dogs": "ten sets of dogs", "both": "both", "haar": "random subspaces"}
PROTOTYPES = ("svbf_prototypes", "flag_mean_prototypes", "pca_prototypes", "pca_centred_prototypes")
CLASSES = ("cats", "dogs")


def _dims(shown: Shown) -> list[int]:
    return list(shown.arm("svbf_prototypes")[0].settings["dims"])


def _sizes(shown: Shown) -> list[int]:
    return list(shown.arm("svbf_prototypes")[0].settings["sizes"])


def fits_figure(shown: Shown) -> Figure:
    """Figure 4: the fit of the sets that were fitted, and of as many others, against k."""
    figure, axes = panels(4, 2.4, sharey=True, sharex=True)
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
    figure, axes = panels(len(sizes), 3, sharey=True)
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
    figure, axes = plt.subplots(3, 6, figsize=(8, 4.8))
    for ax, image, title in zip(axes.flat, chain(*rows), chain(*titles), strict=True):
        ax.imshow(image.astype(float), cmap="gray")
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


def order_said(shown: Shown) -> list[str]:
    """Which of best fit, PCA and flag mean is ahead, and what centring has to do with it."""
    ours = "svbf_prototypes"
    centred, plain = (shown.paired(ours, arm, "accuracy") for arm in PROTOTYPES[3:1:-1])
    many = shown.paired(ours, "pca_prototypes", "accuracy_of_many")
    flag = shown.paired(ours, "flag_mean_prototypes", "accuracy")
    return [
        f"Over all k and l = m, best fits have {apart_text(centred, 'class PCA with centring')}, and "
        f"{apart_text(plain, 'class PCA without it')}. From three images a set on they have "
        f"{apart_text(many, 'PCA without centring')}. The flag mean of the same sets is "
        f"{sign_text(flag, 'behind', 'ahead')}: best fits have {apart_text(flag, 'it')}. {seeds_text(flag)}",
        _switch(centred.above(0), many.below(0)),
    ]


def _switch(ahead: bool, behind: bool) -> str:
    if ahead and behind:
        return (
            "So the order depends on a word that the article leaves out. Against PCA as libraries have it, "
            "which centres, best fits are ahead; against PCA of the same vectors without centring they are "
            "behind as soon as sets are large."
        )
    return "Best fits are not ahead of both kinds of PCA, and the article does not say which it took."


def distance_said(shown: Shown) -> list[str]:
    """What a distance that does not depend on bases brings algorithm I, and what is left to algorithm II."""
    by_metric = {m: shown.interval("svbf_coordinates", f"accuracy_{m}") for m in ("frobenius", "projection")}
    gap = shown.paired("svbf_prototypes", "svbf_coordinates", "accuracy")
    return [
        f"From two images a set on, algorithm I has {mean_text(by_metric['frobenius'])} % with the Frobenius "
        f"distance and {mean_text(by_metric['projection'])} % with the projection distance of the same "
        f"coordinates. Algorithm II has {apart_text(gap, 'algorithm I as published')}."
    ]


def node_said(shown: Shown) -> list[str]:
    """Algorithm III beside tanh units that see one image, and as many."""
    many, single, vote = (
        shown.interval(*place)
        for place in (
            ("svbf_node", "many_images"),
            ("tanh_layer", "accuracy"),
            ("tanh_layer", "vote_of_many"),
        )
    )
    return [
        "With three to five images a decision, algorithm III has "
        f"{mean_text(many)} %. A tanh layer has {mean_text(single)} % with one image, and {mean_text(vote)} % if "
        f"its answers for the same images are averaged. {seeds_text(many)}"
    ]


def solvers_said(shown: Shown) -> list[str]:
    """Fits and times of the solvers."""
    fits = {name: shown.interval("solver", f"fit_{name}") for name in ("alternating", "adam", "riemannian")}
    speedup = shown.values("solver", "speedup")
    reached = [mean_text(one, 4) for one in fits.values()]
    return [
        f"The ascent reaches {reached[0]}, Adam {reached[1]} and the steepest ascent on the Grassmannian "
        f"{reached[2]}. The ascent with eight starts is {min(speedup):,.0f} to {max(speedup):,.0f} times as "
        "fast as Adam here, on a processor that was shared."
    ]
