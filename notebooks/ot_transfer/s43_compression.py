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
# # Compression of networks (OT 4.3, Table 2)

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
from lggkit.study.figures.ot_transfer import s43_compression as section

figures.use_style()
needed = ["none-cifar10-m", *(f"{m}-cifar10-l_m" for m in section.METHODS[1:])]
chapter = Chapter("ot_transfer/s43_compression", scale, arms=needed)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# A small network learns beside a large one that is trained already. Under Ω_P each of its pooled neurons is drawn to
# the teacher's neurons that play its role on the batch, whichever these are; under Ω_I to the neuron of the same
# number, which asks for equal widths; under Ω_U to all of them alike. Distillation (KD) asks for the teacher's
# softened answers instead. [Li *et al.* (2020)](../../book/bibliography.md "li2020") take a ResNet-1001 (L) and a WRN-28-10 (W) as teachers, and a ResNet-56
# (M) and one of half its channels (S) as students.
#
# Those are the networks of the `paper` scale. Two processor cores train siblings that are shallow and have no
# bottlenecks: L of 16 layers and M of 10, both with 16, 32 and 64 channels, and S of 10 layers with half as many,
# on CIFAR-10. L and M have equal widths, as in the paper, so that Ω_I is defined. W and CIFAR-100 are left to the
# `paper` scale. All students share one teacher, and every interval is conditional on it.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.teachers_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "The networks of the scale that is shown: parameters, and test accuracy without a teacher (seeds)."
chapter.show(section.sizes, caption, "tab-ot-sizes")

# %% [markdown]
# ## Five ways to train a student

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Test accuracy of the students by method: a grey dot a seed, the mark their mean with its 95 % interval.", "name": "fig-ot-students"}, "image": {"alt": "Panels with the accuracy of students under five methods, one panel a pair of teacher and student.", "width": "100%"}}
figure = chapter.draw(section.accuracy_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.order_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Students by pair and method: accuracy, gain over no teacher at the same seed, equal answers, and the exact plan's cost (seeds)."
chapter.show(section.students, caption, "tab-ot-students")

# %% [markdown]
# ## Do the neurons come near?
#
# The penalty acts on batches of 64 and through IPOT. Whether it reaches its aim is measured on 1,000 test images with
# the exact plan, whose cost is divided by the mean distance between a neuron of the student and one of the teacher.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Cost of the exact plan between the student's pooled neurons and the teacher's against the student's accuracy, a mark a run.", "name": "fig-ot-nearness"}, "image": {"alt": "Panels of accuracy against the cost of the plan, coloured by method.", "width": "100%"}}
figure = chapter.draw(section.nearness_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.nearness_said)

# %% [markdown]
# ## How the weights were chosen
#
# Each method has its own α from the paper's grid, chosen for L to M on 5,000 training images that the student does not see, with one seed. The teacher has seen them. The longest trainings that are searched decide for all lengths; S takes what M has. A method is not trained before its search is recorded.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on the images held out by the weight of each method, one seed; rings mark the best. Accuracies more than twelve points below the best fall out of the axis.", "name": "fig-ot-compression-search"}, "image": {"alt": "Four curves of validation accuracy against the weight on a logarithmic axis.", "width": "75%"}}
figure = chapter.draw(section.search_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.search_said)

# %% [markdown]
# ## The paper's table

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("table-2")

# %% [markdown]
# ## Claims of this section
#
# The rules were written down before the first run ([the protocol](../../book/study/protocol.md)). Joined claims need CIFAR-100 or W and wait for the `paper` scale.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says; a claim of equality allows a band of its colour around zero.", "name": "fig-ot-s43-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
figure = chapter.length_figure()
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% [markdown]
# ## Where the settings come from
#
# [The deviations](../../book/ot_transfer/deviations.md) set paper and study side by side.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.origins()

# %% [markdown]
# ## Records, and how to run this page again

# %% tags=["hide-cell"] mystnb={"markdown_format": "myst"}
chapter.provenance()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.rerun()
