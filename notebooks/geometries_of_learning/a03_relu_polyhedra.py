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
# # Polyhedra of ReLU networks (article 3)

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

from lggkit.regions import Cells, planar_partition, square
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.geometries_of_learning import a03_cells as faces
from lggkit.study.figures.geometries_of_learning import a03_relu_polyhedra as section

figures.use_style()
chapter = Chapter("geometries_of_learning/a03_relu_polyhedra", scale)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# A ReLU network cuts its inputs into convex polyhedra and is affine on each. The pattern of an input says which
# hidden units are on; inputs with one pattern are one polyhedron. The third article of [Turaga *et al.* (2025)](../../book/bibliography.md "turaga2025") counts
# the polyhedra of small networks, and compares training, test and attacked digits by the Hamming distance of their
# patterns, by the facets that a segment crosses, and by the largest ball in a cell.
#
# The whole of MNIST could not be had. Digits here are a sample of ten thousand, 8,000 to train and 2,000 to test;
# of Fashion-MNIST the first as many are taken.
#
# ## A plane, exactly
#
# The first figure has every polyhedron of one network that is met by the drawn square. No linear program is solved:
# polygons are cut layer by layer, because on a polygon of the layers before each unit is zero on one line.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The polyhedra of one network 2-10-10-1, coloured by the length of its slope there. Right: the training square alone.", "name": "fig-gol-a03-plane"}, "image": {"alt": "A plane cut into polygons, small ones in the middle and large ones outside.", "width": "100%"}}
figure = chapter.draw(section.partition_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.counts_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a03-figure-1")

# %% [markdown]
# Networks here are trained with a rate and a length of our own, as the article states neither; how many polyhedra
# there are depends on both. On random weights the same call takes milliseconds:

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(2, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1))
pieces = planar_partition(Cells(network, (2,)), square(1000.0))
print(len(pieces), "pieces, at most 56; their areas sum to", round(sum(piece.area for piece in pieces)))

# %% [markdown]
# ## Depth and width
#
# Each network is trained from several initialisations, and keeps its best epoch on held-out points. First weights
# are normal with variance 2 over the number of inputs: as torch draws them, most of the narrow deep networks stayed
# constant in a trial.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Polyhedra in the square (above) and mean square (below). Grey: one initialisation; coloured: mean with its 95 % interval, which includes zero where it reaches the axis; black diamonds: the article.", "name": "fig-gol-a03-counts"}, "image": {"alt": "Four panels of counts and errors against the number of layers and of nodes.", "width": "100%"}}
figure = chapter.draw(section.counts_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.constant_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a03-table-1")

# %% [markdown]
# ## Neighbours by pattern
#
# The nearest training image by Hamming distance is held against the nearest by pixels. The last features of the same
# network and an untrained network are controls that the article lacks.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Share (%) of images whose nearest training image has their class: mean ± half the 95 % interval (seeds)."
)
chapter.show(section.neighbours, caption, "tab-gol-a03-neighbours")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a03-table-3")

# %% [markdown]
# ## Answers to a step of fixed length
#
# Each image takes a step of fixed length in a random direction, and the bits that change are counted. The article
# says 0.5, 0.75 and 1 without a unit. In the norm of pixels from 0 to 1 its numbers are far from ours; at 28 times
# these lengths (the root mean square over pixels) they are of the same size, so both are shown.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Mean number of bits that a step changes, over three lengths, with 95 % intervals over networks.", "name": "fig-gol-a03-responses"}, "image": {"alt": "Two panels of counts for training, test, FGSM and random-sign images.", "width": "100%"}}
figure = chapter.draw(section.responses_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Mean number of bits that a step changes, by set; the last column is paired by network (seeds)."
chapter.show(section.responses_table, caption, "tab-gol-a03-responses")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a03-table-4")

# %% [markdown]
# The rule by which a step is drawn is not stated either. Three are compared, on the networks of 3 layers of 200 and
# on their like of Fashion-MNIST.
# FGSM's images are also split by whether the network is fooled, and scaled to the norm of the images that they come
# from.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Mean number of bits that a step changes in 3 layers of 200, by set and by the rule of the step; bars are 95 % intervals.", "name": "fig-gol-a03-rules"}, "image": {"alt": "Two panels of bits that change for eight sets of images, three marks each.", "width": "100%"}}
figure = chapter.draw(faces.rules_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(faces.rules_said)

# %% [markdown]
# ## The largest ball in a cell
#
# Here a network sees 40 principal components instead of 784 pixels, which is a cut: programs in 784 dimensions take
# minutes for a cell. The box is the range of the inputs in each component, widened by one.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Radii of the largest balls in the cells of four sets; right: 95 % intervals over networks, a dot a network.", "name": "fig-gol-a03-balls"}, "image": {"alt": "Boxes of the radii of one network, and means over networks, for four sets.", "width": "100%"}}
figure = chapter.draw(section.balls_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.balls_said)

# %% [markdown]
# ## Facets
#
# A row of a cell's inequalities is a facet if the cell would be larger without it. The article solves one linear
# program a row. Here rays find the first facets, and each other row is asked by nonnegative least squares whether
# the facets found so far imply it: the dual of the same program, in less time. Facets are those of the
# cell itself, without a box.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Facets of the cells of three training images a network, by width (40 components) and by the number of components. The right panel has 3 layers of 200. Grey: one network; black diamonds: the article, on 784 pixels.", "name": "fig-gol-a03-facets"}, "image": {"alt": "Three panels of numbers and shares of facets.", "width": "100%"}}
figure = chapter.draw(faces.facets_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(faces.facets_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a03-table-2")

# %% [markdown]
# ## Cells of five sets
#
# The same networks as for the balls, on digits and on Fashion-MNIST, and 8 layers of 400 on 40 components of CIFAR-10:
# the cells of 40 images a set, with the test images that the network gets wrong as a set of their own.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Facets of the cells, and radius of the largest ball in the box of the data widened by 1. Grey: one network.", "name": "fig-gol-a03-sets"}, "image": {"alt": "Two panels, five sets each, for digits and Fashion-MNIST.", "width": "100%"}}
figure = chapter.draw(faces.sets_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(faces.sets_said, faces.apart_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Mean radius of the largest ball in three boxes, and mean distance of the input to its cell's boundary (seeds)."
chapter.show(faces.balls, caption, "tab-gol-a03-balls")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a03-table-6")

# %% [markdown]
# ## Segments between neighbours
#
# All crossings are found exactly, layer by layer; the article bisects.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: polyhedra on the segment between a training image and its nearest neighbour. Means of networks with 95 % intervals. Right: facets crossed against bits that differ.", "name": "fig-gol-a03-segments"}, "image": {"alt": "Counts against depth, and a scatter plot of crossings against Hamming distance.", "width": "100%"}}
figure = chapter.draw(section.segments_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.parity_said)

# %% [markdown]
# ## What was cut
#
# - The cube of Figure 2 is left out, and so are the times of Figure 3.
# - Facets and balls are on 40 principal components and not on 784 pixels, where the facets of one cell of Table 2
#   take hours. Facets by width are of three cells a network, thirty in the article, and by set of digits alone.
# - CIFAR-10 is 8,000 images on 40 components. The widest of the three structures is in Tables 3 and 4 alone, and no
#   claim is about it.
# - Digits are a sample of ten thousand, of which 2,000 a set are asked for responses; the article has 10,000 a set.
# - Balls are of 40 cells a set; the article has 1,000.
# - Segments are 60 pairs of neighbours a network; the article has 1,000.
#
# ## Claims of this article

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

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
