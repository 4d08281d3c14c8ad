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
# # Which neurons keep their roles (OT 5)

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
from lggkit.study.figures.ot_transfer import s5_analyses as section

figures.use_style()
chapter = Chapter("ot_transfer/s5_analyses", scale, arms=["l2_sp-cifar10"])

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# After fine-tuning, is neuron 7 still neuron 7? The plan between a network and its start answers: its trace is the
# share of neurons that match their old selves. [Li *et al.* (2020)](../../book/bibliography.md "li2020") find that it falls with depth and stays at one only
# for a target that overlaps the source. The networks here are those of [the transfer](s42_transfer), plans are exact, on
# test images of the target.

# %% [markdown]
# ## By depth (Figure 2)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Trace of the plan between a fine-tuned network and its start by depth, a thin line a seed, the thick one their mean. Dotted: two controls, the start with its neurons reordered and a network with random weights.", "name": "fig-ot-depth"}, "image": {"alt": "Two panels of traces against depth, for a new target and for classes that were seen, with dotted controls near zero.", "width": "100%"}}
figure = chapter.draw(section.depth_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.roles_said, section.controls_said)

# %% [markdown]
# ## Through fine-tuning (Figure 3)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Trace at the pooled layer through fine-tuning, a thin line a seed.", "name": "fig-ot-training"}, "image": {"alt": "Two panels of traces against epochs.", "width": "100%"}}
figure = chapter.draw(section.training_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.swaps_said)

# %% [markdown]
# ## The plans themselves

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Plans at the pooled layer, one seed. A diagonal means that every neuron kept its role; the reordered control has one full entry a row, somewhere else.", "name": "fig-ot-roles"}, "image": {"alt": "Matrices of plans: near diagonal for fine-tuned networks, scattered for the controls.", "width": "100%"}}
figure = chapter.draw(section.plans_figure)
# %% [markdown]
# ## Claims of this section
#
# The rules were written down before the first run ([the protocol](../../book/study/protocol.md)).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says.", "name": "fig-ot-s5-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
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
