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
# # Disentanglement in orthogonal blocks (article 10)

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

from lggkit import generative, graph
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.geometries_of_learning import a10_curves as curves
from lggkit.study.figures.geometries_of_learning import a10_features as features
from lggkit.study.figures.geometries_of_learning import a10_numbers as numbers
from lggkit.study.figures.geometries_of_learning import a10_orthogonal_blocks as section

figures.use_style()
chapter = Chapter("geometries_of_learning/a10_orthogonal_blocks", scale)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# [Shukla *et al.* (2024)](../../book/bibliography.md "shukla2024") cut the code of an autoencoder into blocks, send each block through a narrow autoencoder of its
# own, and add two losses. The first makes the blocks $z^1, \dots, z^k$ of an image orthogonal, the second makes images
# of noise look like images of the data to a two-sample test:
#
# $$\min\ \lVert X - g(e(X)) \rVert + \alpha_1 \lVert Z Z^\top - I \rVert - \alpha_2\, t^\lambda\big(X, g(\xi)\big),
# \qquad \xi \sim N(0, I).$$
#
# DAE-G has the second loss alone, DAE-OG both. The article has no arm without either; here it is the control.
# 3D Shapes could not be had. A seed draws a picture of a trouser and one of an ankle boot of Fashion-MNIST
# ([Xiao *et al.*, 2017](../../book/bibliography.md "xiao2017")), and every combination of garment, turn, scale and two hues is rendered: real images under factors
# that are known, 1,000 with five factors and 270 with three; 24,000 where each of the five has as many values as in
# the article. At smoke scale they are digits.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(numbers.came_said, numbers.control_said, numbers.codes_said)

# %% [markdown]
# ## What the article's own table says

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(numbers.printed_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Who has the better score in each pair of Table 3: as printed, in both readings, and here (95 % interval)."
chapter.show(numbers.readings_table, caption, "tab-a10-readings")

# %% [markdown]
# ## Blocks as images
#
# One block at a time goes from the code of the left image to that of the right one. Where a block holds one factor,
# one thing changes in a row.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Images of codes whose one block moves from that of the left image to that of the right one, which differs in every factor; five blocks, seed 0.", "name": "fig-a10-traversals"}, "image": {"alt": "Ten rows of six small images of garments on coloured grounds.", "width": "100%"}}
figure = chapter.draw(section.traversals_figure)
# %% tags=["hide-input"] mystnb={"figure": {"caption": "How often each factor of the image changes when one block is exchanged for that of an image that differs in all factors; the factors of an image that is made are those of the nearest one of the grid. Means over seeds, the blocks of each in the order of the factors that they go with best.", "name": "fig-a10-responses"}, "image": {"alt": "Six matrices, blocks against factors, with shares.", "width": "100%"}}
figure = chapter.draw(section.responses_figure)
# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the bottleneck of each of three blocks, held-out images, coloured and marked by the factor that explains most of its variance; seed 0.", "name": "fig-a10-maps"}, "image": {"alt": "Two rows of three scatter plots.", "width": "100%"}}
figure = chapter.draw(section.maps_figure)
# %% [markdown]
# ## Images and scores

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Held-out images, their reconstructions by each arm, and images of noise; seed 0.", "name": "fig-a10-images"}, "image": {"alt": "Rows of six small images.", "width": "100%"}}
figure = chapter.draw(section.images_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Reconstruction, blocks, and images of noise: mean ± half the 95 % interval (seeds)."
chapter.show(numbers.images_table, caption, "tab-a10-images", chapter.titles)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Scores of the bottlenecks, of the codes before them, and of bottlenecks with the first weights (seeds)."
)
chapter.show(numbers.scores_table, caption, "tab-a10-scores", chapter.titles)

# %% [markdown]
# The article has an FID and names neither its feature network nor its images. Here a small classifier of the factors,
# trained on a seed's training images and the same for all arms, gives features in units of their spread, and as many
# images as are held out are compared with the training images. The held-out images themselves are the floor: no
# generator should be below it.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(features.fid_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "FID by the features of a classifier of the factors: mean ± half the 95 % interval (seeds)."
chapter.show(features.fid_table, caption, "tab-a10-fid", chapter.titles)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a10-table-2", "Our FID is in the table above: another feature network makes other values.")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a10-table-3")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.waiting(("dae_og-0.01", "dae_og-0.1"))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The weight of the orthogonality loss, five blocks: mean and 95 % interval, a dot a seed.", "name": "fig-a10-sweep"}, "image": {"alt": "Four panels of intervals against the weight.", "width": "100%"}}
figure = chapter.draw(curves.sweep_figure)
# %% [markdown]
# ## As many images as the article has
#
# 24,000 images are as many combinations as the article's, one of each. Bottlenecks are as wide as the article's
# too; the passes are as many as with 1,000 images, so there are twenty-four times as many steps.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.waiting(("plain-many", "dae_g-many", "dae_og-many"))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Five blocks with 1,000 and with 24,000 images: mean and 95 % interval, a dot a seed.", "name": "fig-a10-grid"}, "image": {"alt": "Four panels, three arms at two sizes of the grid.", "width": "100%"}}
figure = chapter.draw(curves.grid_figure)
# %% [markdown]
# ## The statistic
#
# $T$ is the weight of edges between two samples in a graph of nearest neighbours that temperature $\lambda$ makes
# smooth, and $t$ is $T$ less its mean over its spread, both over all ways to say who belongs to which sample. The
# article prints neither. Both have a closed form, which costs no more than the graph:

# %% tags=["nbval-check-output"]
source = torch.Generator().manual_seed(0)
x, y = torch.randn(2, 60, 10, generator=source, dtype=torch.float64)
for shift in (0, 1, 2):
    found = graph.two_sample_test(x, y + shift, permutations=999, generator=source)
    print(f"shift {shift}: t = {found.statistic:.1f}, p = {found.p_value:.3f}")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: t of 499 permutations of two halves of a class, and t of these and of two classes. Right: the loss of two normal samples of forty points as one of them moves away.", "name": "fig-a10-statistic"}, "image": {"alt": "A histogram with two lines, and two rising curves.", "width": "100%"}}
figure = chapter.draw(curves.statistic_figure)
# %% [markdown]
# λ = 0.1 has the unit of the distances. Between images these are far above it, so that neighbours are all but hard
# and the loss of samples that lie apart no longer grows; divided by their median it goes on.
#
# ## What a score of one looks like
#
# On a grid, codes that are the factors have all four scores at 1, and codes that mix two factors do not:

# %% tags=["nbval-check-output"]
factors = torch.cartesian_prod(torch.arange(4), torch.arange(5))
mixed = torch.stack((factors[:, 0] + factors[:, 1], factors[:, 1]), 1)
scores = (generative.mig, generative.mig_sup, generative.dcimig, generative.jemmig)
for name, codes in {"factors": factors, "mixed": mixed}.items():
    print(name, [round(score(codes.double(), factors), 2) for score in scores])

# %% [markdown]
# ## Claims of this article

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says; a claim of equality allows a band of its colour around zero.", "name": "fig-a10-length"}, "image": {"alt": "Effects with intervals at two lengths.", "width": "100%"}}
figure = chapter.length_figure()
# %% [markdown]
# ## Where this departs from the article
#
# - *Data.* Garments under five or three factors at 16 × 16 pixels stand for 3D Shapes at 64 × 64; no cell is judged.
#   With five factors there are 1,000 images, and 24,000 in arms of their own.
# - *Length.* Sixty passes where the article has a thousand, so the first learning rate is higher.
# - *Three blocks.* The article names 6, 9 and 5 values and no factors; scale, turn and hue of the thing are our choice.
# - *Held out.* One image of five; the article states no split. Scores are of all images.
# - *Open choices.* The norm of an image's error, the Frobenius norm of its cosines, means of both, samples compared as
#   images, the weights' rise over a tenth of the training.
# - *FID.* The feature network is ours, of 16 features; the article names none, nor the images. Both kinds are shown.
# - *Cut.* The same with mean squares.
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
