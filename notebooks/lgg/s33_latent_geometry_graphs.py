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
# # Latent geometry graphs (LGG 3.3, Figure 2)

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
from lggkit.study.figures.lgg import s33_latent_geometry_graphs as section

figures.use_style()
chapter = Chapter("lgg/s33_latent_geometry_graphs", scale)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# A network bends the space of images until its classes come apart. Figure 2 of [Lassance *et al.* (2021a)](../../book/bibliography.md "lassance2021") shows it with
# twenty images at three depths of a ResNet-18. Each image is a vertex, an edge joins near neighbours at that depth,
# and only edges between *different* classes are drawn. Their total weight, suitably divided, is the normalised
# label variation $\sigma$.
#
# The paper shows one draw of twenty images. This chapter adds the distribution of $\sigma$ over many draws,
# $\sigma$ at *every* depth, and the same network before it was trained. Definitions are in [the
# method](../../book/lgg/methodology.md).
#
# ## Figure 2, redrawn
#
# The draw is the first of the sequence, fixed before any network was trained. Vertices are placed by Laplacian
# eigenmaps, as in the paper; each coordinate is drawn half way between its value and its rank, so that thumbnails
# do not cover each other.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Twenty training images at three depths of one trained network. Frames and marks show the class, lines are the edges between classes, as wide as they are heavy; σ is the normalised label variation of this one draw.", "name": "fig-lgg-2"}, "image": {"alt": "Three graphs of the same twenty thumbnails at the input, the middle and the penultimate depth, with the edges that join different classes.", "width": "100%"}}
figure = chapter.draw(section.graphs_figure)
# %% [markdown]
# ## One draw against many
#
# The next figure has $\sigma$ of all draws, for the network with seed 0, with the paper's three values on top.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Normalised label variation of every draw, one network; lines inside the violins are quartiles, black diamonds the values printed in the paper.", "name": "fig-lgg-sigma"}, "image": {"alt": "Violins of label variation at input, middle and penultimate depth, with the paper's three values as black diamonds.", "width": "70%"}}
figure = chapter.draw(section.distribution_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.draws_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("figure-2", "Over networks.")

# %% [markdown]
# ## Every depth
#
# The next figure follows $\sigma$ through the whole network. Its right panel has the error of a vote of the 5
# nearest training images, by cosine, at the same depths.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: mean normalised label variation over all draws at every depth, a thin line a seed, the thick one their mean. Right: test error of a 5-nearest-neighbour vote at the same depths. The graph of the logits has a Gaussian kernel, as they can be negative, and its height is not comparable with the others.", "name": "fig-lgg-depths"}, "image": {"alt": "Two line plots against depth, for trained and untrained networks: label variation, and the error of a nearest-neighbour vote.", "width": "100%"}}
figure = chapter.draw(section.depth_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.depths_said)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Label variation against nearest-neighbour error; a point is one depth of one network.", "name": "fig-lgg-difficulty"}, "image": {"alt": "Scatter plot of label variation against nearest-neighbour error, trained and untrained networks apart.", "width": "60%"}}
figure = chapter.draw(section.difficulty_figure)
# %% [markdown]
# All networks are in evaluation mode. Before training, batch normalisation then has mean 0 and variance 1 and
# does not normalise; a random network that normalises by its batch may look different.
#
# ## The construction, by hand
#
# Four steps make a graph, and the library has them as one call. On four directions in the plane, two in each
# class, everything can be checked by eye: cosines of 20°, 40° and 60°, and no edge between the two outermost,
# because neither is among the other's two nearest neighbours.

# %% tags=["nbval-check-output"]
angles = torch.deg2rad(torch.tensor([0.0, 20.0, 60.0, 80.0]))
points = torch.stack([angles.cos(), angles.sin()], dim=1)
labels = torch.tensor([0, 0, 1, 1])
toy = graph.latent_geometry_graph(points, k=2, normalized=False)
print(toy.numpy().round(2))
print("edges between classes:", int(graph.inter_class_edges(toy, labels)))
print("label variation:", round(graph.label_variation(toy, labels).item(), 3))
sigma = graph.normalized_label_variation(toy, labels, k=2)
print("normalised:", round(sigma.item(), 3))

# %% [markdown]
# ## What "normalised" means
#
# The paper says that 1 is "all connections" between classes and 0 is none, and gives no formula. Three readings
# are possible. This study uses the first, which comes nearest to the paper's value on raw pixels.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Three denominators of σ: mean over draws, ± half the 95 % interval over networks (their number)."
chapter.show(section.denominators, caption, "tab-lgg-denominators")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.readings_said)

# %% [markdown]
# ## Dimension, and samples that eclipse others
#
# Step 4 divides by degrees. The paper says that it reduces the influence of the dimension, and that with absolute
# distances one far sample can eclipse all others. The first row has the coefficient of variation of the mean edge
# weight over the depths of a network; after step 4 every graph has the same level, almost by construction. The
# second row has that of the contrast *within* a graph. For the third, one sample of 128 is moved by ten times the
# median norm; 2/128 of the matrix would be its due.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Influence of dimension (coefficient of variation) and of one displaced sample (share of squares) (seeds)."
chapter.show(section.influences, caption, "tab-lgg-influence")

# %% [markdown]
# From the last row to the one above it the share falls because the cosine ignores lengths; what step 4 adds
# stands within that row. Claim 10 compares distances with cosines after step 4, and so both at once.
#
# ## Claims of this section
#
# The rules were written down before the first run ([the protocol](../../book/study/protocol.md)).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says.", "name": "fig-lgg-s33-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
figure = chapter.length_figure()
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% [markdown]
# ## Where the settings come from

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.origins()

# %% [markdown]
# ## Records, and how to run this page again

# %% tags=["hide-cell"] mystnb={"markdown_format": "myst"}
chapter.provenance()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.rerun()
