"""A claim's effect in words: its size in its unit, its interval, and which way it points."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from lggkit.study.entered import papers
from lggkit.study.entered.paper import Claim
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.texts import known, minus

COMMON = (
    (r"relative_mce", "of relative MCE"),
    (r"mce", "of MCE"),
    (r".*correlation", "of rank correlation"),
    (r".*error.*|gain.*|consistency.*|accuracy.*", "points"),
)
"""What metrics of every paper are counted in, after the ``[units]`` of its own; the first pattern decides."""


def metric_of(claim: Claim) -> str:
    """The metric that a claim is decided by, that of its left side where it has two."""
    return claim.metric or claim.left.partition(":")[2]


def unit_of(claim: Claim) -> str:
    """What a claim's effect is counted in, as a sentence puts it; empty where nothing says it.

    The slope of several metrics is counted in their unit a step from one to the next.
    """
    first, *others = (name.strip() for name in metric_of(claim).split(";"))
    patterns = (*papers.find(claim.paper).units, *COMMON)
    unit = next((unit for pattern, unit in patterns if re.fullmatch(pattern, first)), "")
    return f"{unit} a step" if unit and others else unit


def size_text(claim: Claim, interval: Interval) -> str:
    """The effect in its unit with its interval, such as ``33.5 points [31.2, 35.9]``."""
    mean, between = _mean(interval), ""
    if _bounded(interval):
        low, high = (_end(end, interval.half_width) for end in (interval.low, interval.high))
        between = f"[{low}, {high}]"
    unit = unit_of(claim).removesuffix("s") if mean in ("1", "-1") else unit_of(claim)
    return minus(" ".join(part for part in (mean, unit, between) if part))


def _end(end: float, half_width: float) -> str:
    """An end of an interval; where it would be rounded to zero, as far as its sign can be seen."""
    text = known(end, half_width)
    if end == 0 or float(text.replace(",", "")):
        return text
    return f"{end:.{-math.floor(math.log10(abs(end)))}f}"


def _bounded(interval: Interval) -> bool:
    return math.isfinite(interval.half_width) and interval.resolved


def _mean(interval: Interval) -> str:
    """The mean to the digits that its interval knows, to three where there is none."""
    return known(interval.mean, interval.half_width) if _bounded(interval) else _number(interval.mean)


def effect_text(claim: Claim, interval: Interval | None) -> str:
    """The effect of a single claim and its direction, or what is allowed; empty where nothing is measured."""
    if interval is None:
        return ""
    if claim.kind == "exact":
        return minus(f"largest violation {interval.mean:.2g}, allowed {claim.margin:g}")
    size = size_text(claim, interval)
    mean = interval.mean if float(_mean(interval).replace(",", "")) else 0.0
    if claim.kind == "equivalent":
        distance = size_text(claim, _turned(interval)) if mean < 0 else size
        return f"{distance} {_side(claim, mean)}; allowed ±{claim.margin:g}"
    if claim.kind == "greater" and mean < 0:
        size = size_text(claim, _turned(interval))
    falling = claim.kind == "trend" and claim.direction == "decreasing"
    return f"{size}, {_direction(-mean if falling else mean)}"


def _turned(interval: Interval) -> Interval:
    """The interval of the opposite: "0.5 less" where it would be "−0.5 more"."""
    return replace(interval, mean=-interval.mean, low=-interval.high, high=-interval.low)


def _side(claim: Claim, effect: float) -> str:
    """On which side of the right arm the left one lies; more of an error is worse."""
    more, less = ("worse", "better") if re.search("error|mce", metric_of(claim)) else ("more", "less")
    return (more if effect > 0 else less) if effect else "apart"


def _direction(effect: float) -> str:
    if not effect:
        return "neither for the claim nor against it"
    return "the way the claim says" if effect > 0 else "against the claim"


def _number(value: float) -> str:
    """Three significant digits, and whole numbers from a hundred on."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
