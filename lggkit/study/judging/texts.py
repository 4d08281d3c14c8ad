"""Intervals, verdicts and tables as text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pandas as pd

from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.verdicts import CellVerdict, ClaimVerdict

CHECK, DAGGER = "✓", "†"
SCALE_TITLES = {"smoke": "smoke", "short": "short", "reduced": "reduced", "paper": "paper scale"}


SMALLEST = 6
"""The most decimals that are written out."""


def interval_text(interval: Interval | None, digits: int = 2) -> str:
    """``mean ± half width (n)``, with no half width where there is one seed only; a dash for no interval.

    ``digits`` are the most decimals; a wide interval takes fewer, see `known`.
    """
    if interval is None:
        return "–"
    width = interval.half_width
    half = "" if math.isinf(width) else f" ± {known(width, width, digits)}"
    return minus(f"{known(interval.mean, width, digits)}{half} ({interval.n})")


def known(value: float, half_width: float, digits: int | None = None) -> str:
    """A number as far as its interval knows it: to the second significant digit of its half width.

    ``digits`` are the most decimals; they are all taken where nothing is known of the interval.
    """
    unknown = not math.isfinite(half_width) or half_width <= 0
    places = 2 if unknown else 1 - math.floor(math.log10(half_width))
    places = places if digits is None else digits if unknown else min(places, digits)
    if places > SMALLEST:
        return f"{value:.2g}"
    return f"{round(value, places) + 0.0:,.{max(places, 0)}f}"


def minus(text: str) -> str:
    """A number's text with a minus sign in place of a hyphen."""
    return text.replace("-", "−")


def sign_text(interval: Interval, above: str, below: str) -> str:
    """What an interval of differences says: ``above`` or ``below`` zero, or that the seeds cannot tell."""
    seeds = "one seed" if interval.n == 1 else f"{interval.n} seeds"
    undecided = f"{seeds} cannot tell the two apart"
    return above if interval.above(0) else below if interval.below(0) else undecided


def verdict_text(judged: CellVerdict | ClaimVerdict) -> str:
    """A verdict, and in parentheses why it is none, or why more seeds may not decide it.

    A claim that was written or made stricter after a run of it, or a part of which was, is marked †, and the
    verdict without such parts is given beside it.
    """
    added = isinstance(judged, ClaimVerdict) and judged.after_run
    without = f"without {DAGGER}: {judged.without}" if added and judged.without else ""
    remarks = "; ".join(part for part in (judged.reason, without) if part)
    return judged.verdict + (DAGGER if added else "") + (f" ({remarks})" if remarks else "")


def as_myst(frame: pd.DataFrame, caption: str, name: str = "") -> str:
    """A MyST list-table directive of a frame: captioned, referable, cells as plain text.

    Columns in which nothing stands are left out; numbers stay on one line with their spread and their seeds.
    """
    head = ["::::{list-table} " + caption, ":header-rows: 1"] + ([f":name: {name}"] if name else [])
    filled = frame.loc[:, [bool(len(frame) == 0 or (cells != "").any()) for _, cells in frame.items()]]
    rows = [list(filled.columns), *filled.itertuples(index=False)]
    body = [f"{'* -' if i == 0 else '  -'} {_escape(cell)}" for row in rows for i, cell in enumerate(row)]
    return "\n".join([*head, "", *body, "::::"])


def listed(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; nothing of none."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def seeds_counted(n: int) -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{n} seed{'' if n == 1 else 's'}"


UNBROKEN = re.compile(r" (?=± )|(?<=±) (?=\d)|(?<=\d) (?=\(\d+\))|(?<=\d,) (?=[−\d.]+\])")
"""Blanks within ``mean ± half width (n)`` and ``[low, high]``."""


def _escape(cell: object) -> str:
    text = UNBROKEN.sub("\N{NO-BREAK SPACE}", str(cell))
    text = text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")
    return text if text else " "
