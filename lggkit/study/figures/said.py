"""Parts of sentences that several sections share: how much more or less, and on which corrupted images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lggkit.evaluation import LEAST_HARM
from lggkit.study.figures.robustness import corrupted_images
from lggkit.study.judging.statistics import Interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown

POINTS, HEIGHT = ("points more", "points less"), ("higher", "lower")


def mean_text(interval: Interval, digits: int = 1) -> str:
    """``34.6 ± 2.2``, without the number of seeds."""
    return tables.interval_text(interval, digits).rpartition(" (")[0]


def seeds_text(interval: Interval) -> str:
    """A sentence of how many seeds the intervals of a paragraph are over."""
    return "One seed." if interval.n == 1 else f"Intervals are 95 %, over {interval.n} seeds."


def apart_text(interval: Interval, than: str = "", words: tuple[str, str] = POINTS, digits: int = 1) -> str:
    """``34.6 ± 2.2 points more than cross-entropy``, and that the seeds cannot tell it from 0 where it is so.

    Of ``words`` the first stands for a mean above zero.
    """
    word = words[int(interval.mean < 0)]
    undecided = tables.sign_text(interval, "", "")
    text = f"{mean_text(interval, digits).lstrip('−')} {word}" + (f" than {than}" if than else "")
    return f"{text} ({undecided})" if undecided else text


def best_said(shown: Shown, arms: Mapping[str, str], metric: str, unit: str) -> str:
    """Which arm has the highest mean of a metric, and how far the next one lies below; titles by arm.

    Arms with fewer seeds than others are left out, and it is said.
    """
    intervals = {arm: shown.interval(arm, metric) for arm in arms}
    most = max(one.n for one in intervals.values())
    means = {arm: one.mean for arm, one in intervals.items() if one.n == most}
    first, *rest = sorted(means, key=means.__getitem__, reverse=True)
    text = f"{arms[first]} has the highest mean, {means[first]:.1f} {unit}"
    if len(means) < len(intervals):
        text = f"Of those with {most} seeds {text}"
    if not rest:
        return f"{text}."
    behind = apart_text(shown.paired(rest[0], first, metric), digits=2)
    return f"{text}; {arms[rest[0]]} has {behind}."


def images_said(shown: Shown, arm: str = "graph_smoothness") -> list[str]:
    """How many images and corruptions there are, whose they are, and which count."""
    settings = shown.arm(arm)[0].settings
    return [
        f"{len(settings['corruptions'])} corruptions at {len(settings['severities'])} severities were made "
        f"of {settings.get('corruption_images') or 'all'} test images ({corrupted_images(shown)}). A "
        f"corruption counts in a seed's relative mean if it costs the reference network {LEAST_HARM:g} "
        "points or more. This floor is ours; the papers name none."
    ]
