# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   language_info:
#     name: python
# ---

# %% [markdown]
# (gsl-s44)=
# # Section 4.4: robustness to corruptions, and Table 2
#
# A photograph may be noisy, out of focus or taken in fog. {cite:t}`hendrycks2019` made fifteen such
# corruptions of the CIFAR-10 test images, at five severities each, which no network sees in training.
# {cite:t}`bontonou2019` report that a network trained with the graph smoothness loss errs a little more on
# clean images than one trained with cross-entropy, less on corrupted ones (MCE), and loses less by the
# corruption (relative MCE). Table 2 says so with three numbers a row, from no stated number of runs.
#
# The row differs from cross-entropy in more than the loss: it has an output of many more dimensions, and it
# answers by a vote of ten neighbours. So this chapter adds two rows that change the answer alone and the
# width alone, shows each corruption by itself, and states the mean error that the ratios are made of.

# %% tags=["parameters"]
scale = "smoke"

# %%
from statistics import fmean

import pandas as pd
from IPython.display import Markdown

from lggkit import experiments
from lggkit.data import load
from lggkit.data.corruptions import CORRUPTIONS, source_of
from lggkit.evaluation import LEAST_HARM, mean_corruption_error, relative_mean_corruption_error
from lggkit.objectives import least_pair_loss, random_pair_loss
from lggkit.study import figures, robust_means, tables, view
from lggkit.study.figures import corruptions, robustness
from lggkit.study.statistics import t_interval

figures.use_style()
NAME = "graph_smoothness_loss/s44_robustness"
experiment = experiments.get(NAME)
titles = {arm.name: arm.title for arm in experiment.arms if arm.name != "contact_sheet"}
in_table = {arm.name: arm.title for arm in experiment.arms if arm.table}

# %% [markdown]
# ## Three ways to say how much is lost
#
# Let $E_{s,c}$ be the error of a network under corruption $c$ at severity $s$, $E$ its clean error, and
# $E^0_{s,c}$ and $E^0$ those of a reference network, in the papers and here the one trained with
# cross-entropy. Then
#
# $$
# \text{CE}_c = \frac{\sum_s E_{s,c}}{\sum_s E^0_{s,c}}, \qquad
# \text{relative CE}_c = \frac{\sum_s (E_{s,c} - E)}{\sum_s (E^0_{s,c} - E^0)},
# $$
#
# and MCE and relative MCE are their means over the corruptions, in percent. They answer different questions.
# The first asks who errs less on a corrupted image; it weighs every corruption alike, however hard it is. The
# second asks who loses more *by* the corruption, and a network that is bad from the start has little to lose:

# %% tags=["nbval-check-output"]
reference = {"fog": [20.0, 40.0], "noise": [30.0, 50.0]}
worse = {name: [error + 10 for error in errors] for name, errors in reference.items()}
print(f"ten points worse on every image set: MCE {mean_corruption_error(worse, reference):.0f},", end=" ")
print(f"relative MCE {relative_mean_corruption_error(worse, 15.0, reference, 5.0):.0f}")
print(f"clean error of 25 instead of 15: {relative_mean_corruption_error(worse, 25.0, reference, 5.0):.0f}")

# %% [markdown]
# A relative MCE below 100 can therefore be had by a larger clean error alone. It divides, too, by something
# that can be close to zero, for there are corruptions that hardly hurt. Then the ratio is mostly noise, and a
# single such ratio can outweigh all others; so there is a floor, below which a corruption is left out of the
# mean. Neither ratio should be read without the mean error on corrupted images that is printed beside them.
#
# ## What is measured
#
# All ratios are taken seed by seed: the reference of a network is the cross-entropy network with the same
# seed, initialisation of the shared layers and order of batches, so that the spread of a ratio is not that
# of two unrelated runs.

# %%
measured = view.measure(NAME, scale)
shown = view.highest(NAME)
everyone = view.highest(NAME, arms=tuple(titles))
settings = shown.arm("graph_smoothness")[0].settings
live = measured.arm("graph_smoothness")[0].settings
images = load(view.data_name(live), train=False)


# %% tags=["hide-input"]
def difference(left, right, metric, where=everyone):
    """The difference of two arms, paired by seed."""
    return tables.interval_text(where.paired(left, right, metric), 1)


def pair_losses(arm):
    """The mean over the seeds of what an arm's training ended at, a pair of distinct classes."""
    loss, batch = settings["loss"], settings["training"]["batch_size"]
    pairs = batch * (batch - 1) * (1 - 1 / CLASSES) if loss["reduction"] == "sum" else 1
    return fmean(r.curves["train_loss"][-1] / loss["weight"] / pairs for r in shown.arm(arm))


PAIR = ("graph_smoothness", "cross_entropy")
CLASSES = view.class_count(settings)
alpha, dimension = settings["loss"]["alpha"], settings["dimension"]
ends = {"random": random_pair_loss(dimension, alpha), "least": least_pair_loss(CLASSES, alpha)}
gone = 100 * (ends["random"] - pair_losses(PAIR[0])) / (ends["random"] - ends["least"])
leverage = robust_means.leverage(shown, PAIR[0])
fewer, places = robust_means.fewer_errors(shown, *PAIR)
lost = {arm: tables.interval_text(robust_means.accuracy_lost(shown, arm, CLASSES), 1) for arm in PAIR}
view.glue(
    {
        "g44-scale": shown.scale,
        "g44-all-scale": everyone.scale,
        "g44-data": view.data_title(settings),
        "g44-network": view.network_title(settings),
        "g44-width": str(settings["width"]),
        "g44-epochs": str(settings["training"]["epochs"]),
        "g44-seeds": str(len(shown.arm("graph_smoothness"))),
        "g44-images": str(settings.get("corruption_images") or "all"),
        "g44-corruptions": str(len(settings["corruptions"])),
        "g44-severities": str(len(settings["severities"])),
        "g44-device": shown.devices,
        "g44-live-images": source_of(images),
        "g44-shown-images": robustness.corrupted_images(shown),
        "g44-floor": f"{LEAST_HARM:g}",
        "g44-mean-gap": difference(*PAIR, "mean_corrupted_error", shown),
        "g44-fewer": str(fewer),
        "g44-places": str(places),
        "g44-random": f"{ends['random']:.4f}",
        "g44-least": f"{ends['least']:.4f}",
        "g44-final": f"{pair_losses(PAIR[0]):.4f}",
        "g44-gone": f"{gone:.0f}",
        "g44-dimension": str(dimension),
        "g44-lost": lost[PAIR[0]],
        "g44-lost-reference": lost[PAIR[1]],
        "g44-vote-clean": difference("cross_entropy_10nn", "cross_entropy", "clean_error"),
        "g44-vote-mce": difference("cross_entropy_10nn", "cross_entropy", "mce"),
        "g44-wide-clean": difference("graph_smoothness", "graph_smoothness_d10", "clean_error"),
        "g44-wide-mce": difference("graph_smoothness", "graph_smoothness_d10", "mce"),
        "g44-loss-clean": difference("graph_smoothness_d10", "cross_entropy_10nn", "clean_error"),
        "g44-loss-mce": difference("graph_smoothness_d10", "cross_entropy_10nn", "mce"),
        "g44-top": leverage.corruption.replace("_", " ") if leverage else "–",
        "g44-top-part": f"{leverage.part:.1f}" if leverage else "–",
        "g44-top-whole": f"{leverage.whole:.1f}" if leverage else "–",
        "g44-top-without": f"{leverage.without:.1f}" if leverage else "–",
        "g44-pooled": f"{leverage.pooled:.1f}" if leverage else "–",
        "g44-clean-gap": difference(*PAIR, "clean_error", shown),
        "g44-mce": tables.interval_text(shown.interval("graph_smoothness", "mce")),
        "g44-relative": tables.interval_text(shown.interval("graph_smoothness", "relative_mce")),
    }
)

# %% [markdown]
# Shown here: the {glue:text}`g44-scale` scale on {glue:text}`g44-data`, {glue:text}`g44-network` of base
# width {glue:text}`g44-width`, {glue:text}`g44-epochs` epochs, {glue:text}`g44-seeds` seeds,
# {glue:text}`g44-corruptions` corruptions at {glue:text}`g44-severities` severities of
# {glue:text}`g44-images` test images, measured on {glue:text}`g44-device`. At smoke scale the handwritten
# digits stand in for CIFAR-10 and a few corruptions for all fifteen, so that its numbers say only that the
# code runs.
#
# Corrupted images of our own making are **CIFAR-10-C-like**: the operations and severities are those of
# {cite:t}`hendrycks2019`, the random numbers are not, and the textures of frost are synthetic. The published
# arrays are used in their place where they are found. The records shown here were measured on
# {glue:text}`g44-shown-images` images.
#
# A corruption counts in the relative mean of a seed if it raises the error of that seed's cross-entropy
# network by {glue:text}`g44-floor` points or more, severities averaged. How many do is printed beside the
# mean in {numref}`tab-gsl-s44-arms`. The floor is ours; the paper names none.
#
# ## The corruptions

# %% mystnb={"figure": {"caption": "Fifteen corruptions at five severities of the first test images of CIFAR-10 (of the digits where only smoke scale is recorded), made by our own generator, whatever the records are measured on; the first row is clean.", "name": "fig-gsl-corruptions"}, "image": {"alt": "A sheet of thumbnails, a column for each corruption and a row for each severity.", "width": "100%"}}
sheet = view.highest(NAME, arms=["contact_sheet"])
figure = corruptions.contact_sheet(sheet.arrays("contact_sheet")["images"])
# %% [markdown]
# The live run of this page is measured on {glue:text}`g44-live-images` images.
#
# ## Table 2

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Table 2: clean test error in percent, MCE and relative MCE, the paper's and ours: mean ± half the 95 % "
    f"t-interval (number of seeds); at the {shown.scale} scale on {robustness.corrupted_images(shown)} images, "
    "at smoke scale on digits with a few corruptions. Cross-entropy has 100 by definition. A cell gets its verdict at paper scale only."
)
Markdown(tables.as_myst(tables.paper_table("graph_smoothness_loss", "table-2"), caption, "tab-gsl-table-2"))

# %% [markdown]
# {cite:t}`lassance2021` print the same relative MCE beside *another* clean error, the one which Table 1 of
# this paper gives for a single neighbour. {numref}`tab-lgg-s42-conflict` sets the cells of the two side by
# side.
#
# Ours has an MCE of {glue:text}`g44-mce` and a relative MCE of {glue:text}`g44-relative`. Graph smoothness
# minus cross-entropy, paired by seed and without a reference to divide by: {glue:text}`g44-clean-gap`
# points on the clean images of the same set, and {glue:text}`g44-mean-gap` points of mean error on the
# corrupted ones. Severities and seeds averaged, it errs less than cross-entropy under {glue:text}`g44-fewer`
# of {glue:text}`g44-places` pairs of corruption and severity.
#
# A relative MCE below 100 beside two gaps above zero does not show robustness: a network with a larger clean
# error has less to lose. So {numref}`tab-gsl-s44-arms` has another column, the share of the accuracy above
# guessing that corruption takes. Here it is {glue:text}`g44-lost` %, and {glue:text}`g44-lost-reference` %
# with cross-entropy. That, too, compares a good network with a bad one. To tell what the loss does from what
# more training would do, a network with cross-entropy and the same clean error would be needed.
#
# Nor is the mean over corruptions an even one. {glue:text}`g44-top` adds {glue:text}`g44-top-part` to a
# relative MCE of {glue:text}`g44-top-whole`, because it hardly hurts the reference; without it the mean is
# {glue:text}`g44-top-without`, and the ratio of the harms summed over all corruptions is
# {glue:text}`g44-pooled`. The floor keeps noise out of the mean, not this.
#
# How far has this network come? Points strewn at random over the sphere in {glue:text}`g44-dimension`
# dimensions have a loss a pair of {glue:text}`g44-random`, and the least that is possible is
# {glue:text}`g44-least`. Training ended at {glue:text}`g44-final`: it has gone {glue:text}`g44-gone` % of the
# way from the former to the latter. Where that is next to nothing, the row tells little about embeddings
# that this loss has separated, whether they are robust or not.
#
# ## The loss, the dimension, or the vote?
#
# Cross-entropy asked through ten neighbours in its penultimate layer keeps the network and changes the
# answer: {glue:text}`g44-vote-clean` points of clean error and {glue:text}`g44-vote-mce` of MCE. Graph
# smoothness with as many dimensions as classes keeps loss and answer and changes the width of the output; the
# wide one of the table adds {glue:text}`g44-wide-clean` points and {glue:text}`g44-wide-mce` of MCE. What
# lies between, {glue:text}`g44-loss-clean` points and {glue:text}`g44-loss-mce` of MCE, is the loss together
# with its normalised output, which these rows do not separate. Shown at the {glue:text}`g44-all-scale` scale.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
columns = {
    "clean error, same images": "clean_error",
    "mean corrupted error": "mean_corrupted_error",
    "MCE": "mce",
    "relative MCE": "relative_mce",
    "corruptions in the relative mean": "relative_corruptions",
}
caption = (
    f"Errors in percent and their means over the reference, {robustness.corrupted_images(everyone)} images; "
    "mean ± half the 95 % interval (number of seeds). Accuracy lost: the share of the accuracy above guessing "
    "that corruption takes. Intervals are over seeds on the same images; they leave out the draw of the images."
)
present = {arm: title for arm, title in titles.items() if everyone.arm(arm)}
shares = [tables.interval_text(robust_means.accuracy_lost(everyone, arm, CLASSES), 1) for arm in present]
frame = tables.arms_table(everyone, present, columns, digits=2).assign(**{"accuracy lost (%)": shares})
Markdown(tables.as_myst(frame, caption, "tab-gsl-s44-arms"))

# %% [markdown]
# ## One corruption at a time
#
# A mean over many ratios can come from many small differences or from one large one.

# %% mystnb={"figure": {"caption": "Left: error under each corruption, mean over severities. Right: the same over that of the cross-entropy network of the same seed; left of the dotted line errs less than cross-entropy. 95 % intervals from three seeds on; the last row is the mean.", "name": "fig-gsl-by-corruption"}, "image": {"alt": "Two panels with a row for each corruption and a mark for each network.", "width": "100%"}}
figure = robustness.corruption_figure(everyone, present)


# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
def text(values):
    """Mean ± half the 95 % interval of what can be divided."""
    finite = [value for value in values if value is not None]
    return tables.interval_text(t_interval(finite), 1) if finite else "–"


def ratio(ours, theirs, least=0.0):
    """In percent, or None where there is too little to divide by."""
    return 100 * ours / theirs if theirs > 0 and theirs >= least else None


def row(corruption):
    """Errors under one corruption, mean over severities, and both ratios."""
    ours, theirs = ([fmean(e) for e in shown.values(arm, f"errors_{corruption}")] for arm in PAIR)
    harm, reference_harm = (
        [error - clean for error, clean in zip(errors, shown.values(arm, "clean_error"), strict=True)]
        for errors, arm in zip((ours, theirs), PAIR, strict=True)
    )
    return {
        "corruption": corruption.replace("_", " "),
        in_table["cross_entropy"]: text(theirs),
        in_table["graph_smoothness"]: text(ours),
        "CE": text(map(ratio, ours, theirs)),
        "relative CE": text(ratio(*pair, LEAST_HARM) for pair in zip(harm, reference_harm, strict=True)),
    }


overall = {
    "corruption": "mean over corruptions",
    in_table["cross_entropy"]: text(shown.values("cross_entropy", "mean_corrupted_error")),
    in_table["graph_smoothness"]: text(shown.values("graph_smoothness", "mean_corrupted_error")),
    "CE": text(shown.values("graph_smoothness", "mce")),
    "relative CE": text(shown.values("graph_smoothness", "relative_mce")),
}
recorded = [name for name in CORRUPTIONS if shown.values("graph_smoothness", f"errors_{name}")]
frame = pd.DataFrame([*map(row, recorded), overall])
caption = (
    "Errors in percent under each corruption, mean over severities, and both ratios of graph smoothness over "
    "cross-entropy in percent, seed by seed; mean ± half the 95 % interval (number of seeds). A relative "
    f"ratio is of the seeds whose cross-entropy network loses {LEAST_HARM:g} points or more, a dash if none "
    "does. The last row has mean error, MCE and relative MCE."
)
Markdown(tables.as_myst(frame, caption, "tab-gsl-s44-corruptions"))

# %% [markdown]
# ## How it grows
#
# The left panel of {numref}`fig-gsl-severity` is what MCE is made of, the right one what relative MCE is made
# of. No error rises far above that of guessing, so a network that begins with a larger one has less room to
# rise: a flatter curve on the right is a merit only if the curve on the left is not the higher one.

# %% mystnb={"figure": {"caption": "Error against severity, mean over corruptions (left), and less the clean error (right). Thin lines are seeds, thick ones means.", "name": "fig-gsl-severity"}, "image": {"alt": "Two panels of curves rising with severity, one curve a network.", "width": "95%"}}
figure = robustness.severity_figure(everyone, present)
# %% [markdown]
# ## Where the settings come from

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
SIZES = {"mean": "search on held-out images at short scale", "sum": "paper: the sum"}
loss = experiment.spec("graph_smoothness", shown.scale).protocol.embedder.loss
origin = pd.DataFrame(
    [
        ("neighbours in the graph of the loss", loss.k or "all", "paper, section 4.4"),
        ("dimension of the output", settings["dimension"], "paper, section 4.4"),
        ("scale α", loss.alpha, "paper, section 4.4"),
        ("neighbours that vote", settings["vote"], "paper, section 4.4"),
        ("base of the vote", "embedded training images", "guess"),
        ("size of the loss", f"{loss.reduction} over pairs × {loss.weight:g}", SIZES[loss.reduction]),
        ("epochs", settings["training"]["epochs"], "paper: 200; fewer at lower scales"),
        ("answer of cross-entropy", "largest logit", "usual; not stated"),
        ("reference of the ratios", "cross-entropy, same seed", "paper; pairing by seed is ours"),
        ("corrupted images", robustness.corrupted_images(shown), "paper: CIFAR-10-C"),
        ("least harm to count in the relative mean", f"{LEAST_HARM:g} points", "ours"),
        ("images corrupted", settings.get("corruption_images") or "all", "paper: all of the test set"),
    ],
    columns=["setting", "value shown", "origin"],
)
caption = "Settings of the row with graph smoothness and where each of them is from."
Markdown(tables.as_myst(origin, caption, "tab-gsl-s44-origin"))

# %% [markdown]
# {doc}`/book/graph_smoothness_loss/deviations` has those of training, and what is known of their effects.
#
# ## Claims of this section
#
# A lower relative MCE, claim 10c, is by itself no sign of robustness, as said above; claim 10 asks for all
# three of its parts. "Contradicted" at short scale is said of networks that were trained far shorter than
# the paper's.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Claims that section 4.4's runs decide, and their verdicts; ✓ marks those that survive Holm's correction."
)
claims = tables.claims_table("graph_smoothness_loss", NAME)
Markdown(tables.as_myst(claims, caption, "tab-gsl-s44-claims"))

# %% [markdown]
# ## What this run measured

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
Markdown(
    tables.as_myst(
        tables.provenance(measured, shown, everyone), "Records behind this page.", "tab-gsl-s44-records"
    )
)
