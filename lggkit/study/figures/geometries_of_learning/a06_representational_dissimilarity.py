"""Figures, tables and sentences of article 6: RDMs, their models, and cuts by two rules."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit import experiments
from lggkit.data.objects92 import CATEGORIES
from lggkit.study.figures.parts import dots, looks, marked_interval, panels
from lggkit.study.figures.style import GRAY
from lggkit.study.judging.texts import minus
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

MODELS = (
    *("categories", "animacy", "four_categories", "monkey", "judgements", "early_visual", "hmax"),
    *("silhouette", "v1", "radon", "pixels", "untrained"),
)
BRAINS = ("person", "others", "mean", "monkey")
RULES = {"published": "as published", "corrected": "corrected"}
COLORS = {"published": "#D55E00", "corrected": "#0072B2"}


def rdms_figure(shown: Shown) -> Figure:
    """The RDM of every person and the mean of all, objects in the order of their categories."""
    people = shown.arm("person")
    figure, axes = panels(len(people) + 1, 3.0)
    arrays = [(f"person {r.seed + 1}", shown.arrays("person", r.seed)) for r in people]
    for ax, (title, results) in zip(axes, [*arrays, ("mean of all", shown.arrays("mean"))], strict=True):
        order = results["labels"].argsort(kind="stable")
        labels = results["labels"][order]
        image = ax.imshow(results["rdm"][order][:, order], cmap="cividis", vmin=0.4, vmax=1.4)
        edges = np.flatnonzero(np.diff(labels)) + 0.5
        ax.hlines(edges, -0.5, len(labels) - 0.5, color="white", lw=0.6)
        ax.vlines(edges, -0.5, len(labels) - 0.5, color="white", lw=0.6)
        middles = [np.flatnonzero(labels == i).mean() for i in range(len(CATEGORIES))]
        ax.set_yticks(middles, CATEGORIES)
        ax.set_xticks([])
        ax.set_title(title)
    figure.colorbar(image, ax=list(axes), label="1 − correlation", shrink=0.5)
    return figure


def models_figure(shown: Shown, titles: dict[str, str]) -> Figure:
    """Correlation of every model with a person's RDM, a dot a person, between the ends of the ceiling."""
    figure, (ax,) = panels(1, 4.6)
    look = looks(shown.experiment)
    low, high = (shown.interval("person", f"ceiling_{end}").mean for end in ("low", "high"))
    ax.axvspan(low, high, color=GRAY, alpha=0.25, lw=0, label="noise ceiling")
    arms = [arm for arm in MODELS if shown.arm(arm)]
    for place, arm in enumerate(reversed(arms)):
        values = shown.values(arm, "pearson")
        marked_interval(ax, place, values, look[arm])
        dots(ax, place, values)
    ax.set_yticks(range(len(arms)), [titles.get(arm, arm) for arm in reversed(arms)])
    ax.axvline(0, color=GRAY, lw=0.8)
    ax.set_xlabel("Pearson correlation with a person's IT (dots: people)")
    ax.legend(loc="lower right")
    return figure


def resamples_figure(shown: Shown) -> Figure:
    """The accuracies of bootstrapped cuts of every person and the mean, by either rule."""
    seeds = [record.seed for record in shown.arm("person")]
    subjects = [(f"person {s + 1}", shown.arrays("person", s)) for s in seeds]
    subjects = [*subjects, ("mean of all", shown.arrays("mean")), ("monkey IT", shown.arrays("monkey"))]
    figure, axes = panels(len(subjects), 2.2, sharex=True)
    for ax, (title, arrays) in zip(axes, subjects, strict=True):
        for rule, label in RULES.items():
            options = {"bins": np.linspace(50, 100, 26), "color": COLORS[rule], "label": label}
            filled = {"histtype": "stepfilled", "alpha": 0.45} if rule == "published" else {"lw": 1.8}
            ax.hist(arrays[f"bootstrap_{rule}"], **{"histtype": "step"} | options | filled)
        ax.set(title=title, yticks=[])
    axes[0].legend()
    for ax in list(axes)[::2]:
        ax.set_ylabel("resamples")
    for ax in list(axes)[-2:]:
        ax.set_xlabel("balanced accuracy (%)")
    return figure


def cuts_table(shown: Shown) -> pd.DataFrame:
    """Accuracy of the animate cut, failed resamples, negative edges: one row a person, one a pooled RDM."""
    rows = [(f"person {r.seed + 1}", r.metrics) for r in shown.arm("person")]
    names = {"mean": "mean of all", "monkey": "monkey IT"}
    rows += [(title, shown.arm(arm)[0].metrics) for arm, title in names.items()]
    return pd.DataFrame([{"RDM": title} | _cut_row(metrics) for title, metrics in rows])


def _cut_row(metrics: dict) -> dict[str, str]:
    row = {"negative edges (%)": f"{metrics['negative_share']:.0f}"}
    for rule, label in RULES.items():
        ends = [metrics[f"accuracy_{rule}_{end}"] for end in ("low", "high")]
        row[f"accuracy, {label}"] = f"{metrics[f'accuracy_{rule}']:.1f} [{ends[0]:.0f}, {ends[1]:.0f}]"
        alone = metrics[f"failed_{rule}_subsampled"]
        row[f"failed, {label} (without copies)"] = f"{metrics[f'failed_{rule}']:.0f} ({alone:.0f})"
    return row | {"null, 95 %": f"{metrics['null_corrected']:.1f}"}


def pairs_table(shown: Shown) -> pd.DataFrame:
    """Accuracy of the cut of every pair of categories: people by either rule, and the mean of all."""
    rows = []
    for place, (one, two) in enumerate(combinations(CATEGORIES, 2)):
        row = {"pair": f"{one}, {two}"}
        for rule, label in RULES.items():
            people = [values[place] for values in shown.values("person", f"pairs_{rule}")]
            row[f"people, {label}"] = f"{np.mean(people):.1f}"
            row[f"mean of all, {label}"] = f"{shown.values('mean', f'pairs_{rule}')[0][place]:.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def comparisons_table(shown: Shown, titles: dict[str, str]) -> pd.DataFrame:
    """Every model by four ways of comparing RDMs, over people."""
    columns = {"Pearson": "pearson", "Spearman": "spearman", "Kendall τa": "kendall", "cosine": "cosine"}
    chosen = {arm: titles[arm] for arm in MODELS if arm in titles}
    return tables.arms_table(shown, chosen, columns)


def _title(shown: Shown, arm: str) -> str:
    arms = experiments.get(shown.experiment).arms
    return next(one.title for one in arms if one.name == arm)


def models_said(shown: Shown) -> list[str]:
    """How the categories stand beside networks, the ceiling, and their own fit."""
    left_out, own = (shown.interval("categories", m) for m in ("pearson", "pearson_in_sample"))
    low, high = (shown.interval("person", f"ceiling_{end}").mean for end in ("low", "high"))
    networks = {arm: shown.interval(arm, "pearson").mean for arm in ("hmax", "untrained")}
    best = max((a for a in MODELS if shown.arm(a)), key=lambda a: shown.interval(a, "pearson").mean)
    return [
        f"The weighted categories reach {left_out.mean:.2f} where the weights come from other people, and "
        f"{own.mean:.2f} where they come from the person whom they predict. HMAX has {networks['hmax']:.2f}, "
        f"the untrained ResNet-18 {networks['untrained']:.2f}.",
        f"The noise ceiling of these people lies between {low:.2f} and {high:.2f}. Of all models, "
        f"“{_title(shown, best)}” comes nearest, with {shown.interval(best, 'pearson').mean:.2f}.",
    ]


def cuts_said(shown: Shown) -> list[str]:
    """Whom the correction helps, and where it changes nothing."""
    gains = {r.seed + 1: r.metrics["correction_gain"] for r in shown.arm("person")}
    helped = [f"person {n} by {gain:.1f} points" for n, gain in gains.items() if gain > 0.05]
    worse = [f"person {n} by {-gain:.1f} points" for n, gain in gains.items() if gain < -0.05]
    failed = [tables.interval_text(shown.interval("person", f"failed_{rule}")) for rule in RULES]
    mean, monkey = (shown.values(arm, "correction_gain")[0] for arm in ("mean", "monkey"))
    said = f"The correction raises the accuracy of {len(helped)} of {len(gains)} people"
    said += f" ({'; '.join(helped)})" if helped else ""
    said += f", lowers that of {len(worse)} ({'; '.join(worse)})" if worse else ""
    left = len(gains) - len(helped) - len(worse)
    said += f", and leaves that of {left} as it is." if left else "."
    return [
        f"{said} It changes the mean of all by {minus(f'{mean:.1f}')} points and monkey IT by "
        f"{minus(f'{monkey:.1f}')}.",
        f"A cut of bootstrapped objects fails in {failed[0]} % of a person's resamples as published, and in "
        f"{failed[1]} % after the correction, over {len(gains)} people. The article puts such failures down "
        "to noise in the labels; the rule of the cut changes them with the labels as they are.",
    ]
