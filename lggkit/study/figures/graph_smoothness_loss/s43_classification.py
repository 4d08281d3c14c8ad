"""Tables and sentences of paper 2, section 4.3: classifiers on an embedding, sweeps, new classes."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd
import torch
import torch.nn.functional as F

from lggkit.graph import label_variation
from lggkit.objectives import graph_smoothness, least_pair_loss, random_pair_loss
from lggkit.study.judging.statistics import Interval, paired_differences, t_interval
from lggkit.study.judging.verdicts import by_seed
from lggkit.study.shown import tables, view

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown

PAIR = ("graph_smoothness-cifar10", "cross_entropy-cifar10")
HUNDRED = "graph_smoothness-cifar100"
FAILURES = tuple(
    f"{name}-cifar10"
    for name in ("kmax", "k1", "k5", "d2", "d200", "alpha0.5", "alpha100", "unnormalized", "sum_reduction")
)
CLASSIFIERS = {
    "1-NN": "error_1nn",
    "10-NN": "error_10nn",
    "RBF SVC": "error_svc",
    "linear": "error_probe",
    "largest logit": "test_error",
}
CLUSTERS = {"clusters a class": "clusters_per_class", "scatter": "scatter_ratio"}
SETTINGS = {
    "first loss a pair": "initial_pair_loss",
    "last": "final_pair_loss",
    "10-NN error": "error_10nn",
    "held out": "validation_error_10nn",
    "clusters a class": "clusters_per_class",
    "scatter": "scatter_ratio",
}
NEW = {"all ten classes": "error_10nn", "new classes": "error_10nn_new", "price": "new_class_cost"}


def losses_by_hand() -> str:
    """The loss of random points as a sum and as a label variation, its mean, and the least there is."""
    labels = torch.arange(100) % 10
    outputs = F.normalize(torch.randn(100, 10, generator=torch.Generator().manual_seed(0)))
    adjacency = torch.exp(-2 * torch.cdist(outputs, outputs)).fill_diagonal_(0)
    corners = F.normalize(torch.eye(10) - 0.1)[labels]
    means = [graph_smoothness(points, labels, reduction="mean") for points in (outputs, corners)]
    return "\n".join(
        (
            f"loss {graph_smoothness(outputs, labels):.1f} = label variation "
            f"{label_variation(adjacency, labels):.1f}",
            f"a pair: random points {means[0]:.4f}, corners of a simplex {means[1]:.4f}",
            f"expected of random points: {random_pair_loss(10):.4f}, least: {least_pair_loss(10):.4f}",
        )
    )


def failures(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """Where settings fail, and how: errors, and the loss a pair beside that of random points."""
    recorded = {arm: titles[arm] for arm in FAILURES if shown.arm(arm)}
    frame = tables.arms_table(shown, recorded, SETTINGS)
    frame.insert(1, "random points", [_random_loss(shown, arm) for arm in recorded])
    return frame


def _random_loss(shown: Shown, arm: str) -> str:
    """The loss a pair of random points, for arms whose graph joins all pairs on the sphere."""
    embedder = shown.protocol(arm).embedder
    if embedder.own_loss.k is not None or embedder.normalization != "l2":
        return "–"
    return f"{random_pair_loss(embedder.own_dimension, embedder.own_loss.alpha):.3f}"


def new_classes(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """Errors on ten classes after training on eight, and the price of not having seen two."""
    recorded = {arm: title for arm, title in titles.items() if shown.arm(arm)}
    frame = tables.arms_table(shown, recorded, NEW, digits=2)
    frame["price, share (%)"] = [_price(shown, arm) for arm in recorded]
    return frame


def _price(shown: Shown, arm: str) -> str:
    """The price as a share of the accuracy on the new classes of a network that saw them, in percent."""
    shares = [
        100 * r.metrics["new_class_cost"] / (100 - r.metrics["error_10nn_new"] + r.metrics["new_class_cost"])
        for r in shown.arm(arm)
        if "new_class_cost" in r.metrics
    ]
    return tables.interval_text(t_interval(shares), 0) if shares else "–"


def classifiers_said(shown: Shown) -> list[str]:
    """What separates the two losses, and what the choice of the classifier costs."""
    gap = _difference(shown, *PAIR, "error_10nn", "test_error")
    one, theirs = (_difference(shown, arm, arm, "error_1nn", "error_10nn") for arm in PAIR)
    linear = _difference(shown, PAIR[0], PAIR[0], "error_probe", "error_10nn")
    return [
        f"On CIFAR-10 graph smoothness by ten neighbours errs {_more(gap)} than cross-entropy by its largest "
        f"logit. One neighbour errs {_more(one)} than ten; in cross-entropy's penultimate layer "
        f"{_more(theirs)}. A linear classifier, which the paper does not have, errs {_more(linear)} than ten "
        "neighbours. " + _missing_text(gap.mean, linear.mean)
    ]


def _more(difference: Interval) -> str:
    word = "less" if difference.mean < 0 else "more"
    return f"{tables.interval_text(difference, 1).lstrip('−')} points {word}"


def _difference(shown: Shown, left: str, right: str, ours: str, theirs: str) -> Interval:
    sides = (by_seed(shown.arm(left), left, ours), by_seed(shown.arm(right), right, theirs))
    return t_interval(paired_differences(*sides))


def _missing_text(gap: float, linear: float) -> str:
    if -linear > gap / 2:
        return "It makes up for more than half of the gap: the vote loses what the embedding has."
    return "It does not make up for half of the gap: what is missing is missing in the embedding."


def steps_said(shown: Shown) -> list[str]:
    """How long a step takes over one with cross-entropy."""
    ten, hundred = (tables.metric_text(shown, arm, "relative_step_time", 3) for arm in (PAIR[0], HUNDRED))
    also = f", on CIFAR-100's with its hundred dimensions {hundred} times" if shown.arm(HUNDRED) else ""
    return [
        f"On CIFAR-10's network a step with graph smoothness takes {ten} times as long as one with "
        f"cross-entropy{also}. They were timed in turn, with nothing else in the process; other programs may "
        "have run on the same machine."
    ]


def clusters_said(shown: Shown) -> list[str]:
    """The most clusters of a class, and how far the loss came down on its way to the least there is."""
    most = max(max(r.metrics["clusters_by_class"]) for r in shown.records if "clusters_by_class" in r.metrics)
    classes = view.class_count(shown.arm(PAIR[0])[0].settings)
    alpha = shown.protocol(PAIR[0]).embedder.own_loss.alpha
    random, least = random_pair_loss(classes, alpha), least_pair_loss(classes, alpha)
    final = fmean(shown.values(PAIR[0], "final_pair_loss"))
    return [
        f"No class of these networks has more than {most:g} cluster{'' if most == 1 else 's'}. The count "
        "sees groups about eight standard deviations apart, and no finer structure.",
        f"On CIFAR-10's network the loss a pair ends at {final:.4f}. Random points of the sphere have "
        f"{random:.4f}, and "
        f"the least that {classes} balanced classes allow is {least:.4f}: "
        f"{100 * (random - final) / (random - least):.0f} % of what separating classes can gain has been "
        "gained.",
    ]
