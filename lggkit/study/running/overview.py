"""Where the study stands: of each experiment and scale what is recorded, spent and still to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lggkit.experiments import Experiment
from lggkit.record import SCALES
from lggkit.study.records.ledger import Ledger
from lggkit.study.running.context import default_device, device_name
from lggkit.study.running.costs import Spent, estimate, spent, typical
from lggkit.study.running.units import chosen, pending, recorded_keys

COMMITTED = SCALES[1:]
LINE = "{:58}{:8}{:>9}{:>11}{:>8}{:>8}{:>7}"


def overview(ledgers: Sequence[Ledger], only: str | None = None) -> dict[str, Any]:
    """The state of the study as plain data.

    Hours spent are those of all threads (of the GPU on one); hours to come are on ``device``, this one, with
    its threads as they are set, one process after the other. ``other`` are trainings whose networks no record
    names.

    Raises:
        KeyError: ``only`` names no experiment.
    """
    paid, device = [row for ledger in ledgers for row in spent(ledger)], device_name(default_device())
    rows = [
        _row(experiment, scale, ledgers, paid, device)
        for experiment in chosen(only)
        for scale in COMMITTED
        if scale in experiment.protocols
    ]
    other = [] if only else [row for row in paid if not row.experiment]
    return {"device": device, "experiments": rows, "other": _paid(other)}


def _row(
    experiment: Experiment, scale: str, ledgers: Sequence[Ledger], paid: Sequence[Spent], device: str
) -> dict[str, Any]:
    units = pending(ledgers, scale, experiment.name)
    known = typical(ledgers, experiment.name, scale, device)
    planned = {spec.key for spec in experiment.specs(scale)}
    recorded = len(planned & recorded_keys(experiment, scale, ledgers))
    left = sum(len(unit.specs) for unit in units)
    mine = [row for row in paid if (row.experiment, row.scale) == (experiment.name, scale)]
    return {
        "experiment": experiment.name,
        "scale": scale,
        "recorded": recorded,
        "planned": recorded + left,
        **_paid(mine),
        "pending": left,
        "estimated_hours": round(sum(estimate(unit, known) for unit in units) / 3600, 2),
    }


def _paid(rows: Sequence[Spent]) -> dict[str, Any]:
    hours = sum(row.core_hours for row in rows)
    return {"trainings": sum(row.trainings for row in rows), "core_hours": round(hours, 2)}


def as_text(state: dict[str, Any]) -> str:
    """The state as lines for a terminal; scales at which nothing is planned are left out."""
    rows = state["experiments"]
    total = {name: sum(row[name] for row in rows) for name in ("recorded", "planned", "pending")}
    total |= {name: sum(row[name] for row in [*rows, state["other"]]) for name in ("trainings", "core_hours")}
    total |= {
        "experiment": "all, with trainings of no record",
        "scale": "",
        "estimated_hours": sum(row["estimated_hours"] for row in rows),
    }
    head = ("experiment", "scale", "runs", "trainings", "core-h", "pending", "hours")
    about = f"hours to come are on {state['device']}, one process after the other"
    planned = [row for row in rows if row["planned"]]
    return "\n".join([LINE.format(*head), *map(_line, [*planned, total]), about])


def _line(row: dict[str, Any]) -> str:
    runs = f"{row['recorded']}/{row['planned']}"
    hours = (f"{row[name]:.1f}" for name in ("core_hours", "estimated_hours"))
    spent_hours, to_come = hours
    columns = (runs, row["trainings"], spent_hours, row["pending"], to_come)
    return LINE.format(row["experiment"], row["scale"], *columns)
