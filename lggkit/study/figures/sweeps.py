"""Figures of sweeps: an error against one setting of a loss, on test images and on images held out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.parts import one_legend, panels
from lggkit.study.figures.style import GRAY, arm_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

SWEEPS = {"k": "neighbours k", "d": "dimension d", "alpha": "scale α"}
DEFAULTS = {"k": "max", "alpha": "2"}
LOOKS = {
    "error_10nn": {"color": arm_color(0), "marker": "o", "label": "test images"},
    "validation_error_10nn": {"color": arm_color(1), "marker": "s", "ls": "--", "label": "held out"},
}


def sweep_figure(shown: Shown, data: str = "cifar10", classes: int = 10, batch: int = 100) -> Figure:
    """Figures 2 to 4 of paper 2: 10-NN error against k, d and α, on test images and on those held out.

    The k of all pairs is drawn at ``batch``, the size of the graphs; dotted lines are the values that a sweep
    over another setting keeps.
    """
    figure, axes = panels(3, sharey=True)
    defaults = DEFAULTS | {"d": str(classes)}
    for ax, (setting, label) in zip(axes, SWEEPS.items(), strict=True):
        arms = {_value(text, batch): (text, arm) for text, arm in swept(shown, setting, data).items()}
        ticks = {value: arms[value][0].replace("max", "all") for value in sorted(arms)}
        drawn = {value: arms[value][1] for value in ticks}
        _panel(ax, shown, drawn, ticks.values(), label, _value(defaults[setting], batch))
    axes[0].set_ylabel("10-NN error (%)")
    one_legend(figure, axes[0])
    return figure


def options_figure(
    shown: Shown, sweeps: Mapping[str, Mapping[float, str]], kept: Sequence[float | None]
) -> Figure:
    """10-NN error against an option of a loss, a panel a loss, on test images and on those held out.

    Args:
        shown: holds the arms of the sweeps.
        sweeps: for the name of an option, as the axis has it, the arms by the option's value.
        kept: for each sweep, the value that other arms have, marked by a dotted line, or None.
    """
    figure, axes = panels(len(sweeps), sharey=True)
    for ax, (label, arms), value in zip(axes, sweeps.items(), kept, strict=True):
        _panel(ax, shown, dict(sorted(arms.items())), [f"{v:g}" for v in sorted(arms)], label, value)
        ax.set_ylabel("10-NN error (%)" if ax.get_subplotspec().is_first_col() else "")
    one_legend(figure, axes[0])
    return figure


def swept(shown: Shown, setting: str, data: str) -> dict[str, str]:
    """The recorded arms of a sweep, such as ``k10-cifar10``, by the value of the setting as written."""
    pattern = re.compile(rf"{setting}(max|[0-9.]+)-{data}")
    names = dict.fromkeys(r.arm for r in shown.records if r.status == "complete")
    return {match[1]: name for name in names if (match := pattern.fullmatch(name))}


def _value(text: str, batch: int) -> float:
    return float(batch if text == "max" else text)


def _panel(
    ax: Axes, shown: Shown, arms: Mapping[float, str], ticks: Iterable[str], label: str, default: float | None
) -> None:
    """Errors of arms over their values, which rise, on a logarithmic axis; a dotted line at what is kept."""
    for metric, look in LOOKS.items():
        errors = {value: shown.values(arm, metric) for value, arm in arms.items()}
        for value, seeds in errors.items():
            ax.plot(np.full(len(seeds), value), seeds, ".", color=look["color"], ms=5, alpha=0.5)
        ax.plot(list(errors), [np.mean(seeds) for seeds in errors.values()], ms=5, lw=1.8, **look)
    ax.set_xscale("log")
    ax.set_xticks(list(arms), list(ticks))
    ax.set_xticks([], minor=True)
    if default is not None:
        ax.axvline(default, color=GRAY, lw=0.8, ls=":", zorder=0)
    ax.set_xlabel(label)
