"""Tables of the book: the paper's value beside ours at every scale, and claims with their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.record import Record
from lggkit.study.judging.texts import as_myst as as_myst
from lggkit.study.judging.texts import interval_text
from lggkit.study.judging.texts import sign_text as sign_text
from lggkit.study.shown.cell_tables import paper_table as paper_table
from lggkit.study.shown.cell_tables import printed_table as printed_table
from lggkit.study.shown.cell_tables import unmeasured_table as unmeasured_table
from lggkit.study.shown.claim_tables import claims_table as claims_table
from lggkit.study.shown.claim_tables import scores_table as scores_table

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown

COUNTS = ("relative_corruptions",)


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


def costs_table(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a table arm of a section: parameters, multiply-accumulates, minutes of one training.

    Minutes are the median over seeds with the least and the most: what else a machine did counts in them.
    """
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
        "minutes": _middle(minutes),
    }


def _middle(minutes: Sequence[float]) -> str:
    if not minutes:
        return "–"
    spread = f" ({min(minutes):.1f} to {max(minutes):.1f})" if len(minutes) > 1 else ""
    return f"{median(minutes):.1f}{spread}"


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
