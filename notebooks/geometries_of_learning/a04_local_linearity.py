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
# # Locally linear attributes of ReLU networks (article 4)

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

from lggkit.regions import align_maps, dual_points, local_affine_maps
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.geometries_of_learning import a04_local_linearity as images
from lggkit.study.figures.geometries_of_learning import a04_planes as planes

figures.use_style()
chapter = Chapter("geometries_of_learning/a04_local_linearity", scale)
fashion = chapter.part("images-fashion")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# A ReLU network has one affine map on each of its pieces. The fourth article of [Turaga *et al.* (2025)](../../book/bibliography.md "turaga2025") reads the map at each image, as a point for each output, and asks two things of these clouds: how few maps would do, and whether one matrix carries the cloud of one network to that of another. [The method](../../book/geometries_of_learning/relu_pieces.md) has the notation.
#
# The whole of MNIST could not be had, and images are 14 × 14 here, 2 × 2 pixels averaged. What else was cut is listed below.
#
# ## How few maps do
#
# k-means puts $k$ centres in the place of the maps of each output. One centre is the mean map: a network that it serves well is nearly linear.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy of networks whose maps are replaced by the nearest of k centres an output. Thin lines: seeds; dashed: the networks themselves.", "name": "fig-gol-a04-clusters"}, "image": {"alt": "Curves of accuracy against the number of clusters for four networks.", "width": "100%"}}
figure = chapter.draw(images.clusters_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(images.clusters_said, images.cells_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Accuracy (%) after clustering: mean ± half the 95 % interval (seeds)."
chapter.show(images.clustered, caption, "tab-gol-a04-clustered")

# %% [markdown]
# ## One network carried to another, beside its controls
#
# One matrix an output is fitted by least squares on training images. The article finds that little accuracy is lost, and takes it for similarity; it has no controls. Here four rows stand below its own: the image itself in the place of the source's maps, an untrained network, a target with its rows shuffled, and the target's mean map.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Accuracy (%) on test digits of what the maps in a row are carried to: mean ± half the 95 % interval (seeds)."
chapter.show(images.carried, caption, "tab-gol-a04-carried")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy lost on the way into a network against how much of its maps is explained. Filled: trained networks as sources; open: controls; a mark a seed.", "name": "fig-gol-a04-evidence"}, "image": {"alt": "Two scatter plots of accuracy lost against R squared, for trained networks and controls.", "width": "100%"}}
figure = chapter.draw(images.evidence_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(images.evidence_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "R² of the carried maps on test digits, mean over outputs (seeds)."
chapter.show(images.explained, caption, "tab-gol-a04-r2")

# %% [markdown]
# ## Without the column of offsets
#
# The authors' notebooks have a second grid, in which $b$ is left out on both sides. What a network is right in with $W$ alone is then the ceiling, not its accuracy.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "The same table without offsets: accuracy (%) on test digits (seeds)."
chapter.show(images.carried_bare, caption, "tab-gol-a04-bare")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(images.offsets_said)

# %% [markdown]
# ## Fashion-MNIST

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
fashion.waiting()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Accuracy (%) on Fashion-MNIST of what the maps in a row are carried to (seeds)."
fashion.show(images.carried_fashion, caption, "tab-gol-a04-fashion")

# %% [markdown]
# ## The maps at one digit

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The rows of W of every output at one test digit, red positive and blue negative, each on its own scale.", "name": "fig-gol-a04-rows"}, "image": {"alt": "Four rows of ten small images, one row a network, one column an output.", "width": "100%"}}
figure = chapter.draw(images.rows_figure)
# %% [markdown]
# ## The plane: XOR
#
# The network of the article's equation 2 has three pieces, all checked exactly. Trained ones are drawn by their dual points.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The map on every piece of the square, as a point: slopes along both axes, offset as colour. XOR networks of 2, 20 and 100 hidden units.", "name": "fig-gol-a04-dual"}, "image": {"alt": "Three scatter plots of slopes; more units give more points.", "width": "100%"}}
figure = chapter.draw(planes.dual_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(planes.xor_said)

# %% [markdown]
# ## The plane: a disc in a ring
#
# Networks of at most two units a layer cannot enclose a part of the plane; three units can. How often they do is a matter of luck, which twenty restarts a seed measure.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The exact pieces of a network 2-8-8-8-2 through training, coloured by the length of the slope; hatched: decided for the disc. Dashed: disc and ring.", "name": "fig-gol-a04-closing"}, "image": {"alt": "Four squares cut into polygons, with the part that is decided for the disc hatched.", "width": "100%"}}
figure = chapter.draw(planes.closing_figure)
# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: the best accuracy of each restart of one seed; dashed: 98 %. Right: the share of restarts that stay below; dots are seeds.", "name": "fig-gol-a04-restarts"}, "image": {"alt": "Two panels by shape of network: accuracies of restarts, and failure rates.", "width": "100%"}}
figure = chapter.draw(planes.restarts_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(planes.restarts_said)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Dual points of one output less the other, of a network at its best on one disc and on four.", "name": "fig-gol-a04-clouds"}, "image": {"alt": "Two scatter plots of dual points in two colours.", "width": "100%"}}
figure = chapter.draw(planes.clouds_figure)
# %% [markdown]
# ## Try it
#
# A network whose inputs are turned is carried by that turn, and by nothing else:

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
layers = torch.nn.Linear(3, 20), torch.nn.ReLU(), torch.nn.Linear(20, 2)
turn = torch.nn.Linear(3, 3, bias=False).double()
turn.weight.data = torch.linalg.qr(torch.randn(3, 3).double())[0]
one, two = torch.nn.Sequential(*layers).double(), torch.nn.Sequential(turn, *layers).double()
x = torch.randn(300, 3).double()
source, target = (dual_points(*local_affine_maps(n, y)) for n, y in ((one, turn(x)), (two, x)))
fitted = align_maps(source, target).maps[0].weight[:3, :3]
print("the turn, to four digits:", bool((fitted - turn.weight).abs().max() < 1e-4))

# %% [markdown]
# ## What was cut
#
# - Images are 14 × 14 and not 28 × 28; 8,000 of them train and 2,000 are asked, not 60,000 and 10,000.
# - Maps are of 3,000 training images, and clusters go to 500, a sixth of them as in the article.
# - Dense and convolutional networks train for 15 epochs, not 30. Inception was left out, so two claims cannot be measured. The residual network has 18 layers and not 146, and trains for 4 epochs.
# - Restarts on the plane are looked at after every tenth step.
#
# ## The article's own tables

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a04-table-1")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a04-table-2")

# %% [markdown]
# ## Claims of this article
#
# A trial of one seed on the plane came before the rules about restarts (†); none of images did.

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
