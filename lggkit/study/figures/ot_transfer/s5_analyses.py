"""Figures and sentences of paper 3, section 5: the roles of neurons by depth and through fine-tuning."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from lggkit.study.figures.parts import looks, panels, seed_lines
from lggkit.study.figures.said import mean_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

TARGETS = {"cifar10": "another target", "overlap": "seen classes"}
METHODS = {"none": "none", "l2_sp": "L2-SP", "omega_p": "Ω_P"}
CONTROLS = {"permuted": "reordered", "untrained": "random weights"}


def _arms(shown: Shown, target: str) -> dict[str, str]:
    """The arms of a target that have a run, with their titles."""
    named = {f"{method}-{target}": title for method, title in METHODS.items()}
    return {arm: title for arm, title in named.items() if shown.arm(arm)}


def depth_figure(shown: Shown) -> Figure:
    """The trace of the plan to the start by depth, a thin line a seed; dotted, the controls."""
    look, (figure, axes) = looks(shown.experiment), panels(len(_targets(shown)), 3.6, sharey=True)
    depths = [depth.replace("penultimate", "pooled") for depth in _depths(shown)]
    for ax, (target, title) in zip(axes, _targets(shown).items(), strict=True):
        for arm, name in _arms(shown, target).items():
            seed_lines(ax, range(len(depths)), shown.values(arm, "trace_by_depth"), look[arm], name)
        for control, name in CONTROLS.items():
            rows = shown.values(control, "trace_by_depth")
            if rows:
                mean = [fmean(column) for column in zip(*rows, strict=True)]
                ax.plot(range(len(depths)), mean, ls=":", lw=1.4, color=look[control]["color"], label=name)
        ax.set_xticks(range(len(depths)), depths, rotation=40, ha="right")
        ax.set(title=title, ylim=(0, 1.03))
    axes[0].set_ylabel("trace of the plan to the start")
    axes[0].legend()
    return figure


def _targets(shown: Shown) -> dict[str, str]:
    """The targets that L2-SP has a run on, with their titles."""
    return {target: title for target, title in TARGETS.items() if shown.arm(f"l2_sp-{target}")}


def _depths(shown: Shown) -> list[str]:
    return list(shown.records[0].settings["depths"])


def training_figure(shown: Shown) -> Figure:
    """The trace at the penultimate depth through fine-tuning, a thin line a seed."""
    look, (figure, axes) = looks(shown.experiment), panels(len(_targets(shown)), 3.2, sharey=True)
    for ax, (target, title) in zip(axes, _targets(shown).items(), strict=True):
        for arm, name in _arms(shown, target).items():
            curves = [run.curves for run in shown.arm(arm)]
            rows = [curve["trace_penultimate"] for curve in curves]
            seed_lines(ax, curves[0]["test_epoch"], rows, look[arm], name)
        ax.set(title=title, xlabel="epoch", ylim=(0, 1.03))
    axes[0].set_ylabel("trace of the plan to the start")
    axes[0].legend()
    return figure


def plans_figure(shown: Shown) -> Figure:
    """The plans at the penultimate depth, one seed: fine-tuned with L2-SP, and the two controls."""
    arms = {"l2_sp-cifar10": "L2-SP, another target", "l2_sp-overlap": "L2-SP, seen classes", **CONTROLS}
    present = {arm: title for arm, title in arms.items() if shown.arm(arm)}
    figure, axes = panels(len(present), 3.0, sharey=True)
    for ax, (arm, title) in zip(axes, present.items(), strict=True):
        plan = shown.arrays(arm)["plan"]
        ax.imshow(plan, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        ax.set(title=title, xlabel="neuron of the start", ylabel="neuron")
    return figure


def roles_said(shown: Shown) -> list[str]:
    """Which share of neurons keep their role at the first and the last depth, by target."""
    said = []
    for target, title in _targets(shown).items():
        rows = shown.values(f"l2_sp-{target}", "trace_by_depth")
        first, last = (fmean(row[place] for row in rows) for place in (0, -1))
        said.append(
            f"With L2-SP on {title} {100 * first:.0f} % of the neurons keep their role at the first block "
            f"and {100 * last:.0f} % at the last depth."
        )
    return [" ".join(said)]


def controls_said(shown: Shown) -> list[str]:
    """What the controls say, whose answers are known."""
    clauses = []
    for control, name in CONTROLS.items():
        if shown.arm(control):
            trace = shown.interval(control, "mean_trace").mean
            cost = shown.interval(control, "relative_cost").mean
            clauses.append(f"{name}: mean trace {trace:.2f}, cost {100 * cost:.0f} % of a random matching's")
    text = "; ".join(clauses) + "." if clauses else "The controls are not measured yet."
    return [f"Controls. {text[0].upper()}{text[1:]}"]


def swaps_said(shown: Shown) -> list[str]:
    """Which share of the penultimate neurons swapped under each penalty."""
    shares = [
        f"{title} {mean_text(shown.interval(arm, 'swapped_share'))}"
        for arm, title in _arms(shown, "cifar10").items()
    ]
    return [f"Share of penultimate neurons that swapped roles on the other target: {', '.join(shares)}."]
