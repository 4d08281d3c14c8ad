"""The forest plot of the front page: a row a measured claim, its effect with the 95 % interval drawn small.

Units differ from row to row, so each row has its own axis: 0 in the middle, the claim's side on the right,
and as much on either side as the row needs. Colours are the theme's, so that a row is legible on any ground.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lggkit.study.entered import papers
from lggkit.study.judging.effect_words import size_text
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.texts import DAGGER, seeds_counted
from lggkit.study.judging.verdicts import CONTRADICTED, HOLDS, MOVING, NOT_TESTED, UNDECIDED, ClaimVerdict
from lggkit.study.pages.claim_pages import page_of

WIDTH, HEIGHT, HALF = 140, 24, 62
LOOKS = {
    HOLDS: ("success", '<circle cx="{x}" cy="12" r="5" fill="currentColor"/>'),
    CONTRADICTED: ("danger", '<path d="M{x} 12m-5 -5l10 10m0 -10l-10 10" stroke-width="3"/>'),
    MOVING: ("warning", '<path d="M{x} 6l6 11h-12z" fill="currentColor"/>'),
    UNDECIDED: ("info", '<path d="M{x} 6l6 6l-6 6l-6 -6z" fill="currentColor"/>'),
    NOT_TESTED: ("muted", '<circle cx="{x}" cy="12" r="4" fill="var(--pst-color-background)"/>'),
}
"""Colour and mark of a verdict; the mark stands at x."""
GROUND = 'fill="none" stroke="currentColor" stroke-width="2"'
ZERO = f'<path d="M{WIDTH // 2} 1v22" stroke="var(--pst-color-text-muted)" stroke-width="1"/>'


def drawn(judged: ClaimVerdict) -> bool:
    """Whether a claim has a row: a single claim that is measured, and no identity or bound."""
    return judged.interval is not None and judged.claim.kind != "exact"


def forest(judged: Sequence[ClaimVerdict], caption: str, name: str) -> str:
    """A MyST table of those claims that are `drawn`: claim with a link and verdict; drawing, effect."""
    head = [f"::::{{list-table}} {caption}", f":name: {name}", ":header-rows: 1", ":widths: 68 32"]
    rows = [part for one in judged if drawn(one) for part in (f"* - {_said(one)}", f"  - {drawing(one)}")]
    titles = ["* - claim", "  - against · for"]
    return "\n".join([*head, ":width: 100%", ":class: forest", "", *titles, *rows, "::::"])


def _said(judged: ClaimVerdict) -> str:
    number = f"{papers.find(judged.claim.paper).short}\N{NO-BREAK SPACE}{judged.claim.number}"
    page, seeds = page_of(judged.claim), seeds_counted(judged.n)
    place = f"{{ref}}`{number} <{page.label}>`" if page else number
    effect = f"{size_text(judged.claim, judged.interval)} ({judged.scale}, {seeds})"
    return f"**{place}**{_badge(judged)} {judged.claim.statement} {effect}"


def _badge(judged: ClaimVerdict) -> str:
    """The verdict as a coloured badge; nothing but the mark † of one that is none yet."""
    mark, (color, _) = DAGGER * judged.after_run, LOOKS[judged.verdict]
    return mark if color == "muted" else f" {{bdg-{color}}}`{judged.verdict}{mark}`"


def drawing(judged: ClaimVerdict) -> str:
    """The interval as an SVG element: a grey band is what is allowed; one seed is a mark without a line."""
    claim, interval = judged.claim, _toward(judged)
    color, mark = LOOKS[judged.verdict]
    margin = claim.margin if claim.kind == "equivalent" else 0
    ends = [end for end in (interval.low, interval.high) if interval.resolved and math.isfinite(end)]
    unit = HALF / (max(map(abs, (*ends, interval.mean, margin))) or 1)
    x, *places = (f"{WIDTH / 2 + unit * value:.1f}" for value in (interval.mean, *ends))
    line = "M{} 12H{}".format(*places) + "".join(f"M{place} 8v8" for place in places) if places else ""
    parts = [_band(unit * margin), ZERO, f'<path d="{line}"/>' if line else "", mark.format(x=x)]
    style = f"color:var(--pst-color-{'text-muted' if color == 'muted' else color});display:block;width:100%"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" style="{style}" {GROUND} role="img">{"".join(parts)}</svg>'


def _toward(judged: ClaimVerdict) -> Interval:
    """The interval with what speaks for the claim above 0."""
    interval = judged.interval
    if judged.claim.kind == "trend" and judged.claim.direction == "decreasing":
        return Interval(-interval.mean, -interval.high, -interval.low, interval.n, interval.resolved)
    return interval


def _band(half: float) -> str:
    """What an equivalence allows, around 0 and at least a pixel to each side."""
    side = max(half, 1) if half else 0
    ground = 'fill="var(--pst-color-text-muted)" fill-opacity="0.35" stroke="none"'
    return (
        f'<rect x="{WIDTH / 2 - side:.1f}" y="3" width="{2 * side:.1f}" height="18" {ground}/>'
        if side
        else ""
    )
