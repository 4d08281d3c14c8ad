"""The scorecard: cell by cell and claim by claim, what of the papers was measured and what of it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from lggkit import experiments
from lggkit.record import SCALES, Record
from lggkit.study import paths
from lggkit.study.entered import papers
from lggkit.study.entered.paper import Cell, cells, claims
from lggkit.study.judging.claim_rows import claim_row
from lggkit.study.judging.derived import with_derived
from lggkit.study.judging.texts import DAGGER
from lggkit.study.judging.verdicts import (
    AGREES,
    CONTRADICTED,
    DIFFERS,
    HOLDS,
    MOVING,
    NOT_TESTED,
    UNAVAILABLE,
    UNDECIDED,
    UNMEASURED,
    CellVerdict,
    ClaimVerdict,
    by_seed,
    cell_verdict,
    claim_verdicts,
)
from lggkit.study.records.ledger import Ledger

COUNTED = {
    "holds": HOLDS,
    "contradicted": CONTRADICTED,
    "undecided": UNDECIDED,
    "moving": MOVING,
    "not_tested": NOT_TESTED,
    "unmeasured": UNMEASURED,
}
Records = Mapping[str, Mapping[str, Sequence[Record]]]


def ledger_of(scale: str) -> Ledger:
    """The ledger that a scale is written to: ``smoke`` is live and ignored, the others are committed."""
    return Ledger(paths.live_results() if scale == "smoke" else paths.results())


def records_of(paper: str) -> Records:
    """All current records of a paper's experiments, by experiment and scale."""
    names = {c.experiment for c in (*cells(paper), *claims(paper)) if c.experiment}
    return {name: {s: records_at(name, s) for s in SCALES} for name in sorted(names)}


def records_at(name: str, scale: str) -> list[Record]:
    """The current records of one section and scale, with what is derived from them.

    A section whose cells and claims are entered, and that nobody has written yet, has none.
    """
    ledger = ledger_of(scale)
    records = ledger.records(name, scale)
    return with_derived(experiments.get(name), records, ledger.trainings.read()) if records else []


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
    records = records_of(paper) if records is None else records
    return claim_verdicts(claims(paper), records, papers.find(paper).families)


def scorecard() -> dict[str, Any]:
    """The whole scorecard as plain data, ready for JSON."""
    tables: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for paper in (one.name for one in papers.papers()):
        records = records_of(paper)
        tables += table_rows(paper, records)
        verdicts += [claim_row(v) for v in judged_claims(paper, records)]
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
    runs = records.get(cell.experiment, {}).get(scale, ())
    return len(by_seed(runs, cell.arm, cell.metric)) if cell.metric else 0


def headline(card: Mapping[str, Any] | None = None, paper: str = "") -> dict[str, int]:
    """Counts for a first sentence, of all papers or of one: cells, those at each scale, claims by verdict.

    A claim that ``shares`` the measurement of another that is there is counted with that one. Identities are
    counted apart: ``identities``, and how many of them hold.
    """
    card = scorecard() if card is None else card
    known = {f"{c['paper']}/{c['id']}" for c in card["claims"]}
    claims, tables = ([r for r in card[part] if paper in ("", r["paper"])] for part in ("claims", "tables"))
    whole = [c for c in claims if _is_whole(c["number"]) and c.get("shares") not in known]
    findings, identities = ([c for c in whole if bool(c.get("identity")) is apart] for apart in (False, True))
    return {
        "papers": len({t["paper"] for t in tables} | {c["paper"] for c in claims}),
        "cells": sum(t["cells"] for t in tables),
        "unavailable": sum(t["unavailable"] for t in tables),
        **{scale: sum(t["measured"].get(scale, 0) for t in tables) for scale in SCALES},
        "measured": sum(t["measured"]["paper"] for t in tables),
        "claims": len(findings),
        **{name: sum(c["verdict"] == verdict for c in findings) for name, verdict in COUNTED.items()},
        "identities": len(identities),
        "identities_hold": sum(c["verdict"] == HOLDS for c in identities),
    }


def _is_whole(number: str) -> bool:
    """Whether a number is a claim's, such as 5 or, of an article, a05-5 or a03-p5; 5a and r5 are none."""
    return number.rpartition("-")[2].removeprefix("p").isdigit()


def is_reading(number: str) -> bool:
    """Whether a number is that of a reading of ours, which no paper claims: r1 or, of an article, a06-r1."""
    return number.rpartition("-")[2].startswith("r")


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
    lengths = row.get("lengths", {}).items()
    effects = [f"{scale} {effect['effect']:.3g}" for scale, effect in lengths if effect["effect"] is not None]
    without = row.get("without_after_run")
    parts = [row.get("reason", ""), ", ".join(effects), f"without {DAGGER}: {without}" if without else ""]
    return "; ".join(part for part in parts if part)
