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
# # Robustness to corruptions (GSL 4.4, Table 2)

# %% tags=["remove-cell"]
import importlib.util
import os

if importlib.util.find_spec("lggkit") is None:  # in Colab
    os.system(
        "git clone --depth 1 https://github.com/lggkit/lggkit clone && python -m pip install --editable clone"
    )
    os.chdir("clone")

# %% tags=["parameters", "hide-input"]
scale = "smoke"  # smoke, short, reduced or paper

# %% tags=["hide-input"]
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures import robustness
from lggkit.study.figures.graph_smoothness_loss import s44_robustness as section

figures.use_style()
chapter = Chapter("graph_smoothness_loss/s44_robustness", scale)
ARMS = [arm for arm in chapter.titles if arm != "contact_sheet"]
everyone, parted = chapter.part(*chapter.table_arms), chapter.part(*ARMS)
sheet = chapter.part("contact_sheet")
present = everyone.recorded(ARMS)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# Does the graph smoothness loss withstand noise, blur and fog? [Hendrycks and Dietterich (2019)](../../book/bibliography.md "hendrycks2019") made fifteen corruptions of
# the CIFAR-10 test images, at five severities, which no network sees in training. In Table 2 of
# [Bontonou *et al.* (2019)](../../book/bibliography.md "bontonou2019") the loss errs a little more than cross-entropy on clean images, less on corrupted ones
# (MCE), and loses less by corruption (relative MCE). The table has three numbers a row and no number of runs.
#
# The row differs from cross-entropy in three things: the loss, many more output dimensions, and a vote of
# ten neighbours instead of the largest logit. This page adds two rows that change the answer alone and the width
# alone. It shows each corruption by itself, and the mean error that the ratios are made of.
#
# ## Table 2

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("table-2", "Cross-entropy has 100 by definition.")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.gaps_said, section.lost_said, section.way_said)

# %% [markdown]
# Only a cross-entropy network of the same clean error could tell the loss from a lack of training; there is none
# here. [Lassance *et al.* (2021a)](../../book/bibliography.md "lassance2021") print the same relative MCE beside *another* clean error; [LGG
# 4.2](../lgg/s42_embeddings.ipynb) sets the cells side by side.
#
# ## Three ways to say how much is lost
#
# Let $E_{s,c}$ be the error of a network under corruption $c$ at severity $s$, $E$ its clean error, and $E^0_{s,c}$
# and $E^0$ those of a reference network, in the papers and here the one trained with cross-entropy. Then
#
# $$
# \text{CE}_c = \frac{\sum_s E_{s,c}}{\sum_s E^0_{s,c}}, \qquad
# \text{relative CE}_c = \frac{\sum_s (E_{s,c} - E)}{\sum_s (E^0_{s,c} - E^0)},
# $$
#
# and MCE and relative MCE are their means over the corruptions, in percent. MCE asks who errs less on a corrupted
# image. Relative MCE asks who loses more *by* corruption, and who is bad from the start has little to lose:

# %% tags=["nbval-check-output"]
print(section.ratios_by_hand())

# %% [markdown]
# A larger clean error alone brings a relative MCE below 100. Its divisor can be close to zero, where the ratio is
# mostly noise, so a corruption below a floor is left out. Ratios are taken seed by seed: the reference is the
# cross-entropy network of the same seed, with the same initial shared layers and order of batches.
#
# ## The loss, the dimension, or the vote?

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
parted.waiting(ARMS)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
parted.say(section.parts_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
everyone.waiting()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Errors in percent and their means over the reference (seeds). Accuracy lost: the share of the accuracy above "
    "guessing that corruption takes. Intervals are over seeds on the same images."
)
everyone.show(section.arms, caption, "tab-gsl-s44-arms", present)

# %% [markdown]
# ## One corruption at a time

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: error under each corruption, mean over severities. Right: the same over that of the cross-entropy network of the same seed; left of the dotted line errs less than cross-entropy. 95 % intervals from three seeds on; the last row is the mean.", "name": "fig-gsl-by-corruption"}, "image": {"alt": "Two panels with a row for each corruption and a mark for each network.", "width": "100%"}}
figure = everyone.draw(robustness.corruption_figure, present)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Errors in percent under each corruption, mean over severities, and both ratios of graph smoothness over "
    "cross-entropy in percent, seed by seed (seeds). A dash stands where no seed's reference loses enough. The last row "
    "has mean error, MCE and relative MCE."
)
chapter.show(section.by_corruption, caption, "tab-gsl-s44-corruptions", chapter.titles)

# %% [markdown]
# ## How it grows
#
# MCE is made of the left panel, relative MCE of the right one. No error rises far above that of guessing: a network
# that begins with a larger error has less room.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Error against severity, mean over corruptions (left), and less the clean error (right). Thin lines are seeds, thick ones means.", "name": "fig-gsl-severity"}, "image": {"alt": "Two panels of curves rising with severity, one curve a network.", "width": "100%"}}
figure = everyone.draw(robustness.severity_figure, present)
# %% [markdown]
# ## The corruptions

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
sheet.waiting()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Fifteen corruptions at five severities of the first test images of CIFAR-10, made by our own generator, whatever the records are measured on; the first row is clean.", "name": "fig-gsl-corruptions"}, "image": {"alt": "A sheet of thumbnails, a column for each corruption and a row for each severity.", "width": "100%"}}
figure = sheet.draw(section.sheet_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.images_said)

# %% [markdown]
# Corrupted images of our own making are **CIFAR-10-C-like**: operations and severities are those of
# [Hendrycks and Dietterich (2019)](../../book/bibliography.md "hendrycks2019"), random numbers and the textures of frost are ours. Where the published arrays are found,
# they are used instead.
#
# ## Claims of this section
#
# A lower relative MCE (10c) is by itself no sign of robustness, so claim 10 asks for all three of its parts.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says; a band of its colour is what a claim of equality allows.", "name": "fig-gsl-s44-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
figure = chapter.length_figure()
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% [markdown]
# ## Where the settings come from
#
# [The deviations](../../book/graph_smoothness_loss/deviations.md) have those of training, and what is known of
# their effects.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.origins()

# %% [markdown]
# ## Records, and how to run this page again

# %% tags=["hide-cell"] mystnb={"markdown_format": "myst"}
chapter.provenance()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.rerun()
