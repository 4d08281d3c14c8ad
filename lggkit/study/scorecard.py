"""The scorecard: cell by cell and claim by claim, what of the papers was measured and what of it holds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from lggkit import experiments
from lggkit.record import SCALES, Record
from lggkit.study import paths
from lggkit.study.derived import with_derived
from lggkit.study.ledger import Ledger
from lggkit.study.paper import PAPERS, Cell, cells, claims
from lggkit.study.verdicts import (
    AGREES,
    DIFFERS,
    UNAVAILABLE,
    UNDECIDED,
    UNMEASURED,
    CellVerdict,
    ClaimVerdict,
    by_seed,
    cell_verdict,
    claim_verdicts,
)

Records = Mapping[str, Mapping[str, Sequence[Record]]]


def ledger_of(scale: str) -> Ledger:
    """The ledger that a scale is written to: ``smoke`` is live and ignored, the others are committed."""
    return Ledger(paths.live_results() if scale == "smoke" else paths.results())


def records_of(paper: str) -> Records:
    """All current records of a paper's experiments, by experiment and scale."""
    names = {c.experiment for c in (*cells(paper), *claims(paper)) if c.experiment}
    return {name: {s: records_at(name, s) for s in SCALES} for name in sorted(names)}


def records_at(name: str, scale: str) -> list[Record]:
    """The current records of one section and scale, with what is derived from them."""
    return with_derived(experiments.get(name), ledger_of(scale).records(name, scale))


def judged_cells(paper: str, records: Records | None = None) -> list[CellVerdict]:
    """Every measured cell of a paper with its verdict; definitions and descriptors are no cells."""
    records = records_of(paper) if records is None else records
    return [
        cell_verdict(c, records.get(c.experiment, {}).get("paper", ()))
        for c in cells(paper)
        if c.kind == "measured"
    ]


def judged_claims(paper: str, records: Records | None = None) -> list[ClaimVerdict]:
    """Every claim of a paper with its verdict, parts of compound claims included."""
    return claim_verdicts(claims(paper), records_of(paper) if records is None else records)


def scorecard() -> dict[str, Any]:
    """The whole scorecard as plain data, ready for JSON."""
    tables: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for paper in PAPERS:
        records = records_of(paper)
        tables += table_rows(paper, records)
        verdicts += [_claim_row(v) for v in judged_claims(paper, records)]
    return {"tables": tables, "claims": verdicts}


def table_rows(paper: str, records: Records | None = None) -> list[dict[str, Any]]:
    """One row a table of a paper: its cells, those measured at each scale, the fewest seeds, the verdicts."""
    records = records_of(paper) if records is None else records
    grouped: dict[str, list[CellVerdict]] = defaultdict(list)
    for judged in judged_cells(paper, records):
        grouped[judged.cell.table].append(judged)
    return [_table_row(paper, table, judged, records) for table, judged in grouped.items()]


def _table_row(paper: str, table: str, judged: list[CellVerdict], records: Records) -> dict[str, Any]:
    counts = {scale: [_seeds(v.cell, records, scale) for v in judged if v.cell.available] for scale in SCALES}
    return {
        "paper": paper,
        "table": table,
        "cells": len(judged),
        "measured": {scale: sum(n > 0 for n in ns) for scale, ns in counts.items()},
        "unavailable": sum(v.verdict == UNAVAILABLE for v in judged),
        "seeds_min": {scale: min((n for n in ns if n), default=0) for scale, ns in counts.items()},
        "verdicts": {
            "agree": sum(v.verdict == AGREES for v in judged),
            "differ": sum(v.verdict == DIFFERS for v in judged),
            "undecided": sum(v.verdict == UNDECIDED for v in judged),
            "unmeasured": sum(v.verdict == UNMEASURED for v in judged),
        },
    }


def _seeds(cell: Cell, records: Records, scale: str) -> int:
    held = records.get(cell.experiment, {}).get(scale, ())
    return len(by_seed(held, cell.arm, cell.metric)) if cell.metric else 0


def _claim_row(judged: ClaimVerdict) -> dict[str, Any]:
    claim, interval = judged.claim, judged.interval
    return {
        "id": claim.id,
        "number": claim.number,
        "paper": claim.paper,
        "section": claim.section,
        "kind": claim.kind,
        "statement": claim.statement,
        "verdict": judged.verdict,
        "scale": judged.scale,
        "n": judged.n,
        "effect": _finite(interval.mean) if interval else None,
        "low": _finite(interval.low) if interval else None,
        "high": _finite(interval.high) if interval else None,
        "p_value": judged.p_value,
        "survives_holm": judged.survives_holm,
        "reason": judged.reason,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def headline(card: Mapping[str, Any] | None = None) -> dict[str, int]:
    """Counts for a first sentence: cells, cells measured, claims by verdict (whole claims only)."""
    card = scorecard() if card is None else card
    whole = [c for c in card["claims"] if c["number"].isdigit()]
    return {
        "cells": sum(t["cells"] for t in card["tables"]),
        "unavailable": sum(t["unavailable"] for t in card["tables"]),
        "measured": sum(t["measured"]["paper"] for t in card["tables"]),
        "reduced": sum(t["measured"]["reduced"] for t in card["tables"]),
        "claims": len(whole),
    } | {v: sum(c["verdict"] == v for c in whole) for v in ("holds", "contradicted", UNDECIDED, UNMEASURED)}


def as_text(card: Mapping[str, Any] | None = None) -> str:
    """The scorecard as lines for a terminal."""
    card = scorecard() if card is None else card
    lines = [
        f"{'paper':26}{'table':18}{'cells':>6}{'@smoke':>8}{'@reduced':>10}{'@paper':>8}{'n/a':>5}  verdicts"
    ]
    for t in card["tables"]:
        m, v = t["measured"], t["verdicts"]
        verdicts = ", ".join(f"{n} {name}" for name, n in v.items() if n)
        lines.append(
            f"{t['paper']:26}{t['table']:18}{t['cells']:6}{m['smoke']:8}{m['reduced']:10}{m['paper']:8}"
            f"{t['unavailable']:5}  {verdicts}"
        )
    lines += ["", f"{'paper':26}{'claim':48}{'verdict':14}{'scale':9}{'n':>3}"]
    for c in card["claims"]:
        said = f"{c['paper']:26}{c['id'][:46]:48}{c['verdict']:14}{c['scale'] or '-':9}{c['n']:3}"
        lines.append(f"{said}  {c.get('reason', '')}".rstrip())
    return "\n".join(lines)
