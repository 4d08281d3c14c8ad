"""Heat maps of every decoder with every encoder, for sections that stitch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit.study.figures.parts import panels
from lggkit.study.figures.style import PAGE
from lggkit.study.judging.statistics import Interval, t_interval
from lggkit.study.judging.texts import interval_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

SHORT = {
    "tokens": "words",
    "tokens b": "words b",
    "characters": "chars",
    "network b": "net b",
    "network": "net",
}
ROOMY = 5
"""Encoders in a row that leave room for decimals."""


def stitching_figure(
    shown: Shown,
    titles: Mapping[str, str],
    span: tuple[float, float] = (20, 70),
    label: Callable[[str], str] | None = None,
    digits: int = 0,
) -> Figure:
    """A panel an arm: mean accuracy over seeds of every decoder (rows) with every encoder (columns).

    A dash stands where a pair has none. Colours go over ``span``; ``label`` shortens the encoders' names;
    decimals are left out where there are more than `ROOMY` of them.
    """
    figure, axes = panels(len(titles), 3.6, PAGE, sharex=True, sharey=True)
    dark = span[0] + 0.56 * (span[1] - span[0])
    for ax, (arm, title) in zip(axes, titles.items(), strict=True):
        mean, named = means(shown, arm)
        image = ax.imshow(mean, vmin=span[0], vmax=span[1], cmap="viridis")
        names = [(label or _short)(name) for name in named]
        ax.set_xticks(range(len(names)), names, rotation=60, ha="right")
        ax.set_yticks(range(len(names)), names)
        ax.set_title(title)
        for (i, j), value in np.ndenumerate(mean):
            text = "–" if np.isnan(value) else f"{value:.{digits if len(names) <= ROOMY else 0}f}"
            color = "white" if value < dark else "black"
            ax.text(j, i, text, ha="center", va="center", fontsize=8, color=color)
    figure.supxlabel("encoder")
    figure.supylabel("decoder")
    figure.colorbar(image, ax=list(axes), label="accuracy (%)", shrink=0.7)
    return figure


def means(shown: Shown, arm: str) -> tuple[np.ndarray, list[str]]:
    """Mean accuracy over seeds, decoders in rows and encoders in columns, and the encoders' names."""
    arrays = [shown.arrays(arm, record.seed) for record in shown.arm(arm)]
    return np.mean([one["accuracy"] for one in arrays], axis=0), [str(name) for name in arrays[0]["names"]]


def over_pairs(
    shown: Shown, arm: str, pairs: Collection[tuple[str, str]], score: str = "accuracy"
) -> Interval:
    """Mean score over pairs of decoder and encoder by name, with its interval over seeds.

    Raises:
        ValueError: there is no such pair, or one of them has no such score.
    """
    arrays = [shown.arrays(arm, record.seed) for record in shown.arm(arm)]
    names = [str(name) for name in arrays[0]["names"]]
    rows, columns = zip(*((names.index(one), names.index(other)) for one, other in pairs), strict=True)
    return t_interval([float(np.mean(one[score][rows, columns], dtype=float)) for one in arrays])


def languages_table(
    shown: Shown, titles: Mapping[str, str], scores: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """As the poster's tables lie: by the languages of decoder and encoder, which are of one kind.

    Accuracy, or each of several ``scores`` by their titles, which records keep as arrays.
    """
    names = means(shown, next(iter(titles)))[1]
    languages, kinds = (list(dict.fromkeys(part)) for part in zip(*map(_parts, names), strict=True))
    rows = []
    for decoder, encoder in product(languages, repeat=2):
        pairs = [(f"{decoder} {kind}", f"{encoder} {kind}") for kind in kinds]
        for score, heading in (scores or {"accuracy": ""}).items():
            row = {"decoder, encoder": f"{decoder}, {encoder}"} | ({"score": heading} if heading else {})
            for arm, title in titles.items():
                row[title] = interval_text(over_pairs(shown, arm, pairs, score), 1)
            rows.append(row)
    return pd.DataFrame(rows)


def _parts(name: str) -> tuple[str, str]:
    language, _, kind = name.partition(" ")
    return language, kind


def _short(name: str) -> str:
    language, kind = _parts(name)
    return f"{language} {SHORT.get(kind, kind)}"
