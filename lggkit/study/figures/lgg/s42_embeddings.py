"""Figures, tables and sentences of paper 1, section 4.2: losses that only push, and losses that also pull."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import torch

from lggkit.experiments.lgg.s42_embeddings import PEERS, RIVALS, SWEEPS, Sweep
from lggkit.experiments.recipes.embedding import EmbeddingLoss
from lggkit.study.entered.paper import cells
from lggkit.study.figures.said import HEIGHT, POINTS, apart_text, mean_text, seeds_text
from lggkit.study.figures.said import images_said as images_said
from lggkit.study.figures.sweeps import options_figure
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.texts import listed
from lggkit.study.shown import robust_means, tables, view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.record import Record
    from lggkit.study.shown.view import Shown

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
    return shown.protocol(rival).embedder.loss


def _kept(sweep: Sweep, shown: Shown) -> float | None:
    """The value that the table has of a sweep's option, or None if it has another variant of the loss."""
    loss = _loss_of(sweep.rival, shown)
    return getattr(loss, sweep.option) if loss.mining == sweep.loss.mining else None


def losses(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """Errors and their means over cross-entropy, and the share of accuracy that corruption takes."""
    classes = view.class_count(shown.arm(OURS)[0].settings)
    present = [arm for arm in titles if shown.arm(arm)]
    lost = [tables.interval_text(robust_means.accuracy_lost(shown, arm, classes), 1) for arm in present]
    frame = tables.arms_table(shown, titles, COLUMNS, digits=1)
    return frame.assign(**{"accuracy lost (%)": lost})


def search_said(shown: Shown) -> list[str]:
    """What the table has and which values were tried, and whether batch-hard triplets collapsed."""
    hard, every, soft, contrastive = SWEEPS
    triplet = _loss_of("triplet", shown)
    temperatures = [f"{_loss_of(sweep.rival, shown).temperature:g}" for sweep in (soft, contrastive)]
    return [
        f"The table has batch-{triplet.mining} triplets of margin {triplet.margin:g} (tried: "
        f"{_tried(every)}), soft nearest neighbours of temperature {temperatures[0]} ({_tried(soft)}) and "
        f"the contrastive loss of temperature {temperatures[1]} ({_tried(contrastive)}). The search went by "
        f"the error of ten neighbours on images held out of training, at {shown.scale} scale, with one seed.",
        _collapse_text(shown.arm(hard.arms[1.0])[0]),
    ]


def _collapse_text(run: Record) -> str:
    """Whether triplets of margin 1 lie in one point, where the loss is the margin."""
    loss, error = run.curves["train_loss"][-1], run.metrics["validation_error_10nn"]
    collapsed = "collapsed to one point, where it is the margin"
    fate = (
        collapsed if abs(loss - 1) < 0.01 else "did not collapse to one point, where it would be the margin"
    )
    return (
        f"Batch-hard triplets of margin 1 end at a loss of {loss:.4f}: they {fate}. They err on {error:.1f} "
        "% of the held-out images."
    )


def _tried(sweep: Sweep) -> str:
    return listed([f"{value:g}" for value in sweep.values])


def rivals_said(shown: Shown) -> list[str]:
    """Label variation beside its rivals: in points, in relative MCE, and on clean images."""
    relative, points = (_beside(shown, metric) for metric in ("relative_mce", "mean_corrupted_error"))
    return [
        f"On corrupted images label variation errs {_listed(points, POINTS)}. Its relative MCE is "
        f"{_listed(relative, HEIGHT)}. {_signs_text(relative, points)} "
        f"{seeds_text(next(iter(points.values())))}",
        _clean_text({arm: shown.interval(arm, "error_10nn") for arm in (OURS, *_rivals(shown))}),
    ]


def _clean_text(errors: Mapping[str, Interval]) -> str:
    ours, *theirs = (f"{mean_text(error)} %" for error in errors.values())
    text = f"On clean images ten neighbours err on {ours} with it, on {listed(theirs)} with the rivals."
    least = max(error.mean for arm, error in errors.items() if arm != OURS)
    return text + (" It has less to lose." if errors[OURS].low > least else "")


def _beside(shown: Shown, metric: str) -> dict[str, Interval]:
    return {title: shown.paired(OURS, arm, metric) for arm, title in _rivals(shown).items()}


def _rivals(shown: Shown) -> dict[str, str]:
    """The rivals that are recorded, with their titles."""
    return {arm: title for arm, title in PEERS.items() if shown.arm(arm)}


def _listed(intervals: Mapping[str, Interval], words: tuple[str, str]) -> str:
    return listed([apart_text(interval, title, words) for title, interval in intervals.items()])


def _signs_text(relative: Mapping[str, Interval], points: Mapping[str, Interval]) -> str:
    opposed = [title for title in relative if _sign(relative[title]) * _sign(points[title]) < 0]
    if not opposed:
        return "For no rival do the two clearly point in opposite ways."
    rivals = "all three" if len(opposed) == len(relative) else ", ".join(opposed)
    return f"The two point in opposite ways for {rivals}: neither says which network is more robust."


def _sign(interval: Interval) -> int:
    return int(interval.above(0)) - int(interval.below(0))
