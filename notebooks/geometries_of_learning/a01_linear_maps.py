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
# # One detector for many networks, by linear maps (article 1)

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

from lggkit.evaluation import EmbeddingDetector
from lggkit.similarity import fit_linear_map
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.geometries_of_learning import a01_linear_maps as section
from lggkit.study.figures.geometries_of_learning import a01_tables as grids

figures.use_style()
chapter = Chapter("geometries_of_learning/a01_linear_maps", scale)
families = ["fgsm-cifar10", "pgd-cifar10", "signs-cifar10"]
cifar10 = chapter.part(*families)
few, few_cifar10 = (chapter.part(*grids.few(data)) for data in ("digits", "cifar10"))

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.noise_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "AUROC against the size of the change, digits. Left: moved images against clean ones, by a network's own detector (mean over three networks) and through a map (mean over six pairs). Right: FGSM against random signs. Thin lines: seeds; dashed: chance.", "name": "fig-a01-noise"}, "image": {"alt": "Three panels of AUROC curves against epsilon.", "width": "100%"}}
figure = chapter.draw(section.noise_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "AUROC of FGSM and of random signs on digits by ε: mean ± half the 95 % interval (seeds)."
chapter.show(grids.noise_table, caption, "tab-a01-noise")

# %% [markdown]
# The first article of [Turaga *et al.* (2025)](../../book/bibliography.md "turaga2025"), [Jamil *et al.* (2023)](../../book/bibliography.md "jamil2023"), trains a linear detector of attacks on one network's penultimate layer and lends it to other networks by linear maps. It concludes that networks of different architectures hold linearly equivalent *adversarial* features. It has no control that moves images as far and attacks nobody. Random signs of the attack's size are one, and they come first here. [The method](../../book/geometries_of_learning/a01_methodology.md) has the pipeline and the deviations.
#
# Networks are trained on 4,000 of MNIST's digits, of which 10,000 could be had; 6,000 others are cut in three for maps, detectors and tests. A seed has its own networks and its own cut.
#
# ## Every pair
#
# A column is the network that is attacked, a row the one whose detector is asked. The article credits the target with how well this works.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "AUROC of FGSM at ε = 0.05, as in Table 3: mean ± half the 95 % interval (seeds)."
chapter.show(grids.grid_table, caption, "tab-a01-grid")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.grid_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Maps at ε = 0.05, on images that fitted none of them: mean ± half the 95 % interval (seeds)."
chapter.show(grids.fits_table, caption, "tab-a01-fits")

# %% [markdown]
# ## What the article leaves open
#
# It says in one place that maps are fitted to attacked images alone, in another that the target's own clean images stand against mapped attacks, and names no intercept. Spectra of the embeddings, phases or magnitudes, are its baseline.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "AUROC of FGSM on digits by ε, mean over networks or pairs (seeds)."
chapter.show(grids.controls_table, caption, "tab-a01-controls")

# %% [markdown]
# ## A strong attack
#
# FGSM takes one step and fails on many images. [The strong ensemble](../../book/api/training.md#attacks) tries PGD by two losses, a minimum-norm attack and Auto-PGD toward each wrong class, within FGSM's ball, on 2,000 images.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
few.say(grids.strong_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "AUROC on 2,000 digits, and how often networks are right: mean ± half the 95 % interval (seeds)."
few.show(grids.strong_table, caption, "tab-a01-strong")

# %% [markdown]
# ## Do heads err on mapped attacks as on their own?
#
# The article reads as preserved what makes an attack an attack where a target's head errs as often on attacks that are mapped in as on its own.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy of a network's last layer on its own attacked images and on those of others, mapped in. Thin lines: seeds.", "name": "fig-a01-heads"}, "image": {"alt": "Three panels of accuracy against epsilon, one a target; two falling curves in each.", "width": "100%"}}
figure = chapter.draw(section.heads_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.heads_said)

# %% [markdown]
# ## As many rows as features
#
# The article's outlier is VGG-19 with 25,088 features and about 33,000 rows. Here the flattened convolutions of the CNN, 1,568 of them, are mapped into the dense network at ε = 0.1.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Error and AUROC of the map from 1,568 features against the rows that fit it. Thin lines: seeds.", "name": "fig-a01-peak"}, "image": {"alt": "Two panels: least squares has a peak of error and a dip of AUROC at 1,568 rows, ridge has neither.", "width": "100%"}}
figure = chapter.draw(section.peak_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.peak_said)

# %% [markdown]
# ## CIFAR-10: five families
#
# Narrow siblings of EfficientNet, ResNet, VGG, MobileNetV2 and GoogLeNet, which count where each errs at most 15 %.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
(cifar10 if cifar10.shown else chapter).waiting(families)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "AUROC of FGSM at ε = 0.05 on CIFAR-10, as in Table 3 (seeds)."
cifar10.show(grids.grid_table, caption, "tab-a01-families", section.FAMILIES, "fgsm-cifar10")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Maps between families at ε = 0.05, as in Table 2 (seeds)."
cifar10.show(grids.fits_table, caption, "tab-a01-family-fits", section.FAMILIES, "fgsm-cifar10")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "AUROC on 2,000 images of CIFAR-10 at ε = 0.05, and how often networks are right (seeds)."
few_cifar10.show(grids.strong_table, caption, "tab-a01-strong-cifar10", "cifar10")

# %% [markdown]
# ## Try it
#
# Where one network's embeddings are a turn of another's, nothing is lost on the way:

# %% tags=["nbval-check-output"]
source = torch.Generator().manual_seed(0)
clean = torch.randn(600, 8, generator=source)
attacked = clean + 0.5
turn = torch.linalg.qr(torch.randn(8, 8, generator=source)).Q
detector = EmbeddingDetector().fit(clean[:300], attacked[:300])
both = torch.cat([clean[:300], attacked[:300]])
carry = fit_linear_map(both @ turn, both)
print("own:", round(detector.auroc(clean[300:], attacked[300:]), 3))
print("mapped:", round(detector.auroc(*(carry(x[300:] @ turn) for x in (clean, attacked))), 3))

# %% [markdown]
# ## What was cut
#
# - Digits: 10,000 and not 70,000. The third network, a wide dense one, was added so that there are six pairs.
# - CIFAR-10: narrow siblings, below paper scale; five tables and two claims need ImageNet, DAmageNet or a transformer.
# - C&W is an attack in the Euclidean norm, for which signs of a size are no control. The strong attack here stays in FGSM's ball.
#
# ## The article's own tables
#
# Its text on MNIST gives accuracies of the detector.

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a01-table-2")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a01-table-3")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a01-table-7")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a01-table-5", "No cell of it can be measured here, as of Tables 4, 6, 8 and 9.")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.table("a01-text")

# %% [markdown]
# ## Claims of this article
#
# A trial of one seed came before the rules about digits (†); none of CIFAR-10 did.

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
