"""Figures, tables and sentences of paper 4, sections 1 to 3, on networks of two widths and of two losses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.figures.stitching import means, over_pairs, stitching_figure
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

MAPS = {"absolute": "absolute", "relative": "relative", "centred": "centred only", "robust": "robust"}
OTHER = {"widths": "width", "losses": "loss"}


def maps_figure(shown: Shown, apart: str = "widths") -> Figure:
    """Heat maps of the four maps: every head with every network."""
    titles = {f"{arm}-{apart}": title for arm, title in MAPS.items()}
    return stitching_figure(shown, titles, (0, 90), _label, 1)


def _label(name: str) -> str:
    return f"{_called(_kind(name)).removeprefix('graph ')}, seed {_seed(name)}"


def heads_table(shown: Shown, apart: str = "widths") -> pd.DataFrame:
    """Accuracy of heads by what their network and the one that is tested differ in."""
    headings = {
        "own head (%)": "accuracy_own",
        "another seed (%)": "accuracy_seed",
        f"another {OTHER[apart]} (%)": "accuracy_kind",
        "own heads of the same networks (%)": "encoder_kind",
    }
    arms = {f"{arm}-{apart}": title for arm, title in MAPS.items()}
    known = {h: m for h, m in headings.items() if any(shown.values(arm, m) for arm in arms)}
    return tables.arms_table(shown, arms, known, 1)


def widths_said(shown: Shown) -> list[str]:
    """What crosses between widths, in which direction, and of how few networks that is said."""
    settings = shown.arm("robust-widths")[0].settings["students"]
    narrow, wide = (settings[name]["epochs"] for name in ("training", "teacher_training"))
    return [
        f"{_crossing(shown, 'widths')} {_directions(shown, 'robust-widths')}",
        "Absolute latents of one width do not fit a head of the other: there is no number.",
        f"The narrow networks were trained for {narrow} epochs and the wide one for {wide}. "
        f"{_conditional(shown, 'robust-widths')}",
    ]


def losses_said(losses: Shown) -> list[str]:
    """What crosses between losses, in which direction, and where first weights are shared."""
    epochs = losses.arm("robust-losses")[0].settings["losses"]["embedder"]["training"]["epochs"]
    return [
        f"{_crossing(losses, 'losses')} {_absolute(losses)} {_directions(losses, 'robust-losses')}",
        f"These networks were trained for {epochs} epochs. {_conditional(losses, 'robust-losses')}",
    ]


def _absolute(losses: Shown) -> str:
    """What foreign heads have on absolute latents, and what of it equal first weights explain."""
    every = _foreign(losses, "absolute-losses")
    shared = [pair for pair in every if _seed(pair[0]) == _seed(pair[1])]
    text = f"From absolute latents a foreign head is right in {_mean(losses, 'absolute-losses', every)} %"
    if len(shared) == len(every):
        return f"{text}; both networks began with the same weights."
    same = _mean(losses, "absolute-losses", shared)
    return f"{text}, and in {same} % where both networks began with the same weights."


def _mean(shown: Shown, arm: str, pairs: Sequence[tuple[str, str]]) -> str:
    return mean_text(over_pairs(shown, arm, pairs))


def _crossing(shown: Shown, apart: str) -> str:
    arms = [f"{arm}-{apart}" for arm in ("relative", "centred", "robust")]
    foreign = [mean_text(shown.interval(arm, "accuracy_kind")) for arm in arms]
    own = [mean_text(shown.interval(arm, "encoder_kind")) for arm in arms]
    gain, scales = (shown.paired(arms[2], arm, "accuracy_kind") for arm in arms[:2])
    return (
        f"A head of a network of another {OTHER[apart]} is right in {foreign[0]} % of the test images from "
        f"relative coordinates and in {foreign[2]} % from robust ones; the networks' own heads are "
        f"right in {own[0]} % and in {own[2]} %. Robust has {apart_text(gain)} than relative, and "
        f"{apart_text(scales)} than the shift alone."
    )


def _directions(shown: Shown, arm: str) -> str:
    """What heads of either kind have on the other."""
    scores: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for head, network in _foreign(shown, arm):
        scores.setdefault((_kind(head), _kind(network)), []).append((head, network))
    there, back = (_mean(shown, arm, pairs) for pairs in scores.values())
    one, other = map(_called, next(iter(scores)))
    return (
        f"From robust coordinates heads of {one} networks are right on {other} ones in {there} %, and "
        f"heads of {other} networks on {one} ones in {back} %."
    )


def _foreign(shown: Shown, arm: str) -> list[tuple[str, str]]:
    """Pairs of head and network of two kinds, by name."""
    return [pair for pair in product(means(shown, arm)[1], repeat=2) if _kind(pair[0]) != _kind(pair[1])]


def _called(kind: str) -> str:
    return kind.replace("widen ", "×").replace("width ", "×")


def _kind(name: str) -> str:
    return name.partition(" seed ")[0]


def _seed(name: str) -> str:
    return name.partition(" seed ")[2]


def _conditional(shown: Shown, arm: str) -> str:
    count = len(means(shown, arm)[1])
    return (
        f"The {count} networks are the same ones throughout: intervals are over labelled images and anchors, "
        f"and say nothing of other networks. {seeds_text(shown.interval(arm, 'accuracy_kind'))}"
    )
