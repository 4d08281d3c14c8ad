"""Figures and sentences of article 1: detectors, their maps, and what they see."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from lggkit.study.figures.parts import legend_below, looks, panels, seed_lines
from lggkit.study.figures.style import GRAY, look_of
from lggkit.study.judging.statistics import t_interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

ATTACK, NOISE, WIDE = "fgsm-digits", "signs-digits", "interpolation-digits"
KINDS = {ATTACK: "FGSM", "pgd-digits": "PGD", NOISE: "random signs"}
NETWORKS = {"cnn": "CNN", "mlp": "dense", "wide": "wide dense"}
FAMILIES = {
    "efficientnet": "EfficientNet",
    "resnet": "ResNet",
    "vgg": "VGG",
    "mobilenet": "MobileNet",
    "googlenet": "GoogLeNet",
}
FITS = {"ols": "least squares", "ridge": "ridge"}
CHOSEN = 5
"""ε of the tables, in percent: near it a network of digits errs as often as the article's."""


def sizes(shown: Shown) -> list[str]:
    """The sizes of perturbation in percent, as metrics end in them."""
    return [f"{100 * epsilon:g}" for epsilon in shown.arm(ATTACK)[0].settings["epsilons"]]


def _rows(shown: Shown, arm: str, metric: str, places: list[str]) -> list[tuple[float, ...]]:
    return list(zip(*(shown.values(arm, f"{metric}_{place}") for place in places), strict=True))


def noise_figure(shown: Shown) -> Figure:
    """AUROC against ε of attacks and of random signs, own and mapped; attacks against signs."""
    figure, axes = panels(3, 3.2)
    percent, look = sizes(shown), looks(shown.experiment)
    x = [float(size) / 100 for size in percent]
    for ax, metric, title in zip(axes, ("native", "mapped"), ("own detector", "mapped"), strict=False):
        for arm, name in KINDS.items():
            seed_lines(ax, x, _rows(shown, arm, metric, percent), look[arm], name)
        ax.set(title=f"{title}: moved or clean")
    for place, (metric, name) in enumerate(_apart().items(), start=4):
        seed_lines(axes[2], x, _rows(shown, ATTACK, metric, percent), look_of(place), name)
    axes[2].set(title="FGSM or random signs")
    for ax in axes:
        ax.axhline(0.5, color=GRAY, lw=1, ls="--")
        ax.set(xscale="log", xlabel="ε", ylim=(0.4, 1.02), xticks=x)
        ax.set_xticks(x, [f"{value:g}" for value in x])
        ax.minorticks_off()
    axes[0].set_ylabel("AUROC")
    handles = [part for ax in axes[1:] for part in zip(*ax.get_legend_handles_labels(), strict=True)]
    legend_below(figure, [handle for handle, _ in handles], [name for _, name in handles])
    return figure


def _apart() -> dict[str, str]:
    return {"told_apart": "detector of FGSM, asked for signs", "trained_apart": "trained to tell them apart"}


def heads_figure(shown: Shown) -> Figure:
    """Accuracy of every target's head on its own attacks and on those that are mapped in."""
    figure, axes = panels(len(NETWORKS), 3.0)
    percent = sizes(shown)
    x = [float(size) / 100 for size in percent]
    for ax, (key, name) in zip(axes, NETWORKS.items(), strict=True):
        for place, (metric, label) in enumerate((("own", "its own attacks"), ("head", "mapped in"))):
            seed_lines(ax, x, _rows(shown, ATTACK, f"{metric}_{key}", percent), look_of(place + 6), label)
        ax.set(title=f"into: {name}", xlabel="ε", ylim=(-2, 102))
    axes[0].set_ylabel("accuracy (%)")
    legend_below(figure, *axes[0].get_legend_handles_labels())
    return figure


def peak_figure(shown: Shown) -> Figure:
    """Error and AUROC of maps from 1,568 features against the number of rows, by least squares and ridge."""
    figure, axes = panels(2, 3.1)
    rows = [str(n) for n in shown.arm(WIDE)[0].settings["rows"]]
    for ax, metric, label in zip(axes, ("mse", "auroc"), ("mean square error", "mapped AUROC"), strict=True):
        for place, (fit, name) in enumerate(FITS.items()):
            seed_lines(
                ax,
                [int(n) for n in rows],
                _rows(shown, WIDE, f"{metric}_{fit}", rows),
                look_of(place + 8),
                name,
            )
        ax.axvline(shown.values(WIDE, "width")[0], color=GRAY, lw=1, ls="--")
        ax.set(xlabel="rows of the fit (dashed: features)", ylabel=label)
    axes[0].set_yscale("log")
    legend_below(figure, *axes[0].get_legend_handles_labels())
    return figure


def noise_said(shown: Shown) -> list[str]:
    """The claim to beat: what FGSM has over random signs of its size, own and mapped."""
    gaps = {
        metric: {size: shown.paired(ATTACK, NOISE, f"{metric}_{size}") for size in sizes(shown)}
        for metric in ("native", "mapped")
    }
    own, mapped = (
        "{} (at ε = {:g})".format(*max((round(gap.mean, 3), float(size) / 100) for size, gap in by.items()))
        for by in gaps.values()
    )
    most = max(gap.mean for by in gaps.values() for gap in by.values())
    noise = {size: shown.interval(NOISE, f"native_{size}").mean for size in sizes(shown)}
    least, best = min(noise.values()), max(noise.values())
    word = (
        "mostly that something moved, and little of the attack" if most < 0.05 else "more than a perturbation"
    )
    return [
        f"**What the detector sees is {word}.** Detectors see random signs with an AUROC of {least:.2f} to "
        f"{best:.2f}. FGSM of the same size has at most {own} over them, through the maps at most {mapped}.",
        _apart_said(shown),
    ]


def _apart_said(shown: Shown) -> str:
    told, trained = (
        [shown.interval(ATTACK, f"{metric}_{size}").mean for size in sizes(shown)] for metric in _apart()
    )
    return (
        f"Asked to tell FGSM from random signs, the detector of FGSM has an AUROC of {min(told):.2f} to "
        f"{max(told):.2f}; a linear detector that is trained for this has {min(trained):.2f} to "
        f"{max(trained):.2f}."
    )


def grid_said(shown: Shown) -> list[str]:
    """How far mapped and own AUROC are apart, and whether sources or targets decide."""
    gaps = ", ".join(f"{shown.interval(ATTACK, f'worst_gap_{size}').mean:.2f}" for size in sizes(shown))
    source, target = (shown.interval(ATTACK, f"{side}_share_{CHOSEN}").mean for side in ("source", "target"))
    errors = ", ".join(
        f"{name} {shown.interval(ATTACK, f'error_{key}').mean:.1f}" for key, name in NETWORKS.items()
    )
    far, near = (_furthest(shown, side) for side in ("target", "source"))
    return [
        f"Networks err in (%): {errors}. The largest difference of a pair between mapped and own AUROC is, "
        f"by rising ε: {gaps}. Of the variation between cells at ε = {CHOSEN / 100:g}, {source:.0f} % is of "
        f"the source and {target:.0f} % of the target. Attacks are about as hard to see as in the network "
        f"that they were made for: mean AUROCs are at most {near:.2f} from the source's own, and up to "
        f"{far:.2f} from the target's."
        if near < far
        else f"Networks err in (%): {errors}. The largest differences of a pair by rising ε: {gaps}.",
    ]


def _furthest(shown: Shown, side: str) -> float:
    """The most by which a pair's mean mapped AUROC is from the own one of its source or its target."""
    own = {name: shown.interval(ATTACK, f"native_{name}_{CHOSEN}").mean for name in NETWORKS}
    return max(
        abs(shown.interval(ATTACK, f"mapped_{s}_{t}_{CHOSEN}").mean - own[s if side == "source" else t])
        for s, t in permutations(NETWORKS, 2)
    )


def heads_said(shown: Shown) -> list[str]:
    """How far the heads' accuracies are apart."""
    gaps = ", ".join(f"{shown.interval(ATTACK, f'head_gap_{size}').mean:.0f}" for size in sizes(shown))
    return [
        f"The largest difference of a head between mapped and own attacks, in points by rising ε: {gaps}."
    ]


def peak_said(shown: Shown) -> list[str]:
    """Least squares and ridge where there are as many rows as features."""
    rows = int(shown.values(WIDE, "width")[0])
    ols, ridge = (tables.interval_text(shown.interval(WIDE, f"auroc_{fit}_{rows}"), 2) for fit in FITS)
    errors = [shown.interval(WIDE, f"mse_{fit}_{rows}").mean for fit in FITS]
    own = tables.interval_text(t_interval(shown.values(WIDE, "native")), 2)
    return [
        f"With {rows:,} rows for {rows:,} features least squares has {errors[0] / errors[1]:.0f} times the "
        f"error of ridge. Mapped attacks are detected with an AUROC of {ols} after it and of {ridge} after "
        f"ridge; the target's own is {own}."
    ]
