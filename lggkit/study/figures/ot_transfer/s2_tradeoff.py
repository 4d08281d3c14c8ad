"""Paper 3, section 2: how exact a plan is for its time, by its start; from the benchmark's rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from lggkit.study import paths
from lggkit.study.figures.parts import one_legend, panels
from lggkit.study.figures.style import look_of
from lggkit.study.records.bench_rows import check_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

Rows = Sequence[Mapping[str, Any]]
BENCH = "transport_start"
STARTS = {"": "begun at the plan before", "reference_": "begun anew"}
"""What keys begin with, and what it is called."""
USUAL = 10
"""Iterations of the trainings of paper 3 in this book."""
FLOOR = 1e-4
"""Percent above the least below which a gap is drawn as this."""
NOTHING = (
    "The trade-off is not yet measured; `python tools/bench.py tests/bench/bench_transport_start.py` does it."
)


def tradeoff_rows() -> Rows:
    """What the benchmark recorded on a processor, by number of iterations; empty where it has not run."""
    files = sorted((paths.results() / "bench").glob(f"{BENCH}-cpu*.json"))
    rows = json.loads(files[0].read_text(encoding="utf-8"))["rows"] if files else []
    if rows:
        check_rows(rows)
    return sorted(rows, key=lambda row: row["iterations"])


def _by_partners(rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    kinds = sorted({row["partners"] for row in rows})
    return {kind: [row for row in rows if row["partners"] == kind] for kind in kinds}


def tradeoff_figure(rows: Rows) -> Figure | None:
    """The gap to the least cost by iterations, a panel a pair of layers, and the time of a step; or None."""
    if not rows:
        return None
    pairs = _by_partners(rows)
    figure, axes = panels(len(pairs) + 1, 3.2)
    for ax, (title, chosen) in zip(axes, pairs.items(), strict=False):
        for place, (key, start) in enumerate(STARTS.items()):
            gaps = [max(100 * row[f"{key}relative_gap"], FLOOR) for row in chosen]
            ax.plot([row["iterations"] for row in chosen], gaps, label=start, lw=1.8, **look_of(place))
        ax.set(title=title, yscale="log", ylabel="cost above the least (%)")
    chosen = next(iter(pairs.values()))
    for place, key in enumerate(STARTS):
        times = [1e3 * row[f"{key or 'ours_'}seconds"] for row in chosen]
        axes[-1].plot([row["iterations"] for row in chosen], times, lw=1.8, **look_of(place))
    axes[-1].set(title="time", ylabel="milliseconds a step", ylim=(0, None))
    for ax in axes:
        ax.set(xscale="log", xlabel="iterations")
    one_legend(figure, axes[0])
    return figure


def tradeoff(rows: Rows) -> pd.DataFrame:
    """Gap and time of a step by pair of layers, iterations and start."""
    lines = []
    for kind, chosen in _by_partners(rows).items():
        for row in chosen:
            one = {"layers": kind, "iterations": f"{row['iterations']}"}
            for key, title in STARTS.items():
                milliseconds = 1e3 * row[f"{key or 'ours_'}seconds"]
                one[title] = f"{100 * row[f'{key}relative_gap']:.2f} %, {milliseconds:.1f} ms"
            lines.append(one)
    return pd.DataFrame(lines or [{"layers": NOTHING}])


def tradeoff_said(rows: Rows) -> list[str]:
    """For each pair of layers, whether a plan begun at the one before is nearer, and up to where."""
    return [f"{kind.capitalize()}: {_said(chosen)}" for kind, chosen in _by_partners(rows).items()] or [
        NOTHING
    ]


def start_said(shown: Shown) -> list[str]:
    """The sentences of the benchmark, whatever the records of the section are."""
    return tradeoff_said(tradeoff_rows())


def _said(rows: Rows) -> str:
    """Gaps with the fewest iterations and with the training's own number."""
    usual = min(rows, key=lambda row: abs(row["iterations"] - USUAL))
    steps = [f"{1e3 * row['ours_seconds']:.1f} ms" for row in (rows[0], usual)]
    return f"{_gaps(rows[0])} {_gaps(usual).capitalize()} A step takes {steps[0]} and {steps[1]}."


def _gaps(row: Mapping[str, Any]) -> str:
    count = row["iterations"]
    warm, cold = (f"{100 * max(row[f'{key}relative_gap'], 0.0):.2f} %" for key in STARTS)
    return (
        f"with {count} iteration{'' if count == 1 else 's'} a plan that is begun at the one before costs "
        f"{warm} more than the least, one begun anew {cold}."
    )
