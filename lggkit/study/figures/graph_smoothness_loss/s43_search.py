"""Searches of paper 2, section 4.3: which arms are sweeps, and what chose the options of the tables."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from lggkit.experiments.graph_smoothness_loss.s43_classification import (
    ALL_PAIRS,
    DIMENSIONS,
    NEIGHBORS,
    SCALES,
    SEARCH,
    WEIGHTS,
    WIDE_WEIGHTS,
)
from lggkit.experiments.recipes.embedder import GRAPH_SMOOTHNESS, TUNED

if TYPE_CHECKING:
    from lggkit.experiments.recipes.embedding import EmbeddingLoss
    from lggkit.study.shown.view import Shown

SWEPT = tuple(arm.name for arm in (*NEIGHBORS, ALL_PAIRS, *DIMENSIONS, *SCALES[1:]))
"""Arms of Figures 2 to 4; the least alpha was tried for the search alone."""
WEIGHED = (*(arm.name for arm in (*WEIGHTS, *WIDE_WEIGHTS)), "sum_reduction-cifar10")
SEARCH_COLUMNS = {
    "held out": "validation_error_10nn",
    "test": "error_10nn",
    "first loss a pair": "initial_pair_loss",
    "last": "final_pair_loss",
}
WEIGHED_COLUMNS = {
    "10-NN error, held out": "validation_error_10nn",
    "test": "error_10nn",
    "scatter": "scatter_ratio",
}


def tuning_said(shown: Shown) -> list[str]:
    """What the search at greater length chose for the tables, and what the others would have cost."""
    found = {arm: shown.values(arm, "validation_error_10nn") for arm in SEARCH}
    errors = {arm: fmean(values) for arm, values in found.items() if values}
    if len(errors) < len(SEARCH):
        return [f"The search is not recorded at {shown.scale} scale."]
    order = sorted(errors, key=errors.__getitem__)
    named = {arm: _options_of(shown.protocol(arm).embedder.own_loss) for arm in errors}
    best, worst = order[0], order[-1]
    usual = next(arm for arm in SEARCH if named[arm] == _options_of(GRAPH_SMOOTHNESS))
    most = "the most" if worst == usual else f"and {errors[worst]:.1f} % with {named[worst]}, the most"
    return [
        f"At {shown.scale} scale ten neighbours err least on the images held out with {named[best]}: "
        f"{errors[best]:.1f} %. With the sweeps' own {named[usual]} it is {errors[usual]:.1f} %, {most}. The "
        "tables at short and reduced scale have "
        f"{_options_of(replace(GRAPH_SMOOTHNESS, **dict(TUNED)))}. One seed each."
    ]


def _options_of(loss: EmbeddingLoss) -> str:
    return f"α = {loss.alpha:g} and a factor of {loss.weight:g}"


def sizes_said(shown: Shown) -> list[str]:
    """Which factor of the loss the search chose, for ten dimensions and for 200."""
    arms = {r.arm for r in shown.records if "_d200" in r.arm and "validation_error_10nn" in r.metrics}
    errors = {arm: fmean(shown.values(arm, "validation_error_10nn")) for arm in arms}
    best = min(errors, key=lambda arm: errors[arm])
    loss = shown.protocol(best).embedder.own_loss
    return [
        f"A factor of {GRAPH_SMOOTHNESS.weight:g} was best of four powers of ten with ten dimensions: least "
        "error on held-out training images, at short scale, with one seed each. With the 200 dimensions of "
        f"section 4.4 and of the later paper's 4.2 the best is {loss.weight:g} (at {shown.scale} scale). The "
        "sweeps have that factor."
    ]
