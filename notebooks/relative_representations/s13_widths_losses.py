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
# # Stitching across widths and losses (RRR 1 to 3)

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

from lggkit.similarity import relative_map
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.relative_representations import s13_widths_losses as section

figures.use_style()
chapter = Chapter("relative_representations/s13_widths_losses", scale)
losses = chapter.part("absolute-losses", "relative-losses", "centred-losses", "robust-losses")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.widths_said)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy of every head with every network, mean over draws of labelled images and anchors. The diagonal is the own head; a dash is where a head does not fit.", "name": "fig-rrr-widths"}, "image": {"alt": "Four heat maps of heads against networks, one for each map.", "width": "100%"}}
figure = chapter.draw(section.maps_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# A head that reads coordinates by anchors need not know how wide the latents are: it has an input for each anchor
# ([García-Castellanos *et al.*, 2024](../../book/bibliography.md "garciacastellanos2024")). Here heads move between
# networks that other chapters trained on CIFAR-10, none of them for stitching. A linear head learns on the last
# latents of 2,000 images, or on their coordinates by 256 anchors, and is tested on 4,000.
#
# ## Two widths
#
# The narrow networks are baselines of [paper 1's distillation](../lgg/s41_distillation.ipynb) with three seeds
# (×0.5), the wide one is its teacher (×1).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Accuracy of heads on networks of another seed or another width (seeds)."
chapter.show(section.heads_table, caption, "tab-rrr-widths")

# %% [markdown]
# ## Two losses
#
# One architecture of [paper 2's robustness](../graph_smoothness_loss/s44_robustness.ipynb), trained by cross-entropy
# and by graph smoothness. Both have latents of one width, so that absolute ones have foreign heads too.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
losses.waiting()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
losses.say(section.losses_said)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy of every head with every network, mean over draws of labelled images and anchors.", "name": "fig-rrr-losses"}, "image": {"alt": "Four heat maps of heads against networks, one for each map.", "width": "100%"}}
figure = losses.draw(section.maps_figure, "losses")
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Accuracy of heads on networks of another seed or another loss (seeds)."
losses.show(section.heads_table, caption, "tab-rrr-losses", "losses")

# %% [markdown]
# ## By hand
#
# Two points and two anchors on the plane, and the same ones in a space of three features, longer and turned: the
# widths differ, the coordinates do not.

# %% tags=["nbval-check-output"]
plane = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
space = 2 * plane @ torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0]])
narrow, wide = relative_map(plane, plane), relative_map(space, space)
print(narrow.shape == wide.shape, [round(v, 3) for v in wide[0].tolist()], torch.allclose(narrow, wide))

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
