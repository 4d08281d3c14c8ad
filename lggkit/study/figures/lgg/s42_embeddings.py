"""Figures, tables and sentences of paper 1, section 4.2: losses that only push, and losses that also pull."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import torch

from lggkit import experiments
from lggkit.evaluation import LEAST_HARM
from lggkit.experiments.lgg.s42_embeddings import PEERS, RIVALS, SWEEPS, Sweep
from lggkit.experiments.recipes.embedding import EmbeddingLoss
from lggkit.study import robust_means, tables, view
from lggkit.study.figures.robustness import corrupted_images
from lggkit.study.figures.sweeps import options_figure
from lggkit.study.paper import cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.view import Shown

OURS = "graph_smoothness"
SWEPT = tuple(arm for sweep in SWEEPS for arm in sweep.arms.values())
SOURCES = {
    "Table 2 of this section": ("lgg", "table-2", "Label variation", "not named"),
    "Table 2 of the paper on the loss": ("graph_smoothness_loss", "table-2", "Proposed", "10-NN"),
    "its Table 1, one neighbour": ("graph_smoothness_loss", "table-1", "proposed - 1-NN", "1-NN"),
    "its Table 1, ten neighbours": ("graph_smoothness_loss", "table-1", "proposed - 10-NN", "10-NN"),
}
PLACES = {"clean test error": ("clean test error", "CIFAR-10"), "relative MCE": ("relative MCE",)}
AXES = ("margin\nbatch-hard triplets", "margin\nbatch-all triplets")
AXES = (*AXES, "temperature\nsoft neighbours", "temperature\nsupervised contrastive")
METRICS = {
    "error_10nn": "10-NN error (%)",
    "mean_corrupted_error": "mean corrupted error (%)",
    "mce": "MCE",
    "relative_mce": "relative MCE",
}
COLUMNS = {
    "1-NN error": "error_1nn",
    "10-NN error": "error_10nn",
    "mean corrupted error": "mean_corrupted_error",
    "MCE": "mce",
    "relative MCE": "relative_mce",
    "corruptions in the relative mean": "relative_corruptions",
}
CLUSTERS = {"clusters a class": "clusters_per_class", "scatter": "scatter_ratio", "silhouette": "silhouette"}


def conflict(shown: Shown) -> pd.DataFrame:
    """What the two papers print for one network, whatever is shown of ours."""
    rows = [
        {"printed in": name, "classifier": classifier}
        | {column: _printed(paper, table, row, names) for column, names in PLACES.items()}
        for name, (paper, table, row, classifier) in SOURCES.items()
    ]
    return pd.DataFrame(rows)


def _printed(paper: str, table: str, row: str, columns: tuple[str, ...]) -> str:
    here = [c.printed for c in cells(paper) if c.table == table and c.row == row and c.column in columns]
    return here[0] if here else "–"


def spots(titles: Mapping[str, str]) -> str:
    """The losses of one class in two spots on the circle, and of the same with one laid on the other.

    A second class lies between, where no distance to it changes.
    """
    two, one = ([0.0, -4.0, 90.0, 94.0, 43.0, 47.0], [0.0, -4.0, 0.0, -4.0, 43.0, 47.0])
    labels, lines = torch.tensor([0, 0, 0, 0, 1, 1]), []
    for name in (OURS, *PEERS):
        loss = RIVALS.get(name, EmbeddingLoss())
        before, after = (float(loss.of_batch(_on_circle(degrees), labels)) for degrees in (two, one))
        lines.append(f"{titles[name]:24s} two spots {before:6.3f}   one spot {after:6.3f}")
    return "\n".join(lines)


def _on_circle(degrees: list[float]) -> torch.Tensor:
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], 1)


def search_figure(shown: Shown) -> Figure:
    """10-NN error against the option of each rival; dotted lines are the values of the table."""
    sweeps = {label: sweep.arms for label, sweep in zip(AXES, SWEEPS, strict=True)}
    return options_figure(shown, sweeps, [_kept(sweep, shown) for sweep in SWEEPS])


def _loss_of(rival: str, shown: Shown) -> EmbeddingLoss:
    return experiments.get(shown.experiment).spec(rival, shown.scale).protocol.embedder.loss


def _kept(sweep: Sweep, shown: Shown) -> float | None:
    """The value that the table has of a sweep's option, or None if it has another variant of the loss."""
    loss = _loss_of(sweep.rival, shown)
    return getattr(loss, sweep.option) if loss.mining == sweep.loss.mining else None


def losses(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """Errors and their means over cross-entropy, and the share of accuracy that corruption takes."""
    classes = view.class_count(shown.arm(OURS)[0].settings)
    present = [arm for arm in titles if shown.arm(arm)]
    lost = [tables.interval_text(robust_means.accuracy_lost(shown, arm, classes), 1) for arm in present]
    frame = tables.arms_table(shown, titles, COLUMNS, digits=2)
    return frame.assign(**{"accuracy lost (%)": lost})


def images_said(shown: Shown) -> list[str]:
    """What was corrupted, and which corruptions count in the relative mean."""
    settings = shown.arm(OURS)[0].settings
    return [
        f"{len(settings['corruptions'])} corruptions of {settings.get('corruption_images') or 'all'} test "
        "images "
        f"were measured, on {corrupted_images(shown)} images. A corruption counts in the relative mean of a "
        "seed "
        f"if it costs that seed's cross-entropy network {LEAST_HARM:g} points or more."
    ]


def search_said(shown: Shown) -> list[str]:
    """Which values were tried at which scale, and which the table has."""
    hard, every, soft, contrastive = SWEEPS
    triplet = _loss_of("triplet", shown)
    mining = {"hard": "batch-hard", "all": "batch-all"}[triplet.mining]
    collapsed = shown.arm(hard.arms[1.0])[0]
    loss, error = collapsed.curves["train_loss"][-1], collapsed.metrics["validation_error_10nn"]
    return [
        f"One option of each loss was searched for at {shown.scale} scale, with one seed, by the error of "
        "ten "
        f"neighbours on images held out of training: the margin of triplets ({_tried(every)}), the "
        "temperature "
        f"of soft nearest neighbours ({_tried(soft)}) and of the contrastive loss ({_tried(contrastive)}). "
        "The "
        f"table has {mining} triplets of margin {triplet.margin:g} and temperatures of "
        f"{_loss_of(soft.rival, shown).temperature:g} and "
        f"{_loss_of(contrastive.rival, shown).temperature:g}.",
        f"Batch-hard triplets of margin 1 end at a loss of {loss:.4f} and err on {error:.1f} % of the "
        "held-out "
        f"images. {_collapse_text(abs(loss - 1) < 0.01)}",
    ]


def _collapse_text(collapsed: bool) -> str:
    if not collapsed:
        return "They did not collapse to one point, where the loss would be the margin."
    return (
        "The loss is the margin: all outputs lie in one point. {cite:t}`schroff2015` warn of this collapse "
        "where "
        "the hardest negatives are taken from the start; a slower start might avoid it."
    )


def _tried(sweep: Sweep) -> str:
    *most, last = (f"{value:g}" for value in sweep.values)
    return f"{', '.join(most)} and {last}"


def rivals_said(shown: Shown) -> list[str]:
    """What the rivals have more of than label variation, in relative MCE, in points, and on clean images."""
    relative, points = (_beyond(shown, metric) for metric in ("relative_mce", "mean_corrupted_error"))
    clean = {arm: tables.metric_text(shown, arm, "error_10nn", 1) for arm in (OURS, *PEERS)}
    others = ", ".join(f"{clean[arm]} with {title}" for arm, title in PEERS.items())
    return [
        f"In relative MCE a rival has more than label variation by {_listed(relative)}. In points of mean "
        "error on "
        f"corrupted images the difference is {_listed(points)}. {_signs_text(relative, points)}",
        f"On clean images ten neighbours err on {clean[OURS]} % with label variation, {others}. A network "
        "with a "
        "larger clean error has less to lose.",
    ]


def _beyond(shown: Shown, metric: str) -> dict[str, tables.Interval]:
    return {title: shown.paired(arm, OURS, metric) for arm, title in PEERS.items()}


def _listed(intervals: Mapping[str, tables.Interval]) -> str:
    return ", ".join(f"{tables.interval_text(found)} ({title})" for title, found in intervals.items())


def _signs_text(relative: Mapping[str, tables.Interval], points: Mapping[str, tables.Interval]) -> str:
    signs = {title: (_sign(relative[title]), _sign(points[title])) for title in relative}
    opposed = [title for title, (left, right) in signs.items() if left * right < 0]
    if not opposed:
        return "For no rival do the two clearly point in opposite ways."
    return (
        f"The two point in opposite ways for {', '.join(opposed)}: neither says which network is more robust."
    )


def _sign(interval: tables.Interval) -> int:
    return int(interval.above(0)) - int(interval.below(0))
