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
# # Classifying with an embedding (GSL 4.3, Table 1)

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
from lggkit.study.figures import sweeps
from lggkit.study.figures.graph_smoothness_loss import s43_classification as section
from lggkit.study.figures.graph_smoothness_loss import s43_search as search
from lggkit.study.shown import tables

figures.use_style()
chapter = Chapter("graph_smoothness_loss/s43_classification", scale, arms=section.PAIR)
TABLE = {arm: title for arm, title in chapter.table_arms.items() if arm != "exact"}
EIGHT = {arm: title for arm, title in chapter.titles.items() if "8of10" in arm}
SIZES = {arm: title for arm, title in chapter.titles.items() if arm in search.WEIGHED}
swept, sized, tuned = (chapter.part(*arms) for arms in (search.SWEPT, SIZES, search.SEARCH))
eight = chapter.part(*EIGHT)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# What does it cost to classify with an embedding? A network trained with the graph smoothness loss gives vectors
# and no classes. [Bontonou *et al.* (2019)](../../book/bibliography.md "bontonou2019") put a vote of neighbours or a support vector machine on top, and compare
# with the same network trained with cross-entropy. They say that this costs little accuracy, that the choice of the
# classifier hardly matters (Table 1), and that training takes as long. Figures 2 to 4 vary the loss's three
# settings one at a time. The paper tunes them for Table 1 and prints neither what came out nor any spread.
#
# ## Table 1
#
# Whatever stands on top is fitted to the embedded *training* images and asked about the test images; the support
# vector machine to a part of them.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("table-1", "Test error in percent.")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.classifiers_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Test error in percent of classifiers on the embeddings, and cross-entropy's own answer (seeds)."
chapter.show(tables.arms_table, caption, "tab-gsl-s43-classifiers", TABLE, section.CLASSIFIERS, digits=2)

# %% [markdown]
# ## Does training take as long?

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.steps_said)

# %% [markdown]
# ## The loss
#
# [The method](../../book/graph_smoothness_loss/methodology.md) defines it and proves how low it can get. It is a
# plain function of a batch of outputs and labels, and equals the label variation of the graph of the outputs. Its
# mean over pairs lies between that of random points and the least there is, which ten classes reach in the corners
# of a simplex:

# %% tags=["nbval-check-output"]
print(section.losses_by_hand())

# %% [markdown]
# ## How many clusters has a class?
#
# The paper argues that its loss, which never pulls images of one class together, leaves a class several clusters.
# [Section 3](../../book/graph_smoothness_loss/methodology.md) proves that with all pairs its minimum has one point a class. So the clusters are counted:
# HDBSCAN on the embedded test images of each class, in the three directions in which they vary most. The scatter is
# the mean distance within classes over that between classes, 0 for points and 1 for no structure.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Clusters and scatter of embedded test images (seeds)."
chapter.show(tables.arms_table, caption, "tab-gsl-s43-clusters", TABLE, section.CLUSTERS, digits=2)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.clusters_said)

# %% [markdown]
# ## How large should the loss be?
#
# With a hundred images of ten classes the sum has nine thousand terms, and its gradient is as many times that of the
# mean. The paper takes the sum, with the learning rate of cross-entropy, and so does paper scale here. Below it the
# mean is multiplied by a factor, because a few epochs leave no time to recover from steps that are too large. The
# learning rate stays that of cross-entropy.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
sized.say(search.sizes_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Size of the loss: error of ten neighbours in percent on held-out and on test images; scatter (seeds)."
)
sized.show(tables.arms_table, caption, "tab-gsl-s43-size", SIZES, search.WEIGHED_COLUMNS, digits=2)

# %% [markdown]
# The paper tunes its options for Table 1 and prints none. Below paper scale the tables have the best $\alpha$ of four,
# then the best of three factors, by the images held out of trainings of reduced length.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
tuned.say(search.tuning_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "The search for the tables: error of ten neighbours in percent, and the loss a pair (seeds)."
tuned.show(
    tables.arms_table,
    caption,
    "tab-gsl-s43-search",
    tuned.recorded(search.SEARCH),
    search.SEARCH_COLUMNS,
    digits=2,
)

# %% [markdown]
# ## Figures 2 to 4: the three settings
#
# One setting at a time, the others as in Table 1 at paper scale. Every network of a sweep leaves training images out, and the figure
# shows the error on them beside that on the test images. The paper's figures show accuracy on the test set alone.
# Below paper scale the loss is a mean over *all* pairs of distinct classes, joined or not, so a small $k$ or a large
# $\alpha$ makes it small as a whole.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
swept.waiting()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "10-NN error against the number of neighbours k, the dimension d and the scale α. Small dots are seeds, lines join means; dotted lines mark the values that the other sweeps keep.", "name": "fig-gsl-sweeps"}, "image": {"alt": "Three panels with the error on test images and on held-out images against k, d and alpha, on logarithmic axes.", "width": "100%"}}
figure = swept.draw(sweeps.sweep_figure)
# %% [markdown]
# Too large an $\alpha$ and too small a $d$ are said to fail for different reasons: the first because the loss
# vanishes before anything is learned, the second because it cannot get small. The loss a pair on the first training
# batches, before and after, tells these apart. Next to it stands what random points have in as many dimensions.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Where settings fail, and how: means over seeds (their number); a run that diverged is left out."
swept.show(section.failures, caption, "tab-gsl-s43-failures", chapter.titles)

# %% [markdown]
# ## New classes without a new head
#
# An embedding can be asked about classes that it was never trained on: train on eight, then let ten neighbours among
# *all* ten classes' training images vote. The paper says that new classes need less change of the network; here there
# is no change at all. The *price* is the error on images of the new classes less that of the network that was trained
# on all ten from the same seed; its share is over the accuracy of the one that saw them. The new classes are the last
# two, on CIFAR-10 ship and truck. The paper advises a wide output where the number of classes is not known; the last
# row has one.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
eight.waiting()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Trained on eight classes, asked about ten: 10-NN test error in percent, and the price in points (seeds)."
)
eight.show(section.new_classes, caption, "tab-gsl-s43-eight", EIGHT)

# %% [markdown]
# ## Claims of this section
#
# Those of [Lassance *et al.* (2021a)](../../book/bibliography.md "lassance2021") that rest on the same runs are in [LGG 4.2](../lgg/s42_embeddings.ipynb).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says; a band of its colour is what a claim of equality allows.", "name": "fig-gsl-s43-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
figure = chapter.length_figure()
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% [markdown]
# ## Where the settings come from
#
# [The deviations](../../book/graph_smoothness_loss/deviations.md) have the whole list.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.origins()

# %% [markdown]
# ## Records, and how to run this page again

# %% tags=["hide-cell"] mystnb={"markdown_format": "myst"}
chapter.provenance()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.rerun()
