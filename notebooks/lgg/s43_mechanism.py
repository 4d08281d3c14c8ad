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
# # Robustness: what the regulariser does (LGG 4.3)

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

from lggkit.objectives import depth_variations, parseval_step
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.lgg import s43_mechanism as drawn
from lggkit.study.figures.lgg import s43_steps as steps

figures.use_style()
TABLE = {
    "vanilla": "Baseline",
    "regularizer": "Label variation regulariser",
    "parseval": "Parseval",
    "both": "Parseval and regulariser",
}
chapter = Chapter("lgg/s43_robustness", scale, page="s43_mechanism", arms=tuple(TABLE), numbers=(18,))
ablations = chapter.part(*steps.POWERS)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# The penalty of [the first page](s43_robustness.ipynb) is on changes of label variation from depth to depth. This
# page asks what such a penalty rewards, what it does to the space, and which part of it matters.
#
# ## Does the regulariser do what it says?
#
# The figure shows the penalised quantity on batches of *test* images, at all 17 ReLU maps, before the first update
# and after the last. Graphs are those of the loss, with $m = 2$ for every arm. Networks are in evaluation mode: an
# untrained one normalises with mean 0 and variance 1, and not with the batch.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Label variation of test batches at the 17 ReLU maps before training (left) and after (middle), and the absolute steps between neighbouring maps after training (right), all of means over batches. Lines are means over seeds, bands 95 % intervals from three seeds on. Networks of equal architecture begin with equal weights.", "name": "fig-lgg-s43-variation"}, "image": {"alt": "Three panels with label variation against depth for four ways of training.", "width": "100%"}}
figure = chapter.draw(drawn.variation_figure, TABLE)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(steps.steps_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Label variation over the depths, mean over test batches: the sum of its steps; the distance of its ends; their "
    "quotient, 1 where it falls or rises all the way; its largest step, batch by batch; and the expansion (seeds)."
)
chapter.show(steps.steps_table, caption, "tab-lgg-s43-steps", TABLE)

# %% [markdown]
# The sum of all steps is the length of the way; the quotient grows without bound where both ends lie at one height.
# All steps but the largest of the table are differences of means over batches. Equation 8 takes the absolute value
# batch by batch, which gives larger steps where the sign changes between batches.
#
# The expansion is not penalised. It is the largest growth, from one depth to the next, of the distance between an
# image and the closest one of another class, relative to all distances of the batch.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(steps.expansion_said)

# %% [markdown]
# ## Margins
#
# The margin of the logits (true class less the largest other one) doubles when all logits are doubled, and nothing
# is more robust. Divided by the norm of its gradient it is, to first order, the Euclidean distance in pixel space
# at which the answer changes; a factor cancels.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Margins of test images: of the logits (left), and the first-order distance to the decision boundary for pixels in [0, 1] (right). Outlines are the baseline's; images left of the dotted line are misclassified; the outermost bins hold what lies beyond them.", "name": "fig-lgg-s43-margins"}, "image": {"alt": "Histograms of two kinds of margins in a row for each of four ways of training.", "width": "95%"}}
figure = chapter.draw(drawn.margin_figure, TABLE)
# %% [markdown]
# ## The regulariser
#
# Let $L_l$ be the Laplacian of the graph of a batch at depth $l$ and $V$ the label indicators
# ([definitions](../../book/lgg/methodology.md)). The network minimises
#
# $$
# \mathcal{L} = \mathcal{L}_\text{task} + \gamma \, \mathcal{L}_\text{reg}, \qquad
# \mathcal{L}_\text{reg} = \sum_l \lvert \sigma_{l+1} - \sigma_l \rvert, \qquad
# \sigma_l = \operatorname{tr}(V^\top L_l^m V) .
# $$
#
# The paper has $m = 1$ and prints no $\gamma$. Its authors' code has $m = 2$ and $\gamma = 10^{-4}$, the mean over
# $l$ in the place of the sum, and as depths the 17 maps that leave the ReLUs of a PreActResNet-18. All pairs of the
# batch are joined, by their cosine, and nothing is normalised.
#
# ### What a full cosine graph sees
#
# Let $z_i$ be the latents, scaled to length one, $a_{ic} = \sum_{j \neq i,\, y_j = c} \langle z_i, z_j \rangle$ the
# similarity of image $i$ to class $c$, and $s_c = \sum_{y_i = c} z_i$. Row $i$ of $LV$ has $-a_{ic}$ in the columns
# of the other classes, and the sum of these $a_{ic}$ in the column of its own. Hence
#
# $$
# \begin{aligned}
# m = 1: \quad & \sigma = \sum_i \sum_{c \neq y_i} a_{ic}
#   = \sum_{c \neq c'} \langle s_c, s_{c'} \rangle , \\
# m = 2: \quad & \sigma = \lVert L V \rVert_F^2 = \sum_i \Bigl[ \Bigl( \sum_{c \neq y_i} a_{ic} \Bigr)^2
#   + \sum_{c \neq y_i} a_{ic}^2 \Bigr] .
# \end{aligned}
# $$
#
# With $m = 1$ nothing counts but the sums of the classes: the one image of another class that lies closest, which
# an attack would go for, weighs as much as any other. With $m = 2$ every image is asked how similar the other
# classes are to it as a whole, and images that lie badly count for more. $\sigma$ lies between two extremes,
# latents that all point in one direction and classes at right angles:

# %% tags=["nbval-check-output"]
labels = torch.arange(100) % 10
extremes = [torch.ones(100, 10), torch.eye(10)[labels]]
for m in (1, 2, 3):
    together, apart = depth_variations(extremes, labels, power=m).tolist()
    print(f"m = {m}: {together:.1e} where all are alike, {abs(apart):.0f} where classes are at right angles")

# %% [markdown]
# So one $\gamma$ fits one power, one size of the batch and one number of classes.
#
# ### What a sum of steps asks for
#
# By the triangle inequality,
#
# $$
# \sum_l \lvert \sigma_{l+1} - \sigma_l \rvert \;\ge\; \lvert \sigma_{l_{\max}} - \sigma_1 \rvert ,
# $$
#
# and both sides are equal exactly if $\sigma$ falls all the way, or rises all the way. *How* it falls makes no
# difference: one jump costs as much as many equal steps, and what costs extra is going back and forth. On a falling
# stretch one term pulls a depth up as hard as the next pulls it down. What is moved are the two ends, towards each
# other, and the turning points:

# %% tags=["nbval-check-output"]
print("equal steps:   ", steps.pulls([90.0, 70.0, 50.0, 30.0, 10.0]))
print("one jump:      ", steps.pulls([90.0, 89.0, 88.0, 11.0, 10.0]))
print("back and forth:", steps.pulls([90.0, 10.0, 90.0, 10.0, 90.0]))

# %% [markdown]
# Equation 8 limits how far label variation travels in all, and not how suddenly. That is so if variations could be
# moved one at a time; weights that move one depth move all above it. Claim 18 asks whether a trained network takes
# smaller steps.
#
# ## Parseval networks
#
# The rival constrains the weights and not the data. After every update each weight matrix makes a step
#
# $$ W \leftarrow (1 + \beta) W - \beta \, W W^\top W , $$
#
# which keeps its singular vectors and draws its singular values $s$ to one, by $s \leftarrow (1 + \beta) s - \beta
# s^3$:

# %% tags=["nbval-check-output"]
layer = torch.nn.Linear(3, 3, bias=False)
layer.weight.data = torch.diag(torch.tensor([0.3, 1.0, 2.0]))
for count in (0, 100, 100):
    for _ in range(count):
        parseval_step(layer, beta=0.01)
    print([round(s, 2) for s in layer.weight.diagonal().tolist()])

# %% [markdown]
# Convolutions also divide their weights by $\sqrt{2 k^2 + 1}$ for a kernel of side $k$, and a block averages its
# branch and its shortcut. With singular values of at most one no such layer can stretch anything. Batch
# normalisation stays, as in the authors' code, and divides by whatever spread it finds: no bound for the network as
# a whole follows.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Spectral norm of the weights through training, the largest of all layers and the mean over layers. These are the raw weights W in all arms; convolutions of the two Parseval arms act with W / √(2k² + 1). Lines are means over seeds, bands 95 % intervals from three seeds on; the dotted line is one.", "name": "fig-lgg-s43-norms"}, "image": {"alt": "Two panels of spectral norms against epochs for four ways of training.", "width": "100%"}}
figure = chapter.draw(drawn.norms_figure, TABLE)
# %% [markdown]
# ## Which part of the regulariser matters?
#
# Four parts are varied: the power of the Laplacian, the mean or the sum over depths, all pairs or ten neighbours,
# and the Laplacian of normalised degrees. Each changes the size of the penalty. The sum keeps the weight and counts
# sixteen times as much. The powers have the weights of the authors' code, $0.01^m$. Ten neighbours and the
# normalised Laplacian have weights of our own, set from sizes and not tuned. Equation 8 exactly as printed is no
# arm.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
ablations.waiting(steps.VARIANTS)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "What is penalised, and with which weight."
ablations.show(steps.variants_table, caption, "tab-lgg-s43-variants", chapter.titles)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Variants of the regulariser: clean error, error under FGSM after the normalisation and under PGD, and the largest step of label variation (with the square of the Laplacian for all). Grey dots are seeds, marks means, with 95 % intervals from three seeds on.", "name": "fig-lgg-s43-ablations"}, "image": {"alt": "Four panels with a row for each variant of the regulariser.", "width": "100%"}}
figure = ablations.draw(drawn.ablation_figure, chapter.titles)
# %% [markdown]
# ## Claims of this page

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.claims()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Effects of the claims against the length of the training, with 95 % intervals over seeds. Above zero is the way the claim says.", "name": "fig-lgg-s43-mechanism-length"}, "image": {"alt": "Panels with the effect of each claim at each scale.", "width": "100%"}}
figure = chapter.length_figure()
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.against_length()

# %% [markdown]
# ## Records, and how to run this page again
#
# The origins of the settings stand on [the first page](s43_robustness.ipynb). [The
# benchmarks](../../book/study/performance.md) have what the regulariser costs in time.

# %% tags=["hide-cell"] mystnb={"markdown_format": "myst"}
chapter.provenance()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.rerun()
