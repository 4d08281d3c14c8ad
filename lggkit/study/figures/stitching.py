"""Heat maps of every decoder with every encoder, for sections that stitch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.parts import panels
from lggkit.study.figures.style import PAGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.view import Shown

SHORT = {"characters": "chars", "network b": "net b", "network": "net"}


def stitching_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """A panel an arm: mean accuracy over seeds of every decoder (rows) with every encoder (columns)."""
    figure, axes = panels(len(titles), 3.6, PAGE, sharex=True, sharey=True)
    for ax, (arm, title) in zip(axes, titles.items(), strict=True):
        arrays = [shown.arrays(arm, record.seed) for record in shown.arm(arm)]
        mean = np.mean([one["accuracy"] for one in arrays], axis=0)
        image = ax.imshow(mean, vmin=20, vmax=70, cmap="viridis")
        names = [_short(str(name)) for name in arrays[0]["names"]]
        ax.set_xticks(range(len(names)), names, rotation=60, ha="right")
        ax.set_yticks(range(len(names)), names)
        ax.set_title(title)
        for (i, j), value in np.ndenumerate(mean):
            color = "white" if value < 48 else "black"
            ax.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=8, color=color)
    figure.supxlabel("encoder")
    figure.supylabel("decoder")
    figure.colorbar(image, ax=list(axes), label="accuracy (%)", shrink=0.7)
    return figure


def _short(name: str) -> str:
    language, _, kind = name.partition(" ")
    return f"{language} {SHORT.get(kind, kind)}"
