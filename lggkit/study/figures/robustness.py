"""Figures of errors on corrupted images: by corruption, by severity, and summed up, a colour an arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lggkit.data.corruptions import CORRUPTIONS
from lggkit.data.corruptions.official import PUBLISHED, TITLES
from lggkit.evaluation import LEAST_HARM
from lggkit.study.figures.parts import dots, looks, marked_interval, one_legend, panels, seed_lines
from lggkit.study.figures.style import GRAY
from lggkit.study.judging.statistics import t_interval
from lggkit.study.judging.verdicts import by_seed
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown


def corrupted_images(shown: Shown) -> str:
    """What the corrupted images of the records are, for sentences: published, of our making, or both.

    Runs that were asked about clean images only do not count.
    """
    settings = shown.records[0].settings
    data = settings.get("stand_in") or settings["dataset"]
    words = {1: PUBLISHED, 0: f"{TITLES.get(data, data)}-C-like"}
    name = "published_corruptions"
    kinds = {r.metrics[name] for r in shown.records if r.status == "complete" and name in r.metrics}
    return " and ".join(words[value] for value in sorted(kinds, reverse=True))


def corruption_figure(shown: Shown, titles: Mapping[str, str], reference: str = "cross_entropy") -> Figure:
    """Error under each corruption, averaged over severities (left), and over that of the reference (right).

    Marks are means over seeds with 95 % intervals where there are at least three; a ratio is one seed's. The
    last row is the mean over corruptions, on the right the MCE.
    """
    theirs, look = _errors(shown, reference), looks(shown.experiment)
    figure, axes = panels(2, 1.5 + 0.32 * len(theirs), sharey=True)
    for index, (arm, title) in enumerate(titles.items()):
        ours, shift = _errors(shown, arm), 0.56 * (index / max(len(titles) - 1, 1) - 0.5)
        ratios = [_ratios(ours[name], theirs[name]) for name in ours]
        columns = (
            [*(list(row.values()) for row in ours.values()), shown.values(arm, "mean_corrupted_error")],
            [*ratios, shown.values(arm, "mce")],
        )
        for ax, rows in zip(axes, columns, strict=True):
            for place, values in enumerate(rows):
                marked_interval(ax, place + shift, values, look[arm], title if not place else None)
    _corruption_axes(axes, list(theirs))
    axes[1].axvline(100, color=GRAY, lw=0.8, ls=":", zorder=0)
    axes[1].set_xlabel(f"corruption error\n({titles[reference]} of the same seed: 100)")
    one_legend(figure, axes[0])
    return figure


def _corruption_axes(axes: Sequence[Axes], names: Sequence[str]) -> None:
    for ax in axes:
        for place in range(0, len(names) + 1, 2):
            ax.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", lw=0, zorder=-1)
        ax.axhline(len(names) - 0.5, color=GRAY, lw=0.8)
    labels = [*(name.replace("_", " ") for name in names), "mean"]
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set(ylim=(len(names) + 0.5, -0.5), xlabel="error on corrupted images (%)")


def _errors(shown: Shown, arm: str) -> dict[str, dict[int, float]]:
    """Errors in percent averaged over severities, by corruption and seed."""
    records = shown.arm(arm)
    rows = {name: by_seed(records, arm, f"errors_{name}") for name in CORRUPTIONS}
    return {name: {seed: float(np.mean(e)) for seed, e in row.items()} for name, row in rows.items() if row}


def _ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """In percent, of the seeds whose reference errs at all."""
    return [100 * ours[seed] / theirs[seed] for seed in ours if theirs.get(seed)]


def severity_figure(shown: Shown, titles: Mapping[str, str]) -> Figure:
    """Error against severity, averaged over corruptions: as it is (left), beyond the clean error (right)."""
    figure, axes = panels(2, 3.6)
    look = looks(shown.experiment)
    for arm, title in titles.items():
        severities = [0, *shown.arm(arm)[0].settings["severities"]]
        rows = np.array([_by_severity(record.metrics) for record in shown.arm(arm)])
        for ax, values in zip(axes, (rows, rows - rows[:, :1]), strict=True):
            seed_lines(ax, severities, values, look[arm], title)
            ax.set_xticks(severities, ["clean", *severities[1:]])
    for ax, label in zip(axes, ("error (%)", "error beyond the\nclean error (points)"), strict=True):
        ax.set(xlabel="severity", ylabel=label)
    axes[0].set_ylim(0, None)
    one_legend(figure, axes[0])
    return figure


def _by_severity(metrics: Mapping[str, Any]) -> list[float]:
    """The clean error, then the mean over corruptions at each severity, in percent."""
    rows = [metrics[f"errors_{name}"] for name in CORRUPTIONS if f"errors_{name}" in metrics]
    return [metrics["clean_error"], *np.mean(rows, axis=0)]


def arms_figure(shown: Shown, titles: Mapping[str, str], metrics: Mapping[str, str]) -> Figure:
    """A panel a metric: every seed of every arm as a dot, and the mean with its 95 % interval.

    ``metrics`` names the metrics and the label of each one's axis; an arm that lacks one is left out there.
    """
    figure, axes = panels(len(metrics), 1 + 0.36 * len(titles), sharey=True)
    look = looks(shown.experiment)
    for ax, (metric, label) in zip(axes, metrics.items(), strict=True):
        for place, arm in enumerate(titles):
            dots(ax, place, shown.values(arm, metric))
            marked_interval(ax, place, shown.values(arm, metric), look[arm])
        ax.set_xlabel(label)
    axes[0].set_yticks(range(len(titles)), list(titles.values()))
    axes[0].set_ylim(len(titles) - 0.4, -0.5)
    return figure


def corruption_table(shown: Shown, titles: Mapping[str, str], ours: str, reference: str) -> pd.DataFrame:
    """Errors under each corruption, mean over severities, and both ratios seed by seed; the means last."""
    recorded = [name for name in CORRUPTIONS if shown.values(ours, f"errors_{name}")]
    overall = {
        "corruption": "mean over corruptions",
        titles[reference]: _text(shown.values(reference, "mean_corrupted_error")),
        titles[ours]: _text(shown.values(ours, "mean_corrupted_error")),
        "CE": _text(shown.values(ours, "mce")),
        "relative CE": _text(shown.values(ours, "relative_mce")),
    }
    return pd.DataFrame([*(_row(shown, titles, name, ours, reference) for name in recorded), overall])


def _row(
    shown: Shown, titles: Mapping[str, str], corruption: str, ours: str, reference: str
) -> dict[str, str]:
    errors = {arm: [fmean(e) for e in shown.values(arm, f"errors_{corruption}")] for arm in (ours, reference)}
    harm = {
        arm: [error - clean for error, clean in zip(own, shown.values(arm, "clean_error"), strict=True)]
        for arm, own in errors.items()
    }
    return {
        "corruption": corruption.replace("_", " "),
        titles[reference]: _text(errors[reference]),
        titles[ours]: _text(errors[ours]),
        "CE": _text(map(_quotient, errors[ours], errors[reference])),
        "relative CE": _text(
            _quotient(*pair, LEAST_HARM) for pair in zip(harm[ours], harm[reference], strict=True)
        ),
    }


def _text(values: Iterable[float | None]) -> str:
    """Mean ± half the 95 % interval of what can be divided."""
    divided = [value for value in values if value is not None]
    return tables.interval_text(t_interval(divided), 1) if divided else "–"


def _quotient(ours: float, theirs: float, least: float = 0.0) -> float | None:
    """In percent, or None where there is too little to divide by."""
    return 100 * ours / theirs if theirs > 0 and theirs >= least else None
