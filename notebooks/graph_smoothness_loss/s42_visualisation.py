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
# # Embeddings in two dimensions (GSL 4.2, Figure 1)

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
from lggkit.study.figures.graph_smoothness_loss import s42_visualisation as section

figures.use_style()
chapter = Chapter("graph_smoothness_loss/s42_visualisation", scale)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# What does a loss do to a space if it only ever pushes? With two output dimensions one can watch.
# [Bontonou *et al.* (2019)](../../book/bibliography.md "bontonou2019") draw the embedded training images of CIFAR-10 at three moments of training: with the graph
# smoothness loss, and with cross-entropy behind a bottleneck of two dimensions. They see *clusters* in the first
# row and *lines* in the second. They put this down to the distance that each loss goes by (Euclidean here, the
# angle there), and find the images better clustered with their loss.
#
# The figure has no axes, its three moments have no names, and "better clustered" has no number. This chapter redraws
# it with both.
#
# ## Figure 1, redrawn

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Figure 1 redrawn: training images in the two output dimensions, one seed. A row is a loss, a column a moment, a colour and mark a class. The axes are equal within a row; the rows have units of their own.", "name": "fig-gsl-film"}, "image": {"alt": "Small multiples of scatter plots: two-dimensional embeddings through training with cross-entropy, plain and batch-normalised, and with graph smoothness, batch-normalised and on the circle.", "width": "100%"}}
figure = chapter.draw(section.film_figure, chapter.titles)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.film_said)

# %% [markdown]
# Do the points of one class lie in a spot or along a line through the origin? Does the picture after the first epochs
# still resemble the one before training? A picture shows one seed and hides how many points lie under others. The
# numbers below use all seeds, and all points that are followed.
#
# ## The same in numbers

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Silhouettes, elongation of the classes (logarithmic) and rank correlation of distances with those before training, at each moment of the film. Thin lines are seeds, thick ones means.", "name": "fig-gsl-clustering"}, "image": {"alt": "Four panels of curves over epochs, one curve a loss.", "width": "100%"}}
figure = chapter.draw(section.clustering_figure, chapter.titles)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "After training (seeds). The training loss of cross-entropy is another quantity than that of graph smoothness."
chapter.show(section.ends, caption, "tab-gsl-s42-ends", chapter.titles)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.clustering_said, section.circle_said)

# %% [markdown]
# ## Four ways to two dimensions
#
# The loss is that of [section 3](../../book/graph_smoothness_loss/methodology.md),
#
# $$
# \mathcal{L}_G = \sum_{\substack{i, j:\; y_i \neq y_j \\ W_{ij} \neq 0}}
# \exp\bigl(-\alpha \lVert f_i - f_j \rVert\bigr),
# $$
#
# on all pairs of a batch, with $f_i \in \mathbb{R}^2$. Unit vectors of the plane form a circle, so the paper replaces
# its L2 normalisation by batch normalisation for this one figure: otherwise, it says, the loss could not come down to
# zero. Both are rows here. Batch normalisation is without a learned scale, which could lower the loss by growing,
# whatever the images.
#
# Cross-entropy needs as many logits as classes. A linear layer makes them from two numbers, and it is these two that
# are drawn: as they are, which is our reading of the paper, and in a row of its own batch-normalised like those of
# graph smoothness. A class wins wherever its logit is the largest, and a linear map of the plane divides it into
# wedges. An image can move further out within its wedge, and the loss falls all the while: rays are the natural shape
# for this loss. A number that shall tell the two apart must say which distance it goes by:

# %% tags=["nbval-check-output"]
print(section.rays())

# %% [markdown]
# Three perfectly separate rays are well clustered by the angle and less so by Euclidean distance. Both are
# measured. Beside them stand the *elongation*, a class's larger over its smaller principal standard deviation
# (median over classes), and the rank correlation of all pairwise distances with those of the same network before
# training, which is our reading of the phrase that the loss "builds upon the initial distribution". Each network is
# compared with itself, so it does not matter whether two losses set out from the same picture.
#
# ## Claims of this section
#
# [Lassance *et al.* (2021a)](../../book/bibliography.md "lassance2021") repeat the claim about the start; it stands in their words in [LGG
# 4.2](../lgg/s42_embeddings.ipynb).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says.", "name": "fig-gsl-s42-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
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
