"""Tables of claims with their verdicts, and of how many cells were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lggkit.record import SCALES
from lggkit.study.entered.paper import Claim
from lggkit.study.judging.effect_verdicts import LENGTHS
from lggkit.study.judging.effect_words import effect_text
from lggkit.study.judging.scorecard import table_rows
from lggkit.study.judging.texts import CHECK, SCALE_TITLES, seeds_counted, verdict_text
from lggkit.study.judging.verdicts import ClaimVerdict

CLAIM_COLUMNS = ["claim", "statement", "rule", "effect", "gate", "verdict"]


def claims_table(judged: Sequence[ClaimVerdict]) -> pd.DataFrame:
    """One row a claim: statement, rule, effect at each length, gate, verdict.

    An effect has its unit, its 95 % interval, its direction and its seeds. The gate is that of the scale that
    decides, and empty where the verdict names it already. ✓ marks verdicts that survive Holm's correction,
    † claims or parts that were added after a run.
    """
    return pd.DataFrame([_claim_row(one) for one in judged], columns=CLAIM_COLUMNS)


def _claim_row(judged: ClaimVerdict) -> dict[str, str]:
    claim, verdict = judged.claim, verdict_text(judged)
    gate = judged.effect.gate_text if judged.effect else ""
    return {
        "claim": claim.number,
        "statement": claim.statement,
        "rule": rule_text(claim),
        "effect": "; ".join(_effect(judged, scale) for scale in _scales(judged)),
        "gate": "" if gate in verdict else gate,
        "verdict": verdict + f" {CHECK}" * judged.survives_holm,
    }


def rule_text(claim: Claim) -> str:
    """What must be true of the 95 % interval of the effect, or of the worst case, for a claim to hold."""
    slope = "below" if claim.direction == "decreasing" else "above"
    return {
        "greater": "interval above 0",
        "equivalent": f"interval within ±{claim.margin or 0:g}",
        "trend": f"interval {slope} 0",
        "exact": f"violation at most {claim.margin or 0:g}",
        "all_of": "all parts hold",
    }[claim.kind]


def _scales(judged: ClaimVerdict) -> list[str]:
    """The scales that have an effect; of a compound claim that whose seeds are counted."""
    return [s for s in LENGTHS if s in judged.lengths or (judged.n and s == judged.scale)]


def _effect(judged: ClaimVerdict, scale: str) -> str:
    """The effect at a scale with its seeds; of a compound claim the seeds only."""
    effect = judged.lengths.get(scale)
    count = effect.n if effect else judged.n
    said = effect_text(judged.claim, effect.interval) or "no interval" if effect else ""
    seeds = seeds_counted(count)
    return f"{SCALE_TITLES[scale]}: {said} ({seeds})" if said else f"{SCALE_TITLES[scale]}: {seeds}"


def scores_table(paper: str) -> pd.DataFrame:
    """One row a table of a paper: cells, how many were measured at each scale, verdicts at ``paper``.

    Scales below ``paper`` have a column where something is measured at them.
    """
    rows = table_rows(paper)
    scales = [s for s in SCALES if s == "paper" or any(row["measured"][s] for row in rows)]
    return pd.DataFrame([_score_row(row, scales) for row in rows])


def _score_row(table: dict[str, Any], scales: Sequence[str]) -> dict[str, str | int]:
    return {
        "table": table["table"].replace("-", " "),
        "cells": table["cells"],
        **{scale: table["measured"][scale] for scale in scales},
        "data not to be had": table["unavailable"],
        "agree": table["verdicts"]["agree"],
        "differ": table["verdicts"]["differ"],
        "undecided": table["verdicts"]["undecided"],
    }
