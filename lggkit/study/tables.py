"""Tables of the book: the paper's value beside ours at every scale, and claims with their verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.record import SCALES, Record
from lggkit.study.paper import Cell, cells
from lggkit.study.scorecard import Records, judged_cells, judged_claims, records_of, table_rows
from lggkit.study.statistics import Interval, t_interval
from lggkit.study.texts import as_myst as as_myst
from lggkit.study.texts import interval_text, minus, verdict_text
from lggkit.study.texts import sign_text as sign_text
from lggkit.study.verdicts import CellVerdict, ClaimVerdict, by_seed

if TYPE_CHECKING:
    from lggkit.study.view import Shown

OURS = {"smoke": "smoke", "reduced": "reduced", "paper": "paper scale"}
NOT_MEASURED = "not yet measured"
DIGITS = {"dimensionless": 3, "ratio": 3}


def paper_table(paper: str, table: str) -> pd.DataFrame:
    """One row a cell: the paper's value, ours at each scale (mean ± half the 95 % interval, n), verdict."""
    records = records_of(paper)
    rows = [_cell_row(v, records) for v in judged_cells(paper, records) if v.cell.table == table]
    if not rows:
        raise KeyError(f"{paper} has no measured cell in a table {table!r}; see data/paper/{paper}/cells.csv")
    frame = pd.DataFrame(rows)
    return frame.drop(columns="column") if frame["column"].nunique() == 1 else frame


def _cell_row(judged: CellVerdict, records: Records) -> dict[str, str]:
    cell = judged.cell
    digits = DIGITS.get(cell.unit, 2) if abs(cell.value) < 10 else 2
    held = records.get(cell.experiment, {})
    ours = {OURS[scale]: _ours(cell, held.get(scale, ()), digits) for scale in SCALES}
    difference = "" if judged.difference is None else minus(f"{judged.difference:+.{digits}f}")
    place = {"row": cell.row, "column": cell.column, "printed": _printed(cell)}
    return place | ours | {"difference": difference, "verdict": verdict_text(judged)}


def _printed(cell: Cell) -> str:
    """The paper's value with its spread, and which kind of spread that is."""
    kind = f" ({cell.spread_kind})" if cell.spread_kind else ""
    value = cell.printed or f"{cell.value:g}"
    return value + (f" ± {cell.spread:g}{kind}" if cell.spread is not None else "")


def _ours(cell: Cell, records: Sequence, digits: int) -> str:
    if not cell.available:
        return "data not to be had"
    values = list(by_seed(records, cell.arm, cell.metric).values())
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

    ``titles`` gives the arms in order and what they are called, ``columns`` a metric for each heading.
    """
    rows = {
        title: {heading: (arm, metric) for heading, metric in columns.items()}
        for arm, title in titles.items()
        if shown.arm(arm)
    }
    return metrics_table(shown, rows, digits)


def printed_table(paper: str, table: str) -> pd.DataFrame:
    """A table of values that stand beside the cells (descriptors), as they were printed or released."""
    chosen = [cell for cell in cells(paper) if cell.table == table]
    return pd.DataFrame([{"row": c.row, c.column: _printed(c), "runs": c.n or ""} for c in chosen])


def costs_table(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a table arm of a section: parameters, multiply-accumulates, minutes of one training."""
    return pd.DataFrame([_cost_row(shown, arm, title) for arm, title in titles.items() if shown.arm(arm)])


def _cost_row(shown: Shown, arm: str, title: str) -> dict[str, str]:
    minutes = [record.seconds / 60 for record in shown.arm(arm)]
    return {
        "": title,
        "parameters": "".join(f"{count:,}" for count in shown.values(arm, "parameters")[:1]),
        "multiply-accumulates": "".join(f"{m / 1e6:.1f} M" for m in shown.values(arm, "macs")[:1]),
        "minutes": f"{sum(minutes) / len(minutes):.1f}",
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


def _conditions(runs: Sequence[Record]) -> tuple[str, str, str, str]:
    """Device, code path, version of torch and commit of runs."""
    paths = (r.path.partition(":")[0] for r in runs)
    texts = (r.device for r in runs), paths, (r.torch for r in runs), (r.commit[:8] for r in runs)
    return tuple(map(_distinct, texts))


def _origin(
    scale: str, device: str, path: str, torch: str, commit: str, runs: Sequence[Record]
) -> dict[str, str | int]:
    return {
        "scale": scale,
        "arms": ", ".join(dict.fromkeys(r.arm for r in runs)),
        "runs": len(runs),
        "diverged": sum(r.status == "diverged" for r in runs),
        "device": device,
        "code path": path,
        "torch": torch,
        "minutes": f"{sum(r.seconds for r in runs) / 60:.1f}",
        "commit": commit,
    }


def _distinct(values: Iterable[str]) -> str:
    return "; ".join(sorted({value for value in values if value}))


def claims_table(paper: str, experiment: str | None = None) -> pd.DataFrame:
    """One row a claim (of one experiment, if given): what is said, the rule's kind, effect and verdict."""
    judged = judged_claims(paper)
    chosen = [v for v in judged if experiment is None or _belongs(v, judged, experiment)]
    return pd.DataFrame([_claim_row(v) for v in chosen])


def _belongs(judged: ClaimVerdict, others: Sequence[ClaimVerdict], experiment: str) -> bool:
    members = {o.claim.experiment for o in others if o.claim.id in judged.claim.members}
    return experiment in members | {judged.claim.experiment}


def _claim_row(judged: ClaimVerdict) -> dict[str, str]:
    claim, interval = judged.claim, judged.interval
    effect = "" if interval is None or claim.kind == "exact" else _effect(interval)
    mark = " ✓" if judged.survives_holm else ""
    return {
        "claim": claim.number,
        "statement": claim.statement,
        "rule": claim.kind.replace("_", " "),
        "effect (95 %)": effect,
        "scale": f"{judged.scale}, n = {judged.n}" if judged.scale else "",
        "verdict": verdict_text(judged) + mark,
    }


def _effect(interval: Interval) -> str:
    if math.isinf(interval.low) or not interval.resolved:
        return minus(f"{interval.mean:.3g}")
    return minus(f"{interval.mean:.3g} [{interval.low:.3g}, {interval.high:.3g}]")


def scores_table(paper: str) -> pd.DataFrame:
    """One row a table of a paper: cells, how many were measured at each scale, verdicts at ``paper``."""
    return pd.DataFrame([_score_row(row) for row in table_rows(paper)])


def _score_row(table: dict) -> dict[str, str | int]:
    return {
        "table": table["table"].replace("-", " "),
        "cells": table["cells"],
        **{scale: table["measured"][scale] for scale in SCALES},
        "data not to be had": table["unavailable"],
        "agree": table["verdicts"]["agree"],
        "differ": table["verdicts"]["differ"],
        "undecided": table["verdicts"]["undecided"],
    }
