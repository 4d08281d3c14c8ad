"""The scorecard as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lggkit.record import SCALES
from lggkit.study.texts import DAGGER


def as_text(card: Mapping[str, Any]) -> str:
    """A line a table of cells, then a line a claim; † marks what was added to a claim after a run of it."""
    return "\n".join([*_tables(card["tables"]), "", *_claims(card["claims"])])


def _tables(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    scales = "".join(f"{'@' + scale:>10}" for scale in SCALES)
    lines = [f"{'paper':26}{'table':18}{'cells':>6}{scales}{'n/a':>5}  verdicts"]
    for row in rows:
        counts = "".join(f"{row['measured'].get(scale, 0):10}" for scale in SCALES)
        verdicts = ", ".join(f"{n} {name}" for name, n in row["verdicts"].items() if n)
        start = f"{row['paper']:26}{row['table']:18}{row['cells']:6}"
        lines.append(f"{start}{counts}{row['unavailable']:5}  {verdicts}".rstrip())
    return lines


def _claims(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [f"{'paper':26}{'claim':48}{'verdict':27}{'scale':9}{'n':>3}"]
    for row in rows:
        mark = DAGGER if row.get("after_run") else ""
        start = f"{row['paper']:26}{row['id'][:46]:48}{row['verdict'] + mark:27}"
        lines.append(f"{start}{row['scale'] or '-':9}{row['n']:3}  {_remarks(row)}".rstrip())
    return lines


def _remarks(row: Mapping[str, Any]) -> str:
    """Why it is no verdict, the effect at each length, and the verdict without what was added after a run."""
    found = row.get("lengths", {}).items()
    effects = [f"{scale} {one['effect']:.3g}" for scale, one in found if one["effect"] is not None]
    without = row.get("without_after_run")
    parts = [row.get("reason", ""), ", ".join(effects), f"without {DAGGER}: {without}" if without else ""]
    return "; ".join(part for part in parts if part)
