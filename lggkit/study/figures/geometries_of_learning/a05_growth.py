"""Article 5: how the time of a best fit grows in n, k, l and r, from the benchmark's rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from math import log
from typing import TYPE_CHECKING, Any

from lggkit.study import paths
from lggkit.study.figures.parts import one_legend, panels
from lggkit.study.figures.style import look_of
from lggkit.study.records.bench_rows import check_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

Rows = Sequence[Mapping[str, Any]]
BENCH = "subspaces"
SIZES = {
    **{"n": "dimension of the space n", "k": "dimension of the fit k"},
    **{"l": "dimension of a set l", "r": "number of sets r"},
}
NAMED = re.compile(r"([nklr]) = ([\d,]+)\b")
NOTHING = (
    "The growth in n, k, l and r is not yet measured, which takes an idle machine; "
    "`python tools/bench.py tests/bench/bench_subspaces.py` does it."
)


def growth_rows() -> Rows:
    """What the benchmark recorded on a processor of the sizes that grow; empty where it has not run."""
    files = sorted((paths.results() / "bench").glob(f"{BENCH}-cpu*.json"))
    rows = json.loads(files[0].read_text(encoding="utf-8"))["rows"] if files else []
    if rows:
        check_rows(rows)
    grown = [(row, found) for row in rows if (found := NAMED.match(row["name"]))]
    sized = [row | {"grown": f[1], "size": int(f[2].replace(",", ""))} for row, f in grown]
    return sorted(sized, key=lambda row: row["size"])


def growth_figure(rows: Rows) -> Figure | None:
    """Seconds of a fit and of a few steps of the article's Adam, a panel a size; None without rows."""
    if not rows:
        return None
    figure, axes = panels(len(SIZES), 2.6)
    for ax, (letter, title) in zip(axes, SIZES.items(), strict=True):
        chosen = _grown(rows, letter)
        places = [row["size"] for row in chosen]
        for place, (key, label) in enumerate({"ours": "best fit", "reference": "steps of Adam"}.items()):
            ax.plot(places, [row[f"{key}_seconds"] for row in chosen], label=label, lw=1.8, **look_of(place))
        ax.set(xscale="log", yscale="log", xlabel=title, ylabel="seconds")
        ax.set_xticks(places, [f"{place:,}" for place in places])
        ax.set_xticks([], minor=True)
    one_legend(figure, axes[0])
    return figure


def growth_text(rows: Rows) -> str:
    """By what power of each size the time of a fit grows between its ends, or that nobody measured it.

    Where it falls on the way, its seconds are said instead.
    """
    powers, others = [], []
    for letter in SIZES:
        if len(chosen := _grown(rows, letter)) > 1:
            first, last = chosen[0], chosen[-1]
            seconds = [row["ours_seconds"] for row in chosen]
            if seconds != sorted(seconds):
                times = ", ".join(
                    f"{1e3 * one:,.0f} ms at {row['size']:,}"
                    for one, row in zip(seconds, chosen, strict=True)
                )
                others.append(f"In {letter} it does not grow all the way: {times}.")
                continue
            power = log(last["ours_seconds"] / first["ours_seconds"]) / log(last["size"] / first["size"])
            powers.append(f"{letter} to the power {power:.1f} from {first['size']:,} to {last['size']:,}")
    grown = [f"A fit's time grows as {'; '.join(powers)}."] if powers else []
    return " ".join(grown + others) or NOTHING


def growth_said(shown: Shown) -> list[str]:
    """The sentence of the benchmark, whatever the records of the section are."""
    return [growth_text(growth_rows())]


def _grown(rows: Rows, letter: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["grown"] == letter]
