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
# (lgg-s33)=
# # Section 3.3: latent geometry graphs, and Figure 2
#
# A network bends the space of images until its classes come apart. Figure 2 of {cite:t}`lassance2021` makes
# that visible with twenty images: at three depths of a ResNet-18 they become the vertices of a graph, an edge
# joins two images that are near neighbours at that depth, and only the edges that join *different* classes
# are drawn. Their total weight, suitably divided, is the normalised label variation $\sigma$: the deeper the
# representation, the fewer such edges should be left.
#
# The paper shows one draw of twenty images. One draw is an anecdote, so this chapter adds three things that
# the paper does not have: the distribution of $\sigma$ over many draws, $\sigma$ at *every* depth, and the
# same network before it was trained, to tell what training does from what the architecture does by itself.
# Definitions are in {doc}`/book/lgg/methodology`.

# %% tags=["parameters"]
scale = "smoke"

# %%
import torch
from IPython.display import Markdown

from lggkit import graph
from lggkit.study import figures, tables, view
from lggkit.study.figures import latent_geometry
from lggkit.study.paper import cells
from lggkit.study.statistics import paired_differences, t_interval
from lggkit.study.verdicts import by_seed

figures.use_style()
NAME = "lgg/s33_latent_geometry_graphs"

# %% [markdown]
# ## What is measured
#
# While this notebook runs it measures at `scale`: `smoke` trains a small network on the 8×8 digits that come
# with scikit-learn; `short` a narrow ResNet-18 on all of CIFAR-10 for a few epochs, `reduced` the same for three
# times as many; `paper` the ResNet-18 of the paper with the schedule of the authors' code. The figures below show the *highest* scale
# that has been recorded so far, and say which. Every network, trained or not, sees the same draws.

# %%
measured = view.measure(NAME, scale)
shown = view.highest(NAME)
settings = shown.records[0].settings
arrays = shown.arrays("resnet18")

# %% tags=["hide-input"]
runs = shown.arm("resnet18")
error = shown.interval("resnet18", "test_error")
view.glue(
    {
        "s33-scale": shown.scale,
        "s33-seeds": str(len(runs)),
        "s33-draws": str(settings["draws"]),
        "s33-width": str(settings["width"]),
        "s33-epochs": str(settings["training"]["epochs"]),
        "s33-dataset": view.data_title(settings),
        "s33-error": tables.interval_text(error, 1),
        "s33-device": shown.devices,
        "s33-falling": f"{100 * shown.interval('resnet18', 'share_of_draws_falling').mean:.0f}",
        "s33-falling-untrained": f"{100 * shown.interval('untrained', 'share_of_draws_falling').mean:.0f}",
    }
)

# %% [markdown]
# Shown here: the {glue:text}`s33-scale` scale. {glue:text}`s33-seeds` networks (ResNet-18 of base width
# {glue:text}`s33-width`; the paper's is 64) were trained on {glue:text}`s33-dataset` for
# {glue:text}`s33-epochs` epochs and make {glue:text}`s33-error` % test errors (mean ± half the 95 % interval,
# seeds); {glue:text}`s33-draws` draws of twenty training images, four classes with five images each, went
# through each of them. Measured on {glue:text}`s33-device`.

# %% [markdown]
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
# ## Figure 2, redrawn
#
# The draw is the first of the sequence, fixed before any network was trained. Vertices are placed by
# Laplacian eigenmaps, as in the paper; so that thumbnails do not cover each other, each coordinate is drawn
# half way between its value and its rank.

# %% mystnb={"figure": {"caption": "Twenty training images at three depths of one trained network. Frames and marks show the class, lines are the edges between classes, as wide as they are heavy; σ is the normalised label variation of this one draw.", "name": "fig-lgg-2"}, "image": {"alt": "Three graphs of the same twenty thumbnails. Many edges join different classes at the input, fewer at the middle, fewest at the penultimate depth.", "width": "100%"}}
figure = latent_geometry.graphs_figure(arrays, settings["k"])
# %% [markdown]
# ## One draw against many
#
# How much does $\sigma$ depend on the twenty images? {numref}`fig-lgg-sigma` gives its distribution over
# all draws, for the network with seed 0, with the paper's three values on top.

# %% mystnb={"figure": {"caption": "Normalised label variation of every draw, one network; lines inside the violins are quartiles, black diamonds the values printed in the paper.", "name": "fig-lgg-sigma"}, "image": {"alt": "Violins of label variation at input, middle and penultimate depth, with the paper's three values as black diamonds.", "width": "70%"}}
figure_depths = ("input", settings["middle"], "penultimate")
printed = [c.value for c in cells("lgg") if c.table == "figure-2"]
figure = latent_geometry.distribution_figure(arrays, figure_depths, printed)
# %% [markdown]
# {glue:text}`s33-falling` % of the draws have a $\sigma$ that falls at both steps in a trained network,
# {glue:text}`s33-falling-untrained` % in an untrained one.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Figure 2's values, the paper's and ours: mean ± half the 95 % t-interval over networks (number of "
    "networks). A cell gets its verdict at paper scale only."
)
Markdown(tables.as_myst(tables.paper_table("lgg", "figure-2"), caption, "tab-lgg-figure-2"))

# %% [markdown]
# ## Every depth
#
# {numref}`fig-lgg-depths` follows $\sigma$ through the whole network. The right panel asks the same question
# in another currency: what share of {glue:text}`s33-queries` test images does a vote of the 5 nearest among
# {glue:text}`s33-base` training images, by cosine, get wrong at that depth?

# %% mystnb={"figure": {"caption": "Left: mean normalised label variation over all draws at every depth, a thin line a seed, the thick one their mean. Right: test error of a 5-nearest-neighbour vote at the same depths. The logits can be negative, so their graph uses a Gaussian kernel instead of the cosine and is not comparable with the other depths in height.", "name": "fig-lgg-depths"}, "image": {"alt": "Two line plots against depth, for trained and untrained networks: label variation, and the error of a nearest-neighbour vote.", "width": "100%"}}
figure = latent_geometry.depth_figure(shown)
# %% mystnb={"figure": {"caption": "Label variation against nearest-neighbour error; a point is one depth of one network.", "name": "fig-lgg-difficulty"}, "image": {"alt": "Scatter plot of label variation against nearest-neighbour error, trained and untrained networks apart.", "width": "60%"}}
figure = latent_geometry.difficulty_figure(shown)


# %% tags=["hide-input"]
def trained_less(metric):
    """A metric of the trained networks less that of the untrained ones, paired by seed."""
    return shown.paired("resnet18", "untrained", metric)


late, early = (by_seed(runs, "resnet18", f"sigma_{d}_edges_present") for d in ("penultimate", "middle"))
inside = t_interval(paired_differences(late, early))
rows = shown.values("resnet18", "sigma_all_depths")
names = [latent_geometry.DEPTH_LABELS.get(str(d), str(d)) for d in arrays["depths"]]
means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
lowest = min(range(len(means)), key=means.__getitem__)
view.glue(
    {
        "s33-queries": f"{settings['neighbor_queries']:,}",
        "s33-base": f"{settings['neighbor_base']:,}",
        "s33-inside-change": tables.interval_text(inside),
        "s33-inside-reading": tables.sign_text(inside, "a rise", "a fall"),
        "s33-lowest-depth": names[lowest],
        "s33-lowest-sigma": f"{means[lowest]:.2f}",
        "s33-pooled-sigma": tables.interval_text(shown.interval("resnet18", "sigma_penultimate")),
        "s33-untrained-sigma": tables.interval_text(shown.interval("untrained", "sigma_penultimate")),
        "s33-trained-middle": tables.interval_text(trained_less("sigma_middle")),
        "s33-trained-pooled": tables.interval_text(trained_less("sigma_penultimate")),
        "s33-correlation": tables.interval_text(shown.interval("resnet18", "sigma_error_correlation")),
        "s33-correlation-untrained": tables.interval_text(
            shown.interval("untrained", "sigma_error_correlation")
        ),
    }
)

# %% [markdown]
# Three things to see. The smallest mean $\sigma$ of a trained network, {glue:text}`s33-lowest-sigma`, is at
# depth "{glue:text}`s33-lowest-depth`", against {glue:text}`s33-pooled-sigma` at the pooled vector: the three
# depths of Figure 2 alone do not show whether the fall goes on to the end. Before training, the pooled vector
# has {glue:text}`s33-untrained-sigma`. Trained minus untrained, paired by seed, $\sigma$ differs by
# {glue:text}`s33-trained-middle` in the middle and by {glue:text}`s33-trained-pooled` at the pooled vector. Where
# the first of these is small, the fall from the input to the middle is not the work of training: a random
# network changes the weights of all edges too. And over the depths of a trained network the rank correlation
# between $\sigma$ and the nearest-neighbour error is {glue:text}`s33-correlation`, before training
# {glue:text}`s33-correlation-untrained`, the logits with their other kernel included. The order need not hold
# from one depth to the next, nor between networks.
#
# All networks are in evaluation mode. Before training, batch normalisation then has mean 0 and variance 1 and
# does not normalise. A random network that normalises by its batch may look different.

# %% [markdown]
# ## What "normalised" means, and what difference it makes
#
# The paper says that 1 is "all connections" between classes and 0 is none, and gives no formula. Three
# readings are possible; this study uses the first, because it comes nearest to the paper's input value on raw
# pixels, and reports the others beside it.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
names = ("input", "middle", "penultimate")
readings = {
    "possible edges, n·k or all pairs if fewer (used here)": "sigma_{}",
    "pairs of images of two classes": "sigma_{}_inter_pairs",
    "edges between classes that are there": "sigma_{}_edges_present",
}
rows = {label: {n: ("resnet18", metric.format(n)) for n in names} for label, metric in readings.items()}
caption = (
    "Three denominators of σ: mean over draws, ± half the 95 % interval over networks (number of networks)."
)
Markdown(tables.as_myst(tables.metrics_table(shown, rows), caption, "tab-lgg-denominators"))

# %% [markdown]
# The first two differ by a constant factor, the third does not: it is the mean weight of the edges between
# classes that there are. From the middle to the penultimate depth it changes by
# {glue:text}`s33-inside-change`, {glue:text}`s33-inside-reading`. Claim 1 is decided by the first reading.
#
# ## Dimension, and samples that eclipse others
#
# Two remarks of the paper concern step 4, the division by degrees. The first: it reduces the influence of the
# dimension. Over the depths of one network the mean edge weight of the full cosine graph has the coefficient
# of variation in the first row; after step 4 every graph has the same level, almost by construction. The
# contrast *within* a graph varies over the depths with step 4 as well as without it (second row). The
# second remark: with absolute distances one far sample can eclipse all others. We move one sample of 128 by
# ten times the median norm and ask what share of the matrix it then holds, where 2/128 would be its due.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
metrics = {
    "spread of the mean edge weight over depths": ("dimension_spread_plain", "dimension_spread_normalized"),
    "spread of the contrast within a graph": ("contrast_spread_plain", "contrast_spread_normalized"),
    "share of one displaced sample": ("eclipse_share_cosine", "eclipse_share_normalized"),
    "the same, matrix of distances": ("eclipse_share_plain", "eclipse_share_plain"),
}
rows = {
    label: {"without step 4": ("normalization", plain), "with step 4": ("normalization", normalized)}
    for label, (plain, normalized) in metrics.items()
}
rows["the same, matrix of distances"].pop("with step 4")
caption = (
    "Influence of dimension (coefficient of variation over the depths of a network) and of one displaced "
    "sample (share of the matrix's sum of squares): mean ± half the 95 % interval (number of networks)."
)
Markdown(tables.as_myst(tables.metrics_table(shown, rows).fillna("–"), caption, "tab-lgg-influence"))

# %% [markdown]
# The share of the displaced sample falls from the last row to the one above it because the cosine ignores
# lengths; what step 4 adds stands within that row. Claim 10 compares the distances with the cosines after
# step 4, and so both steps at once.
#
# ## Claims of this section
#
# Rules were written down before the first run ({doc}`/book/study/protocol`). ✓ marks verdicts that survive
# Holm's correction over all claims of the paper.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Claims that section 3.3's runs decide, and their verdicts."
Markdown(tables.as_myst(tables.claims_table("lgg", NAME), caption, "tab-lgg-s33-claims"))

# %% [markdown]
# ## What this run measured
#
# Two kinds of records are behind this page: those that this execution of the notebook measured, at the
# `scale` given to it, and those at the highest scale, which the figures show.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
Markdown(
    tables.as_myst(tables.provenance(measured, shown), "Records behind this page.", "tab-lgg-s33-records")
)
