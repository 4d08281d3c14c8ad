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
# # Representational dissimilarity (article 6)

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
import torch

from lggkit import graph
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.geometries_of_learning import a06_representational_dissimilarity as section

figures.use_style()
chapter = Chapter("geometries_of_learning/a06_representational_dissimilarity", scale)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.cuts_said)

# %% [markdown]
# **A seed is a person here.** Seed $i$ compares an RDM with that of person $i$, so that intervals are over the four
# people of the 92 objects ([Kriegeskorte *et al.*, 2008](../../book/bibliography.md "kriegeskorte2008")), and few claims can be decided by so few.
#
# A representational dissimilarity matrix (RDM) holds how far apart a brain region or a network keeps each pair of
# stimuli. The article makes RDMs of the BOLD5000 images and asks two things: which network's RDM is like the
# brain's, and do categories come apart, without labels, when the RDM is cut as a graph? Its images, regions and
# ImageNet networks could not be had. What stands here are people's and monkeys' inferior temporal cortex (IT) on 92
# isolated objects, and the models that are published with them. At smoke scale, which shows nothing, the numbers
# are generated.
#
# ## The RDMs

# %% tags=["hide-input"] mystnb={"figure": {"caption": "RDMs of each person, two sessions averaged, and of the mean; objects in the order of their categories.", "name": "fig-a06-rdms"}, "image": {"alt": "Five square matrices of dissimilarity with blocks of categories.", "width": "100%"}}
figure = chapter.draw(section.rdms_figure)
# %% [markdown]
# ## Models beside the noise ceiling
#
# The article fits its categorical model to the brains that it is then compared with, and has no ceiling. Here the
# weights come from the other three people, and the ceiling is that of [Nili *et al.* (2014)](../../book/bibliography.md "nili2014").

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Pearson correlation of models with a person's RDM: mean and 95 % interval over people, a dot a person. The band is the noise ceiling.", "name": "fig-a06-models"}, "image": {"alt": "Intervals of twelve models, a band for the ceiling.", "width": "100%"}}
figure = chapter.draw(section.models_figure, chapter.titles)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.models_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Four ways of comparing: mean ± half the 95 % interval over people (their number)."
chapter.show(section.comparisons_table, caption, "tab-a06-comparisons", chapter.titles)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a06-table-2")

# %% [markdown]
# ## Cuts, and what negative edges do to them
#
# The article reads $A = 1 - R$ as a graph and cuts it by the second eigenvector of $L = D - A$. Entries of $A$ are
# correlations and may be negative. Then the constant vector is no longer the bottom one, and the second may be it.
# On two anticorrelated blocks, the case in which categories are held farthest apart, the published rule finds none:

# %% tags=["nbval-check-output"]
side = torch.arange(6) < 3
blocks = torch.where(side[:, None] == side[None], 0.8, -0.3).double()
for rule in ("as_published", "corrected"):
    value, vector = graph.fiedler_vector(blocks, rule)
    accuracy = graph.cut_accuracy(graph.fiedler_cut(blocks, rule), side)
    print(
        rule,
        round(value.item(), 2) + 0.0,
        (vector.round(decimals=2) + 0).tolist()[2:4],
        round(accuracy.item(), 2),
    )

# %% [markdown]
# The corrected rule minimises the same variation over vectors that are orthogonal to the constant one. It is the
# published rule on $1 - R/2$, whose weights are never negative.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Cuts into animate and inanimate: balanced accuracy in percent with its BCa interval over objects."
chapter.show(section.cuts_table, caption, "tab-a06-cuts")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Balanced accuracy of the cut over bootstrapped objects: filled as published, outlined corrected.", "name": "fig-a06-resamples"}, "image": {"alt": "Six pairs of histograms of accuracy.", "width": "100%"}}
figure = chapter.draw(section.resamples_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Balanced accuracy in percent of the cut of two categories."
chapter.show(section.pairs_table, caption, "tab-a06-pairs")

# %% [markdown]
# ## Claims of this article
#
# Intervals are over four people. Claims marked † were written after a trial on the same data.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% [markdown]
# ## Where this departs from the article
#
# - Data: 92 isolated objects and IT, in place of 4,916 scenes and 15 regions. Claims 1, 3, 5, 7 and 9
#   need the article's data or ImageNet networks: none of them is measured. Claim 8 has a
#   [page of its own](a06_networks.ipynb).
# - Accuracy is balanced and of the better assignment; the printed formula is always 1. Its null is that of permuted
#   labels, above one half.
# - In a bootstrap of cuts a copied object has distance 0 to itself, as in the article; in one of correlations such
#   pairs are left out. Subsamples have no copies.
# - Four people are all there are, fewer than the protocol asks for.
#
# ## Where the settings come from

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.origins()

# %% [markdown]
# ## Records, and how to run this page again

# %% tags=["hide-cell"] mystnb={"markdown_format": "myst"}
chapter.provenance()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.rerun()
