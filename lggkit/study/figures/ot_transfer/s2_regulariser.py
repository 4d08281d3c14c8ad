"""Figures and sentences of paper 3, section 2: exact plans, solvers, and what a step costs."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.experiments.ot_transfer.s2_regulariser import BETAS, TRACED
from lggkit.study.figures.parts import banded, panels, seed_lines
from lggkit.study.figures.style import look_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

SOLVERS = {"exact": "exact", "ipot": "IPOT", "sinkhorn": "Sinkhorn"}
LOOKS = {name: look_of(place) for place, name in enumerate(("ipot", "sinkhorn", "exact", "linear_program"))}
STEPS = {
    "none": "no penalty",
    "parameter": "L2-SP, of weights",
    "transport": "Ω_P by IPOT",
    "linear_program": "Ω_P by the linear program",
}


def plans_figure(shown: Shown) -> Figure:
    """The plans of three solvers for one layer and its noisy copy, brought back into order."""
    arrays = shown.arrays("solvers")
    figure, axes = panels(3, 2.9, sharey=True)
    for ax, (name, title) in zip(axes, SOLVERS.items(), strict=True):
        image = ax.imshow(arrays[f"plan_{name}"], vmin=0, vmax=1, cmap="Blues")
        share = arrays[f"plan_{name}"].trace() / len(arrays[f"plan_{name}"])
        ax.set(title=f"{title}: {100 * share:.0f} % matched", xlabel="neuron of the layer")
        ax.set_xticks(range(0, 16, 5))
    axes[0].set_ylabel("neuron of its copy")
    figure.colorbar(image, ax=list(axes), shrink=0.8, label="share of a neuron's mass")
    return figure


def exactness_figure(shown: Shown) -> Figure:
    """Left, IPOT's gap to the least cost by iterations; right, mass on the true matching by β."""
    figure, (left, right) = panels(2, 3.4)
    seed_lines(left, TRACED, shown.values("exact", "gap_by_iterations"), LOOKS["ipot"], "IPOT")
    left.set(xscale="log", yscale="log", xlabel="iterations", ylabel="cost above the least (share)")
    for index, (name, title) in enumerate(SOLVERS.items()):
        rows = shown.values("solvers", f"recovery_{name}_by_beta")
        banded(right, BETAS, rows, LOOKS[name], title, index)
    right.set(xscale="log", xlabel="entropy β", ylabel="mass on the true matching", ylim=(0, 1.05))
    right.legend()
    return figure


def cost_figure(shown: Shown) -> Figure:
    """Left, seconds of a plan by the number of neurons; right, seconds of a training step by penalty."""
    sizes = shown.arm("timing")[0].settings["sizes"]
    figure, (left, right) = panels(2, 3.4)
    for name, title in {"ipot": "IPOT", "linear_program": "linear program"}.items():
        seed_lines(left, sizes, shown.values("timing", f"seconds_{name}_by_size"), LOOKS[name], title)
    left.set(xscale="log", yscale="log", xlabel="neurons", ylabel="seconds a plan")
    left.legend()
    means = [1000 * shown.interval("timing", f"step_seconds_{name}").mean for name in STEPS]
    right.barh(list(STEPS.values()), means, color=[LOOKS["ipot"]["color"]])
    right.invert_yaxis()
    right.set(xlabel="milliseconds a step")
    return figure


def costs(shown: Shown) -> pd.DataFrame:
    """Milliseconds of a training step under each penalty, and the factor over a penalty of weights."""
    base = shown.interval("timing", "step_seconds_parameter").mean
    rows = []
    for name, title in STEPS.items():
        values = shown.values("timing", f"step_seconds_{name}")
        mean = fmean(values)
        row = {"penalty": title, "milliseconds a step": f"{1000 * mean:.0f}", "factor": f"{mean / base:.2f}"}
        rows.append(row)
    return pd.DataFrame(rows)


def exact_said(shown: Shown) -> list[str]:
    """What reordering changes, and how near the least cost IPOT comes."""
    runs = shown.arm("exact")
    settings, gaps = runs[0].settings, [run.metrics["gap_by_iterations"] for run in runs]
    violation = max(run.metrics["permutation_violation"] for run in runs)
    identity = max(run.metrics["identity_change"] for run in runs)
    first, last = (max(row[place] for row in gaps) for place in (TRACED.index(10), -1))
    problems = len(runs) * settings["problems"] * len(settings["shapes"])
    return [
        f"Over {problems} pairs of layers, another order of the neurons changes Ω_P by at most a share of "
        f"{violation:.0e}. The plan fixed at the identity changes by up to {100 * identity:.1f} %.",
        f"IPOT's cost lies at most {100 * first:.2f} % above the least after 10 iterations and "
        f"{100 * last:.4f} % after {TRACED[-1]}.",
    ]


def solvers_said(shown: Shown) -> list[str]:
    """What IPOT and Sinkhorn recover with the same entropy and as many updates."""
    settings = shown.arm("solvers")[0].settings
    ours, theirs, best = (
        100 * shown.interval("solvers", f"recovery_{name}").mean for name in ("ipot", "sinkhorn", "exact")
    )
    narrow = 100 * fmean(row[0] for row in shown.values("solvers", "recovery_sinkhorn_by_beta"))
    return [
        f"On layers of {settings['neurons']} neurons, with β = {settings['beta']:g} and "
        f"{settings['iterations'] * settings['inner']:,} updates each, "
        f"IPOT puts {ours:.1f} % of the mass on the true matching and Sinkhorn {theirs:.1f} %. The exact "
        f"plan has {best:.1f} %. Sinkhorn needs a small entropy for it: with β = {BETAS[0]:g} it has "
        f"{narrow:.1f} %."
    ]


def cost_said(shown: Shown) -> list[str]:
    """The factors of a step and of a plan."""
    mean = {name: shown.interval("timing", f"step_seconds_{name}").mean for name in STEPS}
    solver = [shown.interval("timing", f"seconds_{name}").mean for name in ("linear_program", "ipot")]
    largest = shown.arm("timing")[0].settings["sizes"][-1]
    return [
        f"A step with Ω_P takes {mean['transport'] / mean['parameter']:.2f} times as long as with L2-SP; by "
        f"the linear program it takes {mean['linear_program'] / mean['parameter']:.2f} times as long. The "
        "paper's wording leaves open whether its factor is 2.7 or 3.7.",
        f"For {largest:,} neurons on either side the linear program takes {solver[0] / solver[1]:.1f} times "
        f"IPOT's time on this machine; the paper says 1.6 times. IPOT makes 10 iterations there, as in "
        "fine-tuning.",
    ]
