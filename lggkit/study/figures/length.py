"""Effects of claims against the length of the training: short, reduced, and paper scale where it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lggkit.record import SCALES, Record
from lggkit.study.figures.parts import panels
from lggkit.study.figures.style import GRAY, look_of
from lggkit.study.judging.effect_words import metric_of, unit_of
from lggkit.study.judging.effects import effects, slopes
from lggkit.study.judging.statistics import Interval, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lggkit.study.entered.paper import Claim

RULES = {"greater": effects, "equivalent": effects, "trend": slopes}
LENGTHS = SCALES[1:]
FEW, FAR = 4, 8
"""Panels that may be tall, more of them are lower; and how many times the median effect is far."""
ROOM = 0.08
SMALL = {"fontsize": "small", "title_fontsize": "small"}
ONE = (
    "Only one length of training is recorded; the longer runs that would show whether an effect lasts are "
    "not there yet."
)
ByLength = Mapping[str, Interval]


def effects_by_length(
    claims: Sequence[Claim], records: Mapping[str, Mapping[str, Sequence[Record]]]
) -> dict[str, ByLength]:
    """The effect of each claim about training at every length recorded, by the claim's number.

    ``records[experiment][scale]`` are the runs. Identities and compound claims have none.
    """
    by_claim = {}
    for claim in claims:
        lengths = {s: _effect(claim, records.get(claim.experiment, {}).get(s, ())) for s in LENGTHS}
        measured = {scale: interval for scale, interval in lengths.items() if interval is not None}
        if measured:
            by_claim[claim.number] = measured
    return by_claim


def _effect(claim: Claim, records: Sequence[Record]) -> Interval | None:
    if claim.kind not in RULES or not records:
        return None
    values, magnitude = RULES[claim.kind](claim, records)
    if claim.direction == "decreasing":
        values = [-value for value in values]
    return t_interval(values, magnitude=magnitude) if values else None


def length_said(found: Mapping[str, ByLength]) -> str:
    """How many effects point the same way at the shortest and at the longest training, or what is missing."""
    several = [list(lengths.values()) for lengths in found.values() if len(lengths) > 1]
    if not several:
        return ONE
    alone = [number for number, lengths in found.items() if len(lengths) == 1]
    left = f" Of claim{'s' * (len(alone) > 1)} {', '.join(alone)} there is one length alone." if alone else ""
    moved = [one for one in several if one[0].mean or one[-1].mean]
    if not moved:
        return f"Every effect is 0 at the shortest and at the longest training.{left}"
    same = sum(np.sign(one[0].mean) == np.sign(one[-1].mean) for one in moved)
    of = f"{same} of {len(moved)} effects"
    return f"{of} have the same sign at the shortest and at the longest training.{left}"


def length_figure(claims: Sequence[Claim], found: Mapping[str, ByLength]) -> Figure:
    """A panel a unit: the effect of each of its claims at every length, with its interval from two seeds on.

    Claims of which one length alone is recorded are left out, unless there are no others. Above zero is the
    way the claims say; for claims of equality a band of their colour shows what is allowed. Beyond a few
    times the median effect an axis is logarithmic.
    """
    groups: dict[str, list[Claim]] = defaultdict(list)
    several = {number for number, lengths in found.items() if len(lengths) > 1} or found.keys()
    for claim in claims:
        if claim.number in several:
            groups[unit_of(claim) or metric_of(claim)].append(claim)
    height = 3.2 if len(groups) <= FEW else 2.8
    figure, axes = panels(len(groups), height)
    for ax, (unit, members) in zip(axes, groups.items(), strict=True):
        _panel(ax, members, found)
        _squeeze(ax, [found[claim.number] for claim in members])
        ax.set(title=unit.removeprefix("of "), xlim=(-0.4, len(LENGTHS) - 0.6))
        ax.set_xticks(range(len(LENGTHS)), LENGTHS)
        columns = 2 if len(groups) == 3 else 3
        ax.legend(title="claim", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns, **SMALL)
    axes[0].set_ylabel("effect")
    return figure


def _squeeze(ax: Axes, effects: Sequence[ByLength]) -> None:
    """A logarithmic axis beyond a few times the median effect, where one is far larger."""
    sizes = np.abs([interval.mean for lengths in effects for interval in lengths.values()])
    usual = float(np.median(sizes))
    if usual and sizes.max() > FAR * usual:
        ax.set_yscale("symlog", linthresh=10.0 ** np.ceil(np.log10(2 * usual)))


def _panel(ax: Axes, claims: Sequence[Claim], by_claim: Mapping[str, ByLength]) -> None:
    ax.axhline(0, color=GRAY, lw=0.8, ls=":", zorder=0)
    for index, claim in enumerate(claims):
        lengths = by_claim[claim.number]
        places = np.array([LENGTHS.index(scale) for scale in lengths]) + 0.06 * (index - len(claims) / 2)
        halves = [i.half_width if np.isfinite(i.half_width) else 0.0 for i in lengths.values()]
        look = look_of(index)
        ax.errorbar(
            places,
            [i.mean for i in lengths.values()],
            yerr=halves,
            fmt=f"{look['marker']}-",
            color=look["color"],
            label=claim.number,
            ms=5,
            capsize=2,
            lw=1.2,
        )
        if claim.kind == "equivalent":
            ends = places.min() - ROOM, places.max() + ROOM
            ax.fill_between(
                ends, -claim.margin, claim.margin, color=look["color"], alpha=0.15, lw=0, zorder=-1
            )
