"""A claim's verdict as plain data, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lggkit.study.judging.effect_verdicts import Effect
from lggkit.study.judging.readings import Reading, readings
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.verdicts import ClaimVerdict
from lggkit.study.records.finite import finite_or_none


def claim_row(judged: ClaimVerdict) -> dict[str, Any]:
    """One claim: what is said, its verdict, the effect at the scale that decides and at every length.

    ``gate`` has each condition with its figure at that scale, ``gate_open`` is None where there is no gate or
    nothing is measured. ``after_run`` claims are marked †, ``without_after_run`` is their verdict without the
    parts that were added after a run.
    """
    claim, effect = judged.claim, judged.effect
    return {
        **{name: getattr(claim, name) for name in ("id", "number", "paper", "section", "kind", "statement")},
        "verdict": judged.verdict,
        "scale": judged.scale,
        "n": judged.n,
        **_ends(judged.interval),
        "p_value": judged.p_value,
        "survives_holm": judged.survives_holm,
        "reason": judged.reason,
        "gate": _gate(effect.gate if effect else readings(claim, ())),
        "gate_open": effect.open if effect and claim.gate else None,
        "lengths": {scale: _length(one) for scale, one in judged.lengths.items()},
        "after_run": judged.after_run,
        "without_after_run": judged.without,
        "shares": claim.shares,
        "identity": judged.identity,
    }


def _length(effect: Effect) -> dict[str, Any]:
    return {
        "verdict": effect.verdict,
        "n": effect.n,
        **_ends(effect.interval),
        "gate": _gate(effect.gate),
        "reason": effect.reason,
    }


def _gate(gate: Sequence[Reading]) -> list[dict[str, Any]]:
    return [
        {
            **{name: getattr(one.condition, name) for name in ("arm", "metric", "relation", "bound")},
            "figure": one.value,
            "open": one.open,
        }
        for one in gate
    ]


def _ends(interval: Interval | None) -> dict[str, float | None]:
    if interval is None:
        return dict.fromkeys(("effect", "low", "high"))
    return finite_or_none({"effect": interval.mean, "low": interval.low, "high": interval.high})
