"""Article 4 on images: clustered and carried maps, the controls beside them, pictures of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit.study.figures.parts import legend_below, panels, seed_lines
from lggkit.study.figures.said import apart_text
from lggkit.study.figures.style import arm_color, arm_mark
from lggkit.study.judging.statistics import t_interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

NETWORKS = {"dense": "Dense", "conv1": "Conv1", "conv2": "Conv2", "resnet": "ResNet"}
CONTROLS = {"input": "the image itself", "untrained": "untrained Conv", "shuffled": "Conv1, rows shuffled"}
SETS = {"images-digits": "digits", "images-fashion": "Fashion-MNIST"}
LOOKS = {kind: {"color": arm_color(i), "marker": arm_mark(i)} for i, kind in enumerate(NETWORKS)}


def _sets(shown: Shown) -> dict[str, str]:
    return {arm: title for arm, title in SETS.items() if shown.arm(arm)}


def clusters_figure(shown: Shown) -> Figure:
    """Table 1: accuracy against the number of clusters; dashed lines are the networks themselves."""
    sets = _sets(shown)
    figure, axes = panels(len(sets), 3.1, 4.3 * len(sets))
    for ax, (arm, title) in zip(axes, sets.items(), strict=True):
        counts = shown.arm(arm)[0].settings["clusters"]
        for kind, name in NETWORKS.items():
            rows = zip(*(shown.values(arm, f"clustered_{kind}_{k}") for k in counts), strict=True)
            seed_lines(ax, counts, list(rows), LOOKS[kind], name)
            mean = np.mean(shown.values(arm, f"original_{kind}"))
            ax.axhline(mean, color=LOOKS[kind]["color"], lw=1, ls="--")
        ax.set(xscale="log", xlabel="clusters an output", title=title, ylim=(0, 101))
    axes[0].set_ylabel("accuracy (%)")
    legend_below(figure, *axes[0].get_legend_handles_labels())
    return figure


def evidence_figure(shown: Shown) -> Figure:
    """Accuracy that is lost on the way into Conv2 and ResNet against R², by source; a dot a seed."""
    figure, axes = panels(2, 3.1)
    for ax, target in zip(axes, ("conv2", "resnet"), strict=True):
        for place, (source, name) in enumerate((NETWORKS | CONTROLS).items()):
            if source == target:
                continue
            explained = shown.values("images-digits", f"r2_{source}_{target}")
            mapped = shown.values("images-digits", f"mapped_{source}_{target}")
            own = shown.values("images-digits", f"original_{target}")
            lost = np.subtract(own, mapped)
            look = LOOKS.get(source, {"color": arm_color(place), "marker": arm_mark(place)})
            filled = look["color"] if source in NETWORKS else "none"
            ax.plot(
                *(explained, lost, look["marker"]), mec=look["color"], mfc=filled, ms=7, label=name, ls="none"
            )
        ax.set(xlabel="R² of the maps", title=f"into {NETWORKS[target]}")
    axes[0].set_ylabel("points of accuracy lost")
    handles: dict = {}
    for ax in axes:
        handles |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    legend_below(figure, list(handles.values()), list(handles))
    return figure


def rows_figure(shown: Shown) -> Figure:
    """Figure 7: the rows of W of every output at one test image, as images; the article shows a 4."""
    import matplotlib.pyplot as plt

    arrays = shown.arrays("images-digits")
    side = arrays["image"].shape[-1]
    figure, axes = plt.subplots(len(NETWORKS), 11, figsize=(8.2, 3.3))
    for row, (kind, name) in zip(axes, NETWORKS.items(), strict=True):
        pictures = arrays[f"maps_{kind}"][:, :-1].reshape(-1, side, side)
        row[0].imshow(arrays["image"][0], cmap="gray")
        row[0].set_ylabel(name)
        for place, (ax, picture) in enumerate(zip(row[1:], pictures, strict=True)):
            most = np.abs(picture).max()
            ax.imshow(picture, cmap="RdBu_r", vmin=-most, vmax=most)
            ax.set_title(str(place) if kind == "dense" else "")
        for ax in row:
            ax.set(xticks=[], yticks=[])
    return figure


def clustered(shown: Shown) -> pd.DataFrame:
    """Table 1 here: networks and sets in rows, numbers of clusters in columns."""
    rows = {}
    for arm, title in _sets(shown).items():
        counts = shown.arm(arm)[0].settings["clusters"]
        for kind, name in NETWORKS.items():
            columns = {f"k = {k}": (arm, f"clustered_{kind}_{k}") for k in counts}
            rows[f"{name}, {title}"] = columns | {"original": (arm, f"original_{kind}")}
    return tables.metrics_table(shown, rows, 1)


def carried(shown: Shown) -> pd.DataFrame:
    """Table 2 here with four controls below it; digits."""
    return _grid(shown, "mapped", True)


def carried_bare(shown: Shown) -> pd.DataFrame:
    """The same without the column of offsets, with what is then left of the networks themselves."""
    return _grid(shown, "bare_mapped", False)


def explained(shown: Shown) -> pd.DataFrame:
    """R² of the maps in the place of accuracies."""
    return _grid(shown, "r2", False)


def carried_fashion(shown: Shown) -> pd.DataFrame:
    """Table 2 on Fashion-MNIST."""
    return _grid(shown, "mapped", True, "images-fashion")


def _grid(shown: Shown, metric: str, mean_map: bool, arm: str = "images-digits") -> pd.DataFrame:
    rows = {
        f"from {name}": {f"to {to}": (arm, f"{metric}_{source}_{target}") for target, to in NETWORKS.items()}
        for source, name in (NETWORKS | CONTROLS).items()
    }
    own = {"mapped": "original", "bare_mapped": "bare_original"}.get(metric)
    if mean_map:
        rows["the mean map"] = {f"to {to}": (arm, f"clustered_{t}_1") for t, to in NETWORKS.items()}
    if own:
        rows["the network itself"] = {f"to {to}": (arm, f"{own}_{t}") for t, to in NETWORKS.items()}
    return tables.metrics_table(shown, rows, 3 if metric == "r2" else 1)


def clusters_said(shown: Shown) -> list[str]:
    """Accuracies with one map an output and with the most."""
    texts = []
    for arm, title in _sets(shown).items():
        counts = shown.arm(arm)[0].settings["clusters"]
        one, most = (
            ", ".join(f"{n} {_mean(shown, arm, f'clustered_{kind}_{k}'):.1f}" for kind, n in NETWORKS.items())
            for k in (counts[0], counts[-1])
        )
        texts.append(f"With one map an output, {title} (%): {one}. With {counts[-1]}: {most}.")
    return texts


def evidence_said(shown: Shown) -> list[str]:
    """What is lost on the way into Conv2 from another network, from the image, and from no training."""
    arm = "images-digits"
    sources = {"conv1": "Conv1", **CONTROLS}
    lost = ", ".join(
        f"{name} {tables.interval_text(_less(shown, 'original_conv2', f'mapped_{source}_conv2'), 1)}"
        for source, name in sources.items()
    )
    r2 = ", ".join(
        f"{name} {_mean(shown, arm, f'r2_{source}_conv2'):.2f}" for source, name in sources.items()
    ).replace("-", "−")
    sides = (shown.values(arm, f"mapped_{source}_conv2") for source in ("input", "conv1"))
    gain = t_interval([left - right for left, right in zip(*sides, strict=True)])
    alone = " Accuracy after carrying is therefore no evidence of similarity between networks by itself."
    return [
        f"Points lost into Conv2: {lost}. R² of the same: {r2}. From the image itself Conv2 keeps "
        f"{apart_text(gain, 'from Conv1')}.{alone if gain.above(0) else ''}"
    ]


def offsets_said(shown: Shown) -> list[str]:
    """What the column of offsets is worth into each network, and what the networks are without it."""
    worth = ", ".join(
        f"{name} {tables.interval_text(_less(shown, f'mapped_input_{k}', f'bare_mapped_input_{k}'), 1)}"
        for k, name in NETWORKS.items()
    )
    bare = ", ".join(
        f"{n} {_mean(shown, 'images-digits', f'bare_original_{k}'):.1f}" for k, n in NETWORKS.items()
    )
    return [
        f"The column of offsets is worth, in points and from the image itself: {worth}. With W alone the "
        f"networks themselves are right in (%): {bare}."
    ]


def _mean(shown: Shown, arm: str, metric: str) -> float:
    return shown.interval(arm, metric).mean


def _less(shown: Shown, left: str, right: str):
    pairs = zip(shown.values("images-digits", left), shown.values("images-digits", right), strict=True)
    return t_interval([a - b for a, b in pairs])


def cells_said(shown: Shown) -> list[str]:
    """How many training images lie in a cell that no other has, by network."""
    own = ", ".join(f"{n} {_mean(shown, 'images-digits', f'own_{k}'):.2f}" for k, n in NETWORKS.items())
    count = shown.arm("images-digits")[0].settings["mapped"]
    return [f"Of {count:,} training images this share has a pattern that no other one has (%): {own}."]
