"""Three maps of how alike the depths of two networks are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lggkit.study.figures.parts import panels
from lggkit.study.figures.style import use_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.evaluation.network_similarity import NetworkSimilarity


def similarity_figure(result: NetworkSimilarity, titles: Mapping[str, str]) -> Figure:
    """A panel a measure, the first network's depths from bottom to top; 0 and below are one colour."""
    use_style()
    figure, axes = panels(len(titles), 3.4, sharey=True)
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        look = {"vmin": 0, "vmax": 1, "cmap": "viridis", "origin": "lower", "aspect": "auto"}
        image = ax.imshow(getattr(result, name).numpy(), **look)
        chance = float(getattr(result, f"{name}_chance").mean())
        ax.set_title(f"{title}\n(by chance {max(chance, 0.0):.2f})")
        ax.set_xticks(range(len(result.second)), result.second, rotation=90, fontsize=8)
        ax.set_yticks(range(len(result.first)), result.first, fontsize=8)
    figure.supxlabel("second network")
    figure.supylabel("first network")
    figure.colorbar(image, ax=list(axes), shrink=0.8)
    return figure
