"""Tables of cells: the paper's value beside ours at every scale, or the paper's alone."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lggkit.record import SCALES
from lggkit.study.entered.paper import Cell, cells
from lggkit.study.judging.scorecard import Records, judged_cells, records_of
from lggkit.study.judging.statistics import Interval, t_interval
from lggkit.study.judging.texts import SCALE_TITLES, interval_text, known, minus, verdict_text
from lggkit.study.judging.verdicts import AGREES, DIFFERS, CellVerdict, by_seed

NOT_MEASURED, UNAVAILABLE = "not yet measured", "data not to be had"
MOST_COLUMNS = 6
VERDICT = "verdict at paper scale"
DIGITS = {"dimensionless": 3, "ratio": 3}


def paper_table(paper: str, table: str, records: Records | None = None) -> pd.DataFrame:
    """One row a cell: the paper's value, ours at each scale (mean ± half the 95 % interval, n), verdict.

    A scale has a column where something is recorded at it, but smoke, which never stands beside a paper's
    number; where nothing is recorded, that of the paper's scale says so. ``records`` are those of the paper,
    where they are read already.
    """
    records = records_of(paper) if records is None else records
    judged = [v for v in judged_cells(paper, records) if v.cell.table == table]
    if not judged:
        raise KeyError(f"{paper} has no measured cell in a table {table!r}; see data/paper/{paper}/cells.csv")
    scales = [s for s in SCALES[1:] if any(_values(v.cell, records, s) for v in judged)]
    frame = pd.DataFrame([_cell_row(v, records, scales or ["paper"]) for v in judged])
    return frame.drop(columns="column") if frame["column"].nunique() == 1 else frame


def unmeasured_table(
    paper: str, table: str, records: Records | None = None
) -> tuple[pd.DataFrame, str] | None:
    """A table of which nothing can be shown, as the paper prints it, and why; None where something can.

    Its columns become rows where it is too wide for a page. None also where it gives a cell twice.
    """
    records = records_of(paper) if records is None else records
    entered = [cell for cell in cells(paper) if cell.table == table and cell.kind == "measured"]
    places = [(cell.row, cell.column) for cell in entered]
    ours = [_values(cell, records, scale) for cell in entered if cell.available for scale in SCALES[1:]]
    if any(ours) or not entered or len(set(places)) < len(places):
        return None
    sides = [list(dict.fromkeys(side)) for side in zip(*places, strict=True)]
    turned = len(sides[1]) > max(len(sides[0]), MOST_COLUMNS)
    rows: dict[str, dict[str, str]] = {}
    for cell in entered:
        name, column = (cell.column, cell.row) if turned else (cell.row, cell.column)
        rows.setdefault(name, {"": name})[column] = _printed(cell)
    why = NOT_MEASURED if any(cell.available for cell in entered) else UNAVAILABLE
    return pd.DataFrame(list(rows.values())).fillna("–"), why


def _values(cell: Cell, records: Records, scale: str) -> list[float]:
    """Ours of a cell, one value a seed."""
    runs = records.get(cell.experiment, {}).get(scale, ())
    return list(by_seed(runs, cell.arm, cell.metric).values())


def _cell_row(judged: CellVerdict, records: Records, scales: Sequence[str]) -> dict[str, str]:
    cell = judged.cell
    digits = DIGITS.get(cell.unit, 2) if abs(cell.value) < 10 else 2
    ours = {SCALE_TITLES[scale]: _ours(cell, _values(cell, records, scale), digits) for scale in scales}
    difference = "" if judged.difference is None else _signed(judged.difference, judged.interval, digits)
    place = {"row": cell.row, "column": cell.column, "printed": _printed(cell)}
    return place | ours | {"difference": difference, VERDICT: _verdict(judged)}


def _verdict(judged: CellVerdict) -> str:
    """The verdict, with the tolerance that it was given at."""
    words = {AGREES: "within", DIFFERS: "by more than"}.get(judged.verdict)
    return verdict_text(judged) + (f" {words} {judged.cell.tolerance:g}" if words else "")


def _signed(value: float, interval: Interval, digits: int) -> str:
    text = minus(known(value, interval.half_width, digits))
    return text if text.startswith("−") else f"+{text}"


def _printed(cell: Cell) -> str:
    """The paper's value with its spread, and which kind of spread that is."""
    kind = f" ({cell.spread_kind})" if cell.spread_kind else ""
    value = cell.printed or f"{cell.value:g}"
    return value + (f" ± {cell.spread:g}{kind}" if cell.spread is not None else "")


def _ours(cell: Cell, values: Sequence[float], digits: int) -> str:
    if not cell.available:
        return UNAVAILABLE
    return interval_text(t_interval(values), digits) if values else NOT_MEASURED


def printed_table(paper: str, table: str) -> pd.DataFrame:
    """A table of values that stand beside the cells (descriptors), as they were printed or released."""
    chosen = [cell for cell in cells(paper) if cell.table == table]
    return pd.DataFrame([{"row": c.row, c.column: _printed(c), "runs": c.n or ""} for c in chosen])
