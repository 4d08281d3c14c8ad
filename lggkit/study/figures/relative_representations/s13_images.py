"""Figures, tables and sentences of paper 4, sections 1 to 3, on images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit.study.figures.parts import dots, looks, marked_interval, one_legend
from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.figures.style import PAGE
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

MAPS = {"absolute": "absolute", "relative": "relative", "centred": "centred only", "robust": "robust"}
RELATIONS = {"own": "nothing (own)", "seed": "seed", "kind": "seed and width"}
ROWS = {"absolute": "absolute", "relative": "relative", "robust": "robust"}


def pictures_figure(shown: Shown) -> Figure:
    """Tested pictures: as they are, by the own decoder, and by a foreign one from each map, in rows."""
    import matplotlib.pyplot as plt

    arrays = {arm: shown.arrays(arm) for arm in ROWS}
    rows = {
        "original": arrays["robust"]["original"],
        "robust,\nown": arrays["robust"]["own"],
        **{f"{title},\nforeign": arrays[arm]["foreign"] for arm, title in ROWS.items()},
    }
    count = len(rows["original"])
    figure, axes = plt.subplots(len(rows), count, figsize=(PAGE, 0.84 * len(rows)))
    for line, (title, pictures) in zip(axes, rows.items(), strict=True):
        for ax, picture in zip(line, pictures, strict=True):
            ax.imshow(np.moveaxis(picture, 0, -1).squeeze(), cmap="gray", vmin=0, vmax=255)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def explained_figure(shown: Shown) -> Figure:
    """Explained variance by what decoder and encoder differ in, an arm a mark."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(PAGE, 3.2))
    look = looks(shown.experiment)
    for place, (arm, title) in enumerate(MAPS.items()):
        for x, name in enumerate(RELATIONS):
            at, values = x + 0.17 * (place - 1.5), shown.values(arm, f"explained_{name}")
            marked_interval(ax, at, values, look[arm], None if x else title, upright=True)
            dots(ax, at + 0.08, values, upright=True)
    ax.axhline(0, color="#888888", lw=1, ls=":")
    ax.set_xticks(range(len(RELATIONS)), RELATIONS.values())
    ax.set(xlabel="encoder and decoder differ in", ylabel="explained variance (%)")
    one_legend(figure, ax)
    return figure


def networks_table(students: Shown) -> pd.DataFrame:
    """Accuracy of heads on networks that differ in seed and loss."""
    arms = {f"{arm}-networks": title for arm, title in MAPS.items()}
    headings = {
        "own head (%)": "accuracy_own",
        "another seed (%)": "accuracy_seed",
        "another loss (%)": "accuracy_kind",
        "all foreign (%)": "accuracy_stitched",
    }
    return tables.arms_table(students, arms, headings, 1)


def pictures_said(shown: Shown) -> list[str]:
    """What each map is worth with a foreign decoder, and what it costs with the own one."""
    foreign = {arm: mean_text(shown.interval(arm, "explained_stitched")) for arm in MAPS}
    robust, centred = (shown.paired(arm, "relative", "explained_stitched") for arm in ("robust", "centred"))
    scales = shown.paired("robust", "centred", "explained_stitched")
    cost = shown.paired("robust", "absolute", "explained_own")
    return [
        f"A foreign decoder explains {foreign['relative']} % of the variance of tested pictures from "
        f"relative coordinates and {foreign['robust']} % from robust ones; from absolute ones it explains "
        f"{foreign['absolute']} %, where 0 is the mean picture. Robust explains {apart_text(robust)} than "
        f"relative, the shift alone {apart_text(centred)}, and dividing by the deviations after it "
        f"{apart_text(scales)}. With the own decoder the robust map explains {apart_text(cost)} than the "
        f"latents themselves. {seeds_text(robust)}"
    ]


def networks_said(students: Shown) -> list[str]:
    """Heads across seeds and losses, and that intervals are of one set of networks."""
    seed = {arm: mean_text(students.interval(f"{arm}-networks", "accuracy_seed")) for arm in MAPS}
    own = mean_text(students.interval("absolute-networks", "accuracy_own"))
    gain = students.paired("robust-networks", "relative-networks", "accuracy_stitched")
    settings = students.arm("absolute-networks")[0].settings["students"]
    return [
        f"On networks of another seed a head is right in {seed['absolute']} % of the test images from "
        f"absolute latents, in {seed['relative']} % from relative ones and in {seed['robust']} % from robust "
        f"ones; on its own network, from absolute latents, in {own} %. Over all foreign networks robust has "
        f"{apart_text(gain)} than relative. The networks were trained for {settings['training']['epochs']} "
        "epochs and are the same ones throughout: intervals are over labelled images and anchors. Those of "
        "other losses share the first weights of seed 0."
    ]
