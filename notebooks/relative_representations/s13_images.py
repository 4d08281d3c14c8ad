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
# # Stitching of images (RRR 1 to 3)

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
from functools import partial

import torch

from lggkit.similarity import RelativeSpace, stitch
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.relative_representations import s13_images as section

figures.use_style()
chapter = Chapter("relative_representations/s13_images", scale)
networks = chapter.part("absolute-networks", "relative-networks", "centred-networks", "robust-networks")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.pictures_said)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Tested pictures, what the own decoder draws of them from robust coordinates, and what the decoder of another autoencoder draws from each map.", "name": "fig-rrr-pictures"}, "image": {"alt": "Five rows of eight pictures of clothes.", "width": "100%"}}
figure = chapter.draw(section.pictures_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# The poster stitches text. Here the same maps ([García-Castellanos *et al.*, 2024](../../book/bibliography.md "garciacastellanos2024")) are tried on pictures. A seed has three
# autoencoders, two of one width and a narrower one, each trained by itself; their encoders are then frozen. For each
# map and encoder a fresh decoder learns to draw pictures from coordinates, and is given the coordinates of the other
# two. Anchors are 256 pictures that no autoencoder was trained on.
#
# ## How much of a picture comes across

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Explained variance of tested pictures by what encoder and decoder differ in; dots are seeds.", "name": "fig-rrr-explained"}, "image": {"alt": "Explained variance of four maps for three relations of encoder and decoder.", "width": "100%"}}
figure = chapter.draw(section.explained_figure)
# %% [markdown]
# ## Networks of another chapter
#
# [Students of paper 1](../lgg/s41_distillation.ipynb), trained on CIFAR-10 alone with several seeds and by two
# distillation losses, give the latents of the last layer; a linear head learns on the coordinates of 2,000 images.
# Networks of another width, and by graph smoothness, have [a page of their own](s13_widths_losses.ipynb).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
networks.waiting()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
networks.say(section.networks_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Accuracy of heads on networks that they were not trained on (seeds)."
networks.show(section.networks_table, caption, "tab-rrr-networks")

# %% [markdown]
# ## By hand
#
# An encoder, and the same one turned by a right angle: the decoder of the first reads the second through anchors.

# %% tags=["nbval-check-output"]
anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
encoder, turned, decoder = torch.nn.Identity(), partial(torch.matmul, other=turn), torch.nn.Identity()
one = stitch(encoder, RelativeSpace(anchors), decoder)
other = stitch(turned, RelativeSpace(turned(anchors)), decoder)
x = torch.tensor([[3.0, 4.0]])
print([round(v, 3) for v in one(x)[0].tolist()], [round(v, 3) for v in other(x)[0].tolist()])

# %% [markdown]
# ## Claims of this page
#
# The rules were written down before the first recorded run ([the protocol](../../book/study/protocol.md)).

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
