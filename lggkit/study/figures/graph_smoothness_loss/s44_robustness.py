"""Tables and sentences of paper 2, section 4.4: errors on corrupted images and the ratios made of them."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.evaluation import mean_corruption_error, relative_mean_corruption_error
from lggkit.objectives import least_pair_loss, random_pair_loss
from lggkit.study.figures.robustness import corruption_table
from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.figures.said import images_said as images_said
from lggkit.study.judging.derived import loss_of
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.texts import sign_text
from lggkit.study.shown import robust_means, tables, view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

OURS, REFERENCE = "graph_smoothness", "cross_entropy"
COLUMNS = {
    "clean error, same images": "clean_error",
    "mean corrupted error": "mean_corrupted_error",
    "MCE": "mce",
    "relative MCE": "relative_mce",
    "corruptions in the relative mean": "relative_corruptions",
}


def sheet_figure(shown: Shown) -> Figure:
    """Fifteen corruptions at five severities of the first test images."""
    from lggkit.study.figures.corruptions import contact_sheet

    return contact_sheet(shown.arrays("contact_sheet")["images"])


def ratios_by_hand() -> str:
    """Both ratios of a network that errs ten points more everywhere, and with a larger clean error."""
    reference = {"fog": [20.0, 40.0], "noise": [30.0, 50.0]}
    worse = {name: [error + 10 for error in errors] for name, errors in reference.items()}
    relative = [relative_mean_corruption_error(worse, clean, reference, 5.0) for clean in (15.0, 25.0)]
    return (
        f"ten points worse on every image set: MCE {mean_corruption_error(worse, reference):.0f}, "
        f"relative MCE {relative[0]:.0f}\nclean error of 25 instead of 15: relative MCE {relative[1]:.0f}"
    )


def arms(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """Errors and ratios of every arm, and the share of its accuracy that corruption takes."""
    classes = view.class_count(shown.arm(OURS)[0].settings)
    present = {arm: title for arm, title in titles.items() if shown.arm(arm)}
    lost = [tables.interval_text(robust_means.accuracy_lost(shown, arm, classes), 1) for arm in present]
    return tables.arms_table(shown, present, COLUMNS, digits=2).assign(**{"accuracy lost (%)": lost})


def by_corruption(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """Errors under each corruption of graph smoothness and of cross-entropy, with both ratios."""
    return corruption_table(shown, titles, OURS, REFERENCE)


def gaps_said(shown: Shown) -> list[str]:
    """Differences in points first, then both ratios, and why the second may be low."""
    mce, relative = (mean_text(shown.interval(OURS, m)) for m in ("mce", "relative_mce"))
    clean, mean = (shown.paired(OURS, REFERENCE, m) for m in ("clean_error", "mean_corrupted_error"))
    fewer, places = robust_means.fewer_errors(shown, OURS, REFERENCE)
    text = (
        f"On corrupted images graph smoothness errs {apart_text(mean, 'cross-entropy')}, on the same images "
        f"as they are {apart_text(clean)}. It errs less under {fewer} of {places} pairs of corruption and "
        f"severity. Its MCE is {mce}, its relative MCE {relative}."
    )
    if shown.interval(OURS, "relative_mce").below(100) and clean.above(0) and mean.above(0):
        text += " The relative MCE is low because the clean error is high: there was less to lose."
    return [f"{text} {seeds_text(mean)}"]


def lost_said(shown: Shown) -> list[str]:
    """Which share of its accuracy each loses, and the corruption that moves the relative mean most."""
    classes = view.class_count(shown.arm(OURS)[0].settings)
    ours, theirs = (
        tables.interval_text(robust_means.accuracy_lost(shown, arm, classes), 1) for arm in (OURS, REFERENCE)
    )
    said = [
        f"Of the accuracy above guessing, corruption takes {ours} % from graph smoothness and {theirs} % "
        "from cross-entropy."
    ]
    if top := robust_means.leverage(shown, OURS):
        said.append(
            f"{top.corruption.replace('_', ' ').capitalize()} moves the relative MCE most: it adds "
            f"{top.part:.1f} of {top.whole:.1f}, because it hardly hurts the reference. Without it the mean "
            f"is {top.without:.1f}. The harms summed over all corruptions have a ratio of {top.pooled:.1f}."
        )
    return said


def way_said(shown: Shown) -> list[str]:
    """How far training came from random points towards the least loss, and what follows for the row."""
    settings = shown.arm(OURS)[0].settings
    loss, classes = loss_of(settings), view.class_count(settings)
    random = random_pair_loss(settings["dimension"], loss["alpha"])
    least, final = least_pair_loss(classes, loss["alpha"]), _pair_loss(shown, classes)
    return [
        f"{_way_text(100 * (random - final) / (random - least))} It ended at {final:.4f} a pair. Random "
        f"points of the sphere in {settings['dimension']} dimensions have {random:.4f}, and the least "
        f"possible is {least:.4f}.{_gate_text(shown)}"
    ]


def _gate_text(shown: Shown) -> str:
    """The same from the first weights on, as the gates of claims have it."""
    gone = shown.values(OURS, "progress")
    if not gone:
        return ""
    return (
        " The gate of the claims counts from the first weights, whose outputs lie closer together than "
        f"random points: from there it is {100 * fmean(gone):.0f} %."
    )


def _way_text(gone: float) -> str:
    if gone <= 0:
        return "Training did not lower the loss, so the row says nothing of classes that are separated."
    little = ", so the row says little of classes that are separated" if gone < 50 else ""
    return f"Training brought the loss {gone:.0f} % of the way from random points to the least{little}."


def _pair_loss(shown: Shown, classes: int) -> float:
    """The mean over the seeds of what training ended at, a pair of distinct classes."""
    settings = shown.arm(OURS)[0].settings
    loss, batch = loss_of(settings), settings["training"]["batch_size"]
    pairs = batch * (batch - 1) * (1 - 1 / classes) if loss["reduction"] == "sum" else 1
    return fmean(r.curves["train_loss"][-1] / loss["weight"] / pairs for r in shown.arm(OURS))


def parts_said(shown: Shown) -> list[str]:
    """What the vote, the loss and the width of the output each do to the clean error and to MCE."""
    steps = (
        [shown.paired(left, right, metric) for metric in ("clean_error", "mce")]
        for left, right in (
            ("cross_entropy_10nn", REFERENCE),
            ("graph_smoothness_d10", "cross_entropy_10nn"),
            (OURS, "graph_smoothness_d10"),
        )
    )
    vote, loss, wide = (" and ".join(map(added_text, step)) for step in steps)
    return [
        "Three steps lead from cross-entropy to graph smoothness, each with its points of clean error on the "
        f"images that are corrupted, and of MCE. Ten neighbours instead of the largest logit add {vote}. The "
        f"loss, with its normalised output of ten dimensions, adds {loss}. The wide output adds {wide}. "
        f"{seeds_text(shown.paired(OURS, REFERENCE, 'mce'))}"
    ]


def added_text(interval: Interval) -> str:
    """What a step adds, and whether the seeds can tell it from nothing."""
    undecided = sign_text(interval, "", "")
    return f"{mean_text(interval)}{' (no more than the seeds differ)' if undecided else ''}"
