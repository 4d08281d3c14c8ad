"""The state of the study in a few sentences, from the counts of the scorecard."""

from __future__ import annotations

from collections.abc import Mapping

from lggkit.record import SCALES
from lggkit.study.entered import papers
from lggkit.study.entered.papers import Paper
from lggkit.study.judging.scorecard import headline, scorecard
from lggkit.study.judging.texts import listed

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
KINDS = {"paper": ("paper", "papers"), "articles": ("collection of articles", "collections of articles")}
NOTHING = "Nothing is measured at the papers' scale yet."
CELLS = "Of {cells} numbers that {sources} or their authors released, {facts}."
CLAIMS = "Of {claims} findings that they claim, {verdicts}."
IDENTITIES = "Of {identities} identities that they state, {hold}."
HOLD = ("{n} holds", "{n} hold")
VERDICTS = {
    "holds": HOLD,
    "contradicted": ("{n} is contradicted", "{n} are contradicted"),
    "undecided": ("{n} is undecided", "{n} are undecided"),
    "moving": ("{n} still moves with the length of training", "{n} still move with the length of training"),
    "not_tested": (
        "{n} is not tested at the scales measured so far",
        "{n} are not tested at the scales measured so far",
    ),
    "unmeasured": ("{n} is not yet measured", "{n} are not yet measured"),
}
ALWAYS = ("holds", "contradicted")


def headline_sentence() -> str:
    """The state of the study: cells at each scale, findings by verdict, identities apart."""
    return sentences(headline(scorecard()), papers.papers())


def sentences(count: Mapping[str, int], known: tuple[Paper, ...]) -> str:
    """The same, of given counts (those of `lggkit.study.judging.scorecard.headline`) and papers.

    Claims that share a measurement are counted once.
    """
    cells = CELLS.format(cells=count["cells"], sources=_sources(known), facts=_facts(count))
    return " ".join(([] if count["paper"] else [NOTHING]) + [cells, _claims(count)])


def _claims(count: Mapping[str, int]) -> str:
    shown = [_counted(count[name], *VERDICTS[name]) for name in VERDICTS if count[name] or name in ALWAYS]
    findings = CLAIMS.format(claims=count["claims"], verdicts=listed(shown))
    hold = _counted(count["identities_hold"], *HOLD)
    apart = IDENTITIES.format(identities=count["identities"], hold=hold)
    return f"{findings} {apart}" if count["identities"] else findings


def _counted(n: int, singular: str, plural: str) -> str:
    return (singular if n == 1 else plural).format(n=n)


def _facts(count: Mapping[str, int]) -> str:
    away = f"{_counted(count['unavailable'], '{n} rests', '{n} rest')} on data that cannot be had here"
    return listed([away] * bool(count["unavailable"]) + [_measured(count)])


def _measured(count: Mapping[str, int]) -> str:
    counts = [(count[scale], scale) for scale in reversed(SCALES[1:]) if count[scale]]
    if not counts:
        return "none is measured"
    first = f"{_counted(counts[0][0], '{n} is', '{n} are')} measured at {counts[0][1]} scale"
    return ", ".join([first, *(f"{n} at {scale} scale" for n, scale in counts[1:])])


def _sources(known: tuple[Paper, ...]) -> str:
    """``four papers``, ``two papers and one collection of articles`` with the verb that fits."""
    counts = {kind: sum(paper.kind == kind for paper in known) for kind in KINDS}
    words = [f"{_number(n)} {KINDS[kind][n > 1]}" for kind, n in counts.items() if n]
    return f"{listed(words)} print{'s' if len(known) == 1 else ''}"


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)
