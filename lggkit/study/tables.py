"""Tables of the book: the paper's value beside ours at every scale, and claims with their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.record import SCALES, Record
from lggkit.study.claim_tables import claims_table as claims_table
from lggkit.study.claim_tables import scores_table as scores_table
from lggkit.study.paper import Cell, cells
from lggkit.study.scorecard import Records, judged_cells, records_of
from lggkit.study.statistics import Interval, t_interval
from lggkit.study.texts import SCALE_TITLES, interval_text, known, minus, verdict_text
from lggkit.study.texts import as_myst as as_myst
from lggkit.study.texts import sign_text as sign_text
from lggkit.study.verdicts import CellVerdict, by_seed

if TYPE_CHECKING:
    from lggkit.study.view import Shown

NOT_MEASURED = "not yet measured"
VERDICT = "verdict at paper scale"
DIGITS = {"dimensionless": 3, "ratio": 3}
COUNTS = ("relative_corruptions",)


def paper_table(paper: str, table: str) -> pd.DataFrame:
    """One row a cell: the paper's value, ours at each scale (mean ± half the 95 % interval, n), verdict.

    A scale has a column where something is recorded at it, but smoke, which never stands beside a paper's
    number; where nothing is recorded, that of the paper's scale says so.
    """
    records = records_of(paper)
    judged = [v for v in judged_cells(paper, records) if v.cell.table == table]
    if not judged:
        raise KeyError(f"{paper} has no measured cell in a table {table!r}; see data/paper/{paper}/cells.csv")
    scales = [s for s in SCALES[1:] if any(_values(v.cell, records, s) for v in judged)]
    frame = pd.DataFrame([_cell_row(v, records, scales or ["paper"]) for v in judged])
    return frame.drop(columns="column") if frame["column"].nunique() == 1 else frame


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
    return place | ours | {"difference": difference, VERDICT: verdict_text(judged)}


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
        return "data not to be had"
    return interval_text(t_interval(values), digits) if values else NOT_MEASURED


def metric_text(shown: Shown, arm: str, metric: str, digits: int = 2) -> str:
    """The interval of a metric over an arm's seeds as text, or a dash where no run has it."""
    return interval_text(shown.interval(arm, metric), digits) if shown.values(arm, metric) else "–"


def metrics_table(
    shown: Shown, rows: Mapping[str, Mapping[str, tuple[str, str]]], digits: int = 3
) -> pd.DataFrame:
    """Means with intervals of chosen metrics: ``rows[label][column]`` is an arm and one of its metrics.

    A dash stands where no run of the arm has the metric.
    """
    return pd.DataFrame(
        [
            {"": label} | {column: metric_text(shown, *place, digits) for column, place in row.items()}
            for label, row in rows.items()
        ]
    )


def arms_table(
    shown: Shown, titles: Mapping[str, str], columns: Mapping[str, str], digits: int = 3
) -> pd.DataFrame:
    """Means with intervals: one row an arm that was run, one column a metric.

    ``titles`` gives the arms in order and what they are called, ``columns`` a metric for each heading. A
    count of `COUNTS` has a column only where it varies.
    """
    arms = {arm: title for arm, title in titles.items() if shown.arm(arm)}
    varying = {heading: metric for heading, metric in columns.items() if _varies(shown, arms, metric)}
    rows = {
        title: {heading: (arm, metric) for heading, metric in varying.items()} for arm, title in arms.items()
    }
    return metrics_table(shown, rows, digits)


def _varies(shown: Shown, arms: Iterable[str], metric: str) -> bool:
    return metric not in COUNTS or len({count for arm in arms for count in shown.values(arm, metric)}) > 1


def printed_table(paper: str, table: str) -> pd.DataFrame:
    """A table of values that stand beside the cells (descriptors), as they were printed or released."""
    chosen = [cell for cell in cells(paper) if cell.table == table]
    return pd.DataFrame([{"row": c.row, c.column: _printed(c), "runs": c.n or ""} for c in chosen])


def costs_table(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a table arm of a section: parameters, multiply-accumulates, minutes of one training."""
    trained = {one.key: one.seconds for one in shown.ledger.trainings.lines()}
    return pd.DataFrame(
        [_cost_row(shown, arm, title, trained) for arm, title in titles.items() if shown.arm(arm)]
    )


def _cost_row(shown: Shown, arm: str, title: str, trained: Mapping[str, float]) -> dict[str, str]:
    """The minutes of a record that names its network are those of that training, where it is known."""
    seconds = [trained.get(r.network) if r.network else r.seconds for r in shown.arm(arm)]
    minutes = [one / 60 for one in seconds if one is not None]
    return {
        "": title,
        "parameters": "".join(f"{count:,}" for count in shown.values(arm, "parameters")[:1]),
        "multiply-accumulates": "".join(f"{m / 1e6:.1f} M" for m in shown.values(arm, "macs")[:1]),
        "minutes": f"{fmean(minutes):.1f}" if minutes else "–",
    }


def provenance(*shown: Shown) -> pd.DataFrame:
    """One row a scale and origin of the records of a page: which arms, runs, failures, device, code path.

    Arms whose runs were made under the same conditions share a row; a code path is without its reasons.
    """
    rows: dict[tuple[str, ...], list[Record]] = {}
    for one in {s.scale: s for s in shown}.values():
        for arm in dict.fromkeys(r.arm for r in one.records):
            runs = [r for r in one.records if r.arm == arm]
            rows.setdefault((one.scale, *_conditions(runs)), []).extend(runs)
    return pd.DataFrame([_origin(*conditions, runs) for conditions, runs in rows.items()])


def _conditions(runs: Sequence[Record]) -> tuple[str, ...]:
    """Devices of training and of measuring, code path, version of torch and commit of runs."""
    paths = (r.path.partition(":")[0] for r in runs)
    devices = (r.trained_on for r in runs), (r.device for r in runs)
    return tuple(map(_distinct, (*devices, paths, (r.torch for r in runs), (r.commit[:8] for r in runs))))


def _origin(
    scale: str, trained_on: str, device: str, path: str, torch: str, commit: str, runs: Sequence[Record]
) -> dict[str, str | int]:
    return {
        "scale": scale,
        "arms": ", ".join(dict.fromkeys(r.arm for r in runs)),
        "runs": len(runs),
        "diverged": sum(r.status == "diverged" for r in runs),
        "trained on": trained_on,
        "device": device,
        "code path": path,
        "torch": torch,
        "minutes": f"{sum(r.seconds for r in runs) / 60:.1f}",
        "commit": commit,
    }


def _distinct(values: Iterable[str]) -> str:
    return "; ".join(sorted({value for value in values if value}))
