"""Tables and sentences of paper 2, section 4.4: errors on corrupted images and the ratios made of them."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.evaluation import LEAST_HARM, mean_corruption_error, relative_mean_corruption_error
from lggkit.objectives import least_pair_loss, random_pair_loss
from lggkit.study import robust_means, tables, view
from lggkit.study.figures.robustness import corrupted_images, corruption_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.view import Shown

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
    """Both ratios of a network that errs ten points more on every image set, and with a larger clean "
    "error."""
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
    """Both ratios beside the differences that they are made of, and what they say together."""
    mce, relative = (tables.interval_text(shown.interval(OURS, m)) for m in ("mce", "relative_mce"))
    clean, mean = (shown.paired(OURS, REFERENCE, m) for m in ("clean_error", "mean_corrupted_error"))
    fewer, places = robust_means.fewer_errors(shown, OURS, REFERENCE)
    text = (
        f"Ours has an MCE of {mce} and a relative MCE of {relative}. Graph smoothness minus cross-entropy, "
        "paired by "
        f"seed, is {tables.interval_text(clean, 1)} points on clean images and "
        f"{tables.interval_text(mean, 1)} on "
        f"corrupted ones. It errs less under {fewer} of {places} pairs of corruption and severity."
    )
    below = shown.interval(OURS, "relative_mce").below(100)
    if below and clean.above(0) and mean.above(0):
        text += " So its relative MCE is low because its clean error is high: it had less to lose."
    return [text]


def lost_said(shown: Shown) -> list[str]:
    """Which share of its accuracy each loses, and the corruption that moves the relative mean most."""
    classes = view.class_count(shown.arm(OURS)[0].settings)
    lost = {
        arm: tables.interval_text(robust_means.accuracy_lost(shown, arm, classes), 1)
        for arm in (OURS, REFERENCE)
    }
    said = [
        f"Of its accuracy above guessing, corruption takes {lost[OURS]} % from graph smoothness and "
        f"{lost[REFERENCE]} % "
        "from cross-entropy. That, too, compares networks of unequal accuracy."
    ]
    if top := robust_means.leverage(shown, OURS):
        said.append(
            f"The mean over corruptions is not an even one. {top.corruption.replace('_', ' ').capitalize()} "
            "adds "
            f"{top.part:.1f} to a relative MCE of {top.whole:.1f}, because it hardly hurts the reference. "
            "Without it "
            f"the mean is {top.without:.1f}; the ratio of the harms summed over all corruptions is "
            f"{top.pooled:.1f}."
        )
    return said


def way_said(shown: Shown) -> list[str]:
    """How far training came from random points towards the least loss, and what follows for the row."""
    settings = shown.arm(OURS)[0].settings
    loss, classes = settings["loss"], view.class_count(settings)
    random = random_pair_loss(settings["dimension"], loss["alpha"])
    least, final = least_pair_loss(classes, loss["alpha"]), _pair_loss(shown, classes)
    gone = 100 * (random - final) / (random - least)
    return [
        f"Random points of the sphere in {settings['dimension']} dimensions have a loss a pair of "
        f"{random:.4f}, "
        f"and the least possible is {least:.4f}. Training ended at {final:.4f}: {_way_text(gone)}"
    ]


def _way_text(gone: float) -> str:
    if gone <= 0:
        return "no way from the former to the latter, so the row says nothing of classes that are separated."
    little = " The row says little about embeddings that this loss has separated." if gone < 50 else ""
    return f"{gone:.0f} % of the way from the former to the latter.{little}"


def _pair_loss(shown: Shown, classes: int) -> float:
    """The mean over the seeds of what training ended at, a pair of distinct classes."""
    settings = shown.arm(OURS)[0].settings
    loss, batch = settings["loss"], settings["training"]["batch_size"]
    pairs = batch * (batch - 1) * (1 - 1 / classes) if loss["reduction"] == "sum" else 1
    return fmean(r.curves["train_loss"][-1] / loss["weight"] / pairs for r in shown.arm(OURS))


def parts_said(shown: Shown) -> list[str]:
    """What the vote, the width of the output and the loss each do to the clean error and to MCE."""
    vote, wide, loss = (
        [tables.interval_text(shown.paired(left, right, metric), 1) for metric in ("clean_error", "mce")]
        for left, right in (
            ("cross_entropy_10nn", REFERENCE),
            (OURS, "graph_smoothness_d10"),
            ("graph_smoothness_d10", "cross_entropy_10nn"),
        )
    )
    return [
        "Cross-entropy asked through ten neighbours in its penultimate layer changes the answer alone: "
        f"{vote[0]} points "
        f"of clean error and {vote[1]} of MCE. The wide output of the table adds {wide[0]} points and "
        f"{wide[1]} of MCE to "
        f"graph smoothness with ten dimensions. What lies between, {loss[0]} points and {loss[1]} of MCE, "
        "is the loss "
        "together with its normalised output."
    ]


def images_said(shown: Shown) -> list[str]:
    """How many images and corruptions there are, whose they are, and which count."""
    settings = shown.arm(OURS)[0].settings
    return [
        f"{len(settings['corruptions'])} corruptions at {len(settings['severities'])} severities of "
        f"{settings.get('corruption_images') or 'all'} test images, {corrupted_images(shown)}, were "
        "measured. A "
        f"corruption counts in the relative mean of a seed if it costs that seed's cross-entropy network "
        f"{LEAST_HARM:g} points or more. This floor is ours; the paper names none."
    ]
