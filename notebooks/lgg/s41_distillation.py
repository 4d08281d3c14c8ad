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
# # Distillation with graphs (LGG 4.1, Table 1)

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

from lggkit.objectives import gkd, rkd_distance
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.lgg import s41_distillation as drawn
from lggkit.study.figures.lgg import s41_numbers as numbers
from lggkit.study.shown import tables

figures.use_style()
chapter = Chapter("lgg/s41_distillation", scale)
GRAPHS = ("gkd_inter", "gkd_intra", "gkd_k5", "gkd_k10")
ablations = chapter.part("baseline", "gkd", *GRAPHS)
others = chapter.part("gkd", "rkd_d", "gkd_teacher1", "rkd_d_teacher1")
precise = chapter.part("baseline", "baseline_bfloat16")
VARIANTS = [arm for arm in chapter.titles if arm not in ("teacher", "baseline", "baseline_bfloat16")]

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# A large network, the teacher, is trained; a small one, the student, shall come near it. Individual
# distillation asks the student for the teacher's answer to each image ([Hinton *et al.*, 2015](../../book/bibliography.md "hinton2015")). Relational
# distillation asks for less: images that are near each other for the teacher shall be near each other for the
# student. [Lassance *et al.* (2021a)](../../book/bibliography.md "lassance2021") write these relations as latent geometry graphs (GKD), and print twice the gain
# of the pairwise distances of [Park *et al.* (2019)](../../book/bibliography.md "park2019") (RKD-D), without a spread and without a number of runs. So this
# chapter is a question of seeds: students of all methods share initialisation, data order and augmentation seed
# by seed, and only paired differences decide. All share one teacher, as the authors' do; every interval is
# conditional on it.
#
# ## Table 1

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("table-1", "Test error in percent; all students have the same teacher.")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: test error, a thin line a seed; marks are means, with 95 % intervals from three seeds on. Right: gain over the baseline of the same seed; grey dots are seeds, black diamonds the paper's gains.", "name": "fig-lgg-gain"}, "image": {"alt": "Lines joining the test errors of baseline, RKD-D and GKD students of the same seed, and the gains of the two methods with intervals beside the paper's.", "width": "100%"}}
figure = chapter.draw(drawn.paired_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(numbers.gains_said, numbers.sizes_said)

# %% [markdown]
# ## What one run could have told you
#
# Had each row of the table been one run, any gap of this figure could have been printed.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Cumulative distribution of the gap between one RKD-D run and one GKD run, over all pairs of our runs; right of the dotted line GKD looks better.", "name": "fig-lgg-one-seed"}, "image": {"alt": "A staircase rising from 0 to 100 percent over the gap in points, with the printed gap as a dashed line.", "width": "70%"}}
figure = chapter.draw(drawn.one_seed_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(numbers.one_run_said)

# %% [markdown]
# The checkpoints that the authors released show how far runs of one method lie apart at their schedule. They
# were scored on 932 test images, which by itself spreads them further. They stand beside the paper's Table 1, not in it.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Ten students of each method and one teacher, released by the authors, on 932 test images."
chapter.show(numbers.released, caption, "tab-lgg-table-1-released")

# %% [markdown]
# ## The loss
#
# Let $\hat A_T^l$ and $\hat A_S^l$ be the graphs of one batch at depth $l$ of teacher and student, made by the four
# steps of [the method](../../book/lgg/methodology.md) and normalised by their degrees. With $\Lambda$ the set of
# matched depths, the student minimises
#
# $$
# \mathcal{L} = \mathcal{L}_\text{task} + \lambda \, \mathcal{L}_\text{GKD}, \qquad
# \mathcal{L}_\text{GKD} = \frac{1}{|\Lambda|} \sum_{l \in \Lambda} \sum_{ij}
# \bigl( \hat A_T^l - \hat A_S^l \bigr)_{ij}^2 .
# $$
#
# The paper prints the Frobenius norm without the square and no division by the number of layers. The authors'
# code has both, and $\lambda = 25$. The *sum* over the $n^2$ entries matters: the mean would make the loss of a
# batch of 128 smaller by a factor of $128^2$. An earlier version of the code took the mean.
#
# RKD-D compares distances: with $\mu$ the mean of a batch's positive distances and $h$ the Huber function, it is
# the mean of $h(d_S/\mu_S - d_T/\mu_T)$ over all pairs. Both losses ignore the scale of a latent space and work
# for any two widths. They differ in what one far-away sample does: it enlarges all its distances and the mean
# that divides the others, while a cosine stays what it is.

# %% tags=["nbval-check-output"]
angles = torch.deg2rad(torch.tensor([0.0, 30.0, 80.0]))
teacher = torch.stack([angles.cos(), angles.sin()], dim=1)
student = torch.cat([3 * teacher, torch.zeros(3, 2)], dim=1)
moved = student * torch.tensor([[10.0], [1.0], [1.0]])
for name, points in {"a scaled copy in more dimensions": student, "one sample moved outwards": moved}.items():
    print(f"{name}: GKD {gkd([points], [teacher]):.3f}, RKD-D {rkd_distance([points], [teacher]):.3f}")

# %% [markdown]
# ## Does the student decide like its teacher?
#
# The paper explains its gain by *consistency*: a student with the teacher's geometry draws its boundaries where
# the teacher does. Two good networks agree wherever both are right. The right panel therefore asks only about
# images that the teacher gets wrong: does the student make the *same* mistake?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Agreement with the teacher over all test images and over those that it gets wrong. Thin lines are seeds, marks means with 95 % intervals.", "name": "fig-lgg-consistency"}, "image": {"alt": "Two panels with agreement percentages of baseline, RKD-D and GKD students.", "width": "100%"}}
figure = chapter.draw(drawn.agreement_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(numbers.agreement_said)

# %% [markdown]
# ## Does the loss do what it says?
#
# A loss may lower the error for other reasons than the one it was built for. So both distances to the teacher
# are measured on test images, and the label variation of the students beside that of the teacher.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
columns = {"graphs (GKD's loss)": "graph_distance", "distances (RKD-D's loss)": "distance_gap"}
caption = "Distance to the teacher on test batches, as the two losses measure it, unweighted (seeds)."
arguments = (drawn.STUDENTS, columns)
chapter.show(tables.arms_table, caption, "tab-lgg-s41-mimicry", *arguments, digits=4)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Normalised label variation from the input to the logits (k = 5, cosine; a Gaussian kernel for the logits), on larger graphs than those of Figure 2 and of all classes. Thin lines are seeds, thick ones means.", "name": "fig-lgg-s41-variation"}, "image": {"alt": "Label variation against depth for the teacher and for three kinds of students.", "width": "75%"}}
figure = chapter.draw(drawn.variation_figure)
# %% [markdown]
# ## Which part of the construction matters?
#
# The paper says that graphs whose edges join *distinct classes only* do better still, and that normalisation
# brings considerable gains. The authors' code has more choices: it removes edges *after* normalising, chooses
# them on the teacher's graph alone, and raises the matrix to a power $p$. The figure below has these,
# and what the paper does not compare with: angles (RKD-A), softened answers (Hinton KD), row-normalised Gram
# matrices (SP), and GKD together with Hinton KD. Ablations have few seeds.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
ablations.waiting(VARIANTS)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: gain over the baseline of the same seed (number of seeds). Right: the same less the gain of GKD with all edges, over the seeds of both. Grey dots are seeds, marks means, with 95 % intervals from three seeds on; numbers at the edge are means off the scale.", "name": "fig-lgg-ablation"}, "image": {"alt": "Two panels with a row for each distillation method: its gain in points, and the same less GKD's.", "width": "100%"}}
figure = ablations.draw(drawn.ablation_figure, {arm: chapter.titles[arm] for arm in VARIANTS})
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
ablations.say(numbers.variants_said, numbers.kernel_said)

# %% [markdown]
# Every row of GKD has the same $\lambda$, and the losses do not have the same size. The entries of a normalised
# graph are about one over the number of neighbours, so the squares of a graph with $k$ of them sum to about
# $n / k$. If teacher and student choose their own neighbours, edges that only one of them has count in full. If
# the edges are chosen on the teacher's graph after the division by the degrees, most of the sum is left out.
# Graphs that are *not normalised* have weights of size one and not of size $1/n$, so that their loss is larger by
# orders of magnitude; their second row takes the mean, which brings it back to about its usual size. At equal
# $\lambda$ no row tells a better graph from a better weight, and claim 9 is a comparison at equal $\lambda$.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Whoever comes nearer to the teacher's graphs on test images: does it also agree with its answers? A dot is a run.", "name": "fig-lgg-mimicry"}, "image": {"alt": "Scatter plot of agreement with the teacher against the distance of graphs, a colour and mark for each method.", "width": "90%"}}
figure = ablations.draw(drawn.mimicry_figure, chapter.titles)
# %% [markdown]
# ## Another teacher
#
# How much of a gain is the one teacher's? Some students were trained once more with a teacher of another seed,
# from the same weights and on the same batches.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
others.waiting()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Gains over the same baselines in points, with the teacher of seed 0 and with that of seed 1 (seeds)."
)
others.show(numbers.teachers, caption, "tab-lgg-s41-teachers")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
others.say(numbers.teachers_said)

# %% [markdown]
# ## Half precision
#
# Neither paper nor code uses bfloat16. Here is its effect, once for the whole study: the baseline student again,
# with the forward and backward pass in bfloat16 and losses, graphs and weights in float32, on the same seeds.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
precise.waiting()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Test error in percent in either precision, and the difference on equal seeds (seeds)."
precise.show(numbers.precisions, caption, "tab-lgg-s41-precision")

# %% [markdown]
# ## What it costs
#
# Distillation needs the teacher's forward pass on every augmented batch, whatever the loss. The times are those of
# whole trainings, on machines that also did other things: they say what the study cost, and do not order the losses.
# Arms that trained side by side share their time equally; [the benchmarks](../../book/study/performance.md) time the
# losses alone.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Minutes of one training, median over seeds (least to most), and size of the network."
chapter.show(tables.costs_table, caption, "tab-lgg-s41-costs", chapter.table_arms)

# %% [markdown]
# ## Claims of this section

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says; a band of its colour is what a claim of equality allows.", "name": "fig-lgg-s41-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
figure = chapter.length_figure()
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% [markdown]
# ## Where the settings come from
#
# [The deviations](../../book/lgg/deviations.md) set paper, code and this study side by side.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.origins()

# %% [markdown]
# ## Records, and how to run this page again

# %% tags=["hide-cell"] mystnb={"markdown_format": "myst"}
chapter.provenance()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.rerun()
