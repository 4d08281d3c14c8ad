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
# # Transfer with few labels (OT 4.2, Table 1)

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
from lggkit.study.figures.ot_transfer import s42_transfer as section

figures.use_style()
chapter = Chapter("ot_transfer/s42_transfer", scale, arms=[f"{m}-cifar10" for m in section.METHODS])

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# A network that has learnt one task is trained on another one with few labels. A penalty may keep it near its start:
# near its weights (L2-SP), near the activations of its neurons in their old roles (Ω_I), near them in whatever order
# is best (Ω_P), or near their cloud (Ω_U). [Li *et al.* (2020)](../../book/bibliography.md "li2020") fine-tune a ResNet-101 of ImageNet on five fine-grained sets.
#
# Those sets and weights could not be had for this study. Here a narrow ResNet-18 of CIFAR-100 goes to CIFAR-10 with 20
# labels a class, and to ten classes that it has seen already. As in the paper, all seeds share the start and
# the labels and differ in the order of the images and the new last layer; passes over the labels are as many as there.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.start_said)

# %% [markdown]
# ## Six penalties

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Test accuracy by penalty and target: a grey dot a seed, the mark their mean with its 95 % interval.", "name": "fig-ot-accuracy"}, "image": {"alt": "Panels with the accuracy of six penalties, one panel a target.", "width": "100%"}}
figure = chapter.draw(section.accuracy_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.order_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Test accuracy (%) by penalty, and the gain over no penalty at the same seed (seeds)."
chapter.show(section.arms, caption, "tab-ot-arms")

# %% [markdown]
# ## How the weights were chosen
#
# Each penalty has its own α from the paper's grid, chosen on 5,000 training images that were left out, with one seed and 20 labels a class. The layers are the fifth of eight blocks and the pooled one: the paper's best pair, in proportion to depth.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on the images held out by the weight of each penalty, one seed; rings mark the weights chosen. Weights of L2 that are too large fall out of the axis.", "name": "fig-ot-search"}, "image": {"alt": "Five curves of validation accuracy against the weight on a logarithmic axis.", "width": "75%"}}
figure = chapter.draw(section.search_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "The weight chosen for each penalty, and the range of accuracies over the grid, in percent."
chapter.show(section.chosen, caption, "tab-ot-chosen")

# %% [markdown]
# ## The paper's table
#
# None of its cells can be measured without its data; they stand here for comparison of what is gained.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("table-1")

# %% [markdown]
# ## Claims of this section
#
# The rules were written down before the first run ([the protocol](../../book/study/protocol.md)).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says; a claim of equality allows a band of its colour around zero.", "name": "fig-ot-s42-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
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
