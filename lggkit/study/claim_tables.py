"""Tables of claims with their verdicts, and of how many cells were measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from lggkit.record import SCALES
from lggkit.study.effect_verdicts import LENGTHS
from lggkit.study.scorecard import judged_claims, table_rows
from lggkit.study.statistics import Interval
from lggkit.study.texts import SCALE_TITLES, minus, verdict_text
from lggkit.study.verdicts import ClaimVerdict


def claims_table(paper: str, experiment: str | None = None) -> pd.DataFrame:
    """One row a claim (of one experiment, if given): statement, rule, effect at each length, gate, verdict.

    Effects are means with their 95 % interval and the number of seeds, a column for each scale at which one
    of the claims is measured; the gate is that of the scale that decides. ✓ marks verdicts that survive
    Holm's correction, † claims or parts that were added after a run.
    """
    judged = judged_claims(paper)
    chosen = [v for v in judged if experiment is None or _belongs(v, judged, experiment)]
    scales = [scale for scale in LENGTHS if any(scale in v.lengths for v in chosen)]
    return pd.DataFrame([_claim_row(v, scales) for v in chosen])


def _belongs(judged: ClaimVerdict, others: Sequence[ClaimVerdict], experiment: str) -> bool:
    members = {o.claim.experiment for o in others if o.claim.id in judged.claim.members}
    return experiment in members | {judged.claim.experiment}


def _claim_row(judged: ClaimVerdict, scales: Sequence[str]) -> dict[str, str]:
    claim, effect = judged.claim, judged.effect
    mark = " ✓" if judged.survives_holm else ""
    return {
        "claim": claim.number,
        "statement": claim.statement,
        "rule": claim.kind.replace("_", " "),
        **{f"effect (95 %), {SCALE_TITLES[scale]}": _effect(judged, scale) for scale in scales},
        "gate": effect.gate_text if effect else "",
        "verdict": verdict_text(judged) + mark,
    }


def _effect(judged: ClaimVerdict, scale: str) -> str:
    """The effect at a scale with its seeds; of an identity, and of a compound claim, the seeds only."""
    effect = judged.lengths.get(scale)
    if effect is None:
        return f"n = {judged.n}" if judged.scale == scale else ""
    if effect.interval is None:
        return "none"
    exact = judged.claim.kind == "exact"
    return f"n = {effect.n}" if exact else f"{_interval(effect.interval)}, n = {effect.n}"


def _interval(interval: Interval) -> str:
    if math.isinf(interval.low) or not interval.resolved:
        return minus(f"{interval.mean:.3g}")
    return minus(f"{interval.mean:.3g} [{interval.low:.3g}, {interval.high:.3g}]")


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
