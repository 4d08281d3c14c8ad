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
# # Topological densification of few images (RRR 4)

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

from lggkit.data import class_order
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.relative_representations import s45_images as section

figures.use_style()
chapter = Chapter("relative_representations/s45_images", scale, arms=("plain", "densified"))

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.errors_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# The penalty that the poster ([García-Castellanos *et al.*, 2024](../../book/bibliography.md "garciacastellanos2024")) puts before and after its relative map comes from
# [Hofer *et al.* (2020)](../../book/bibliography.md "hofer2020"), who test it with 1,000 labelled images of CIFAR-10. Here is that test, cut: their smaller
# network, five draws of images in place of ten, every batch with sixteen images of each class, and a fraction of
# their 38,750 updates. The schedule is theirs otherwise.
#
# ## Errors, and how the classes lie

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Errors, and the spread of classes over their margin, on tested images; dots are draws of training images.", "name": "fig-rrr-few-images"}, "image": {"alt": "Three panels with three arms each.", "width": "100%"}}
figure = chapter.draw(section.errors_figure)
# %% [markdown]
# ## Death times

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Death times of sub-batches of tested images of one class, seed 0; dotted lines are the two lengths β.", "name": "fig-rrr-image-deaths"}, "image": {"alt": "Histograms of death times of the arms.", "width": "80%"}}
figure = chapter.draw(section.deaths_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Death times of tested sub-batches; the size of the space is the root mean square distance from its middle (seeds)."
chapter.show(section.deaths_table, caption, "tab-rrr-image-deaths")

# %% [markdown]
# ## Does it last?

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims of this page against the length of the training. Above zero is the way the claim says.", "name": "fig-rrr-image-lengths"}, "image": {"alt": "Effects at two lengths.", "width": "100%"}}
figure = chapter.length_figure()
# %% [markdown]
# ## By hand
#
# Six samples of two classes, in batches that hold two of each: what is left over comes last.

# %% tags=["nbval-check-output"]
labels = torch.tensor([0, 1, 0, 1, 0, 1])
order = class_order(labels, 2, torch.Generator().manual_seed(0))
print(labels[order].tolist())

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
