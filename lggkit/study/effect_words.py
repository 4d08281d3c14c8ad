"""A claim's effect in words: its size in its unit, its interval, and which way it points."""

from __future__ import annotations

import math
import re

from lggkit.study.paper import Claim
from lggkit.study.statistics import Interval
from lggkit.study.texts import minus

UNITS = (
    (r"relative_mce", "of relative MCE"),
    (r"mce", "of MCE"),
    (r"relative_step_time", "of the time of a step"),
    (r".*correlation", "of rank correlation"),
    (r".*error.*|gain.*|consistency.*|accuracy.*", "points"),
    (r"pearson.*", "of correlation"),
    (r"failed_.*|correction_gain", "points"),
    (r"sigma_.*", "of σ"),
    (r"inter_edges_.*", "edges"),
    (r"clusters_.*", "clusters a class"),
    (r"(many|few)_images|vote_.*", "points"),
    (r"(early|late)_.*", "of fit a dimension"),
    (r"knee_.*", "dimensions"),
    (r"high_frequency_.*", "of the power"),
    (r"slope_.*", "of slope"),
    (r"fit_.*", "of fit"),
    (r"silhouette.*", "of silhouette"),
    (r"class_elongation", "of elongation"),
    (r"largest_variation_step", "of label variation"),
    (r"distance_expansion", "of distance expansion"),
    (r"final_train_loss|.*pair_loss", "of the loss"),
)
"""What a metric is counted in; the first pattern that fits its whole name."""


def metric_of(claim: Claim) -> str:
    """The metric that a claim is decided by, that of its left side where it has two."""
    return claim.metric or claim.left.partition(":")[2]


def unit_of(metric: str) -> str:
    """What a metric is counted in, as a sentence puts it; empty where it has no unit."""
    return next((unit for pattern, unit in UNITS if re.fullmatch(pattern, metric)), "")


def size_text(claim: Claim, interval: Interval) -> str:
    """The effect in its unit with its interval, such as ``33.5 points [31.2, 35.9]``."""
    ends = [interval.low, interval.high]
    between = "" if not all(map(math.isfinite, ends)) or not interval.resolved else _between(*ends)
    return minus(
        " ".join(part for part in (_number(interval.mean), unit_of(metric_of(claim)), between) if part)
    )


def effect_text(claim: Claim, interval: Interval | None) -> str:
    """The effect of a single claim and its direction, or what is allowed; empty where nothing is measured."""
    if interval is None:
        return ""
    if claim.kind == "exact":
        return minus(f"largest violation {interval.mean:.2g}, allowed {claim.margin:g}")
    size = size_text(claim, interval)
    if claim.kind == "equivalent":
        return f"{size} {_side(claim, interval.mean)}; allowed ±{claim.margin:g}"
    falling = claim.kind == "trend" and claim.direction == "decreasing"
    return f"{size}, {_direction(-interval.mean if falling else interval.mean)}"


def _side(claim: Claim, effect: float) -> str:
    """On which side of the right arm the left one lies; more of an error is worse."""
    more, less = ("worse", "better") if re.search("error|mce", metric_of(claim)) else ("more", "less")
    return (more if effect > 0 else less) if effect else "apart"


def _direction(effect: float) -> str:
    if not effect:
        return "neither for the claim nor against it"
    return "the way the claim says" if effect > 0 else "against the claim"


def _between(low: float, high: float) -> str:
    return f"[{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    """Three significant digits, and whole numbers from a hundred on."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
