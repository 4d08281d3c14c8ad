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
# # Topological densification (RRR 4 and 5)

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

from lggkit.objectives import densification
from lggkit.study import figures
from lggkit.study.chapter import Chapter
from lggkit.study.figures.relative_representations import s45_densification as section
from lggkit.topology import component_deaths

figures.use_style()
chapter = Chapter("relative_representations/s45_densification", scale)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.came_out()

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.topology_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.facts()

# %% [markdown]
# Points of one class are $\beta$-connected if every death time of their components lies below $\beta$
# ([García-Castellanos *et al.*, 2024](../../book/bibliography.md "garciacastellanos2024")). The penalty draws the edges of the minimum spanning tree of each class-pure
# sub-batch to the length $\beta$, before the relative map, after it, or both. Encoders are networks on frozen
# features of words and characters in two languages, trained with their heads on 2,000 verses.
#
# ## Accuracy

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy with the own and with foreign decoders, and the spread over stitched pairs of a seed.", "name": "fig-rrr-topology"}, "image": {"alt": "Three panels with four arms each.", "width": "100%"}}
figure = chapter.draw(section.accuracy_figure)
# %% tags=["hide-input"] mystnb={"figure": {"caption": "Every decoder with every encoder, mean over seeds.", "name": "fig-rrr-topology-maps"}, "image": {"alt": "Two heat maps, without and with densification.", "width": "100%"}}
figure = chapter.draw(section.maps_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Accuracy (%) on verses as in the poster's second table: by the languages of decoder and encoder, of one kind (seeds)."
chapter.show(section.poster_table, caption, "tab-rrr-topology-languages")

# %% [markdown]
# The poster's own values stand [in the chapter on the maps](s13_robust_relative.ipynb).
#
# ## Death times

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Death times of tested sub-batches of one class, seed 0; English left, French right, before the map above and after it below.", "name": "fig-rrr-deaths"}, "image": {"alt": "Four histograms with the length β as a dotted line.", "width": "100%"}}
figure = chapter.draw(section.deaths_figure)
# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.deaths_said)

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = (
    "Death times of tested sub-batches; relative to the root mean square distance from the middle (seeds)."
)
chapter.show(section.deaths_table, caption, "tab-rrr-deaths")

# %% [markdown]
# ## Few labels, and no map
#
# The work that the poster builds on trains with 1,000 images; here it is 1,000 verses. Images follow in
# [a chapter of their own](s45_images.ipynb).

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
caption = "Networks trained with 1,000 labelled verses, plain and densified (seeds)."
chapter.show(section.few_table, caption, "tab-rrr-few")

# %% tags=["hide-input"] mystnb={"markdown_format": "myst"}
chapter.say(section.few_said)

# %% [markdown]
# ## By hand
#
# Three points on a line, one and three apart: two components die at 1 and at 3.

# %% tags=["nbval-check-output"]
points = torch.tensor([[0.0], [1.0], [4.0]])
print(component_deaths(points).tolist())
print(densification(points.unsqueeze(0), beta=2.0).item())

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
