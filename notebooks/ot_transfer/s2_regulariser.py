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
# # The transport regulariser (OT 2)

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

from lggkit.objectives import omega_i, omega_p, omega_u
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.ot_transfer import s2_regulariser as section
from lggkit.study.figures.ot_transfer import s2_tradeoff as start

figures.use_style()
chapter = Chapter("ot_transfer/s2_regulariser", scale)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# Two layers can hold the same neurons in another order. [Li *et al.* (2020)](../../book/bibliography.md "li2020") compare them as sets: each neuron is the
# vector of its activations on a batch, the cost of a pair is their distance, and the penalty is the cost of the best
# plan between the two sets,
#
# $$
# \Omega_P = \min_{P \in \Pi(\mu, \nu)} \langle P, M \rangle, \qquad M_{ij} = \lVert A_i - T_j \rVert .
# $$
#
# Two fixed plans are its simpler relatives: the identity, $\Omega_I$, which takes every neuron's role for granted, and
# the uniform one, $\Omega_U$, which compares only the clouds. Nothing is trained in this chapter. It asks what
# the penalty guarantees, which solver finds the plan, and what a step costs. Definitions are in
# [the reference](../../book/api/transport.md).
#
# ## By hand
#
# Three neurons on two samples, and the same three in another order. The transport penalty sees no difference, the
# identity plan does, and the uniform plan is not zero even for a layer and itself.

# %% tags=["nbval-check-output"]
layer = torch.tensor([[0.0, 1.0, 4.0], [0.0, 0.0, 3.0]])
moved = layer[:, [2, 0, 1]]
for name, other in {"itself": layer, "its reordered copy": moved}.items():
    values = omega_p([other], [layer])[0], omega_i([other], [layer]), omega_u([other], [layer])
    print(f"{name}: Ω_P {values[0]:.2f}, Ω_I {values[1]:.2f}, Ω_U {values[2]:.2f}")

# %% [markdown]
# ## The order of neurons, and the least cost
#
# Layers are drawn: ReLU of random mixtures of a few hidden causes, with equal and with unequal widths. The exact plan is SciPy's assignment or POT's network simplex.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.exact_said)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: how far the cost of IPOT's plan lies above the least, worst of all problems of a seed, a thin line a seed. Right: the share of mass that each solver puts on the true matching of a layer and its noisy, reordered copy, by the entropy β of the kernel.", "name": "fig-ot-exact"}, "image": {"alt": "Left, falling curves of the gap against iterations on logarithmic axes; right, recovery by entropy for the exact plan, IPOT and Sinkhorn.", "width": "100%"}}
figure = chapter.draw(section.exactness_figure)
# %% [markdown]
# ## Does entropy harm a permutation?
#
# Plain Sinkhorn stops at a smoothed plan, IPOT removes the smoothing step by step. Both get the same entropy and as many updates here. The next figure shows the plans themselves, rows brought back into order, so that the true matching is the diagonal.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Plans between sixteen neurons and their noisy, reordered copies, one problem, at the same β; the shares of the text are of larger layers. The diagonal is the true matching.", "name": "fig-ot-plans"}, "image": {"alt": "Three matrices of sixteen by sixteen: the exact plan and IPOT's are diagonal, Sinkhorn's is blurred.", "width": "100%"}}
figure = chapter.draw(section.plans_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.solvers_said)

# %% [markdown]
# ## What it costs
#
# The step is that of fine-tuning: forward, penalty at two layers, backward, update, in batches of 64. Seconds are of one processor core and depend on it; what else ran there at the time is in them.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: seconds of one plan by the number of neurons on either side, a thin line a seed. Right: mean time of a training step by penalty.", "name": "fig-ot-cost"}, "image": {"alt": "Left, two rising curves on logarithmic axes; right, four bars.", "width": "100%"}}
figure = chapter.draw(section.cost_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.cost_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "A training step under each penalty; the factor is over L2-SP."
chapter.show(section.costs, caption, "tab-ot-costs")

# %% [markdown]
# ## How many iterations, and from where?
#
# Training solves a new problem at every step, on other images and moved neurons. A plan may begin at that of the step before, which costs nothing. It is a good start if neurons keep their partners from batch to batch, and must be unlearnt if they do not. [A benchmark](../../book/study/performance.md) of two pairs of layers that move as in training shows how far either start leads.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(start.start_said)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How far a plan's cost lies above the least by IPOT's iterations, begun anew and begun at the plan of the step before, for layers whose neurons have clear partners and for others; and the time of a step, which is cost matrix, plan and gradient.", "name": "fig-ot-tradeoff"}, "image": {"alt": "Three panels: two of falling gaps against iterations, one of rising times.", "width": "100%"}}
figure = start.tradeoff_figure(start.tradeoff_rows())
# %% [markdown]
# ## Claims of this section
#
# The rules were written down before the first run ([the protocol](../../book/study/protocol.md)).

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
