"""The state of the study in a few sentences, from the counts of the scorecard."""

from __future__ import annotations

from collections.abc import Mapping

from lggkit.record import SCALES
from lggkit.study import papers
from lggkit.study.papers import Paper
from lggkit.study.scorecard import headline, scorecard

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
KINDS = {"paper": ("paper", "papers"), "articles": ("collection of articles", "collections of articles")}
NOTHING = "Nothing is measured at the papers' scale yet."
CELLS = "Of {cells} numbers that {sources} or their authors released, {facts}."
CLAIMS = "Of {claims} findings that they claim, {verdicts}."
IDENTITIES = "Of {identities} identities that they state, {identities_hold} hold."
ALWAYS = ("holds", "contradicted")
VERDICTS = {
    "holds": "{holds} hold",
    "contradicted": "{contradicted} are contradicted",
    "undecided": "{undecided} are undecided",
    "moving": "{moving} still move with the length of training",
    "not_tested": "{not_tested} are not tested at the scales measured so far",
    "unmeasured": "{unmeasured} are not yet measured",
}


def headline_sentence() -> str:
    """The state of the study: cells at each scale, findings by verdict, identities apart."""
    return sentences(headline(scorecard()), papers.papers())


def sentences(count: Mapping[str, int], known: tuple[Paper, ...]) -> str:
    """The same, of given counts (those of `lggkit.study.scorecard.headline`) and papers.

    Claims that share a measurement are counted once.
    """
    cells = CELLS.format(cells=count["cells"], sources=_sources(known), facts=_facts(count))
    return " ".join(([] if count["paper"] else [NOTHING]) + [cells, _claims(count)])


def _claims(count: Mapping[str, int]) -> str:
    shown = [text for name, text in VERDICTS.items() if count[name] or name in ALWAYS]
    findings = CLAIMS.replace("{verdicts}", _listed(shown)).format_map(count)
    return " ".join([findings] + [IDENTITIES.format_map(count)] * bool(count["identities"]))


def _facts(count: Mapping[str, int]) -> str:
    away = [f"{count['unavailable']} rest on data that cannot be had here"] * bool(count["unavailable"])
    measured = [f"{count[scale]} at {scale} scale" for scale in reversed(SCALES[1:]) if count[scale]]
    ours = f"{_listed(measured)} are measured" if measured else "none is measured"
    return _listed([*away, ours])


def _sources(known: tuple[Paper, ...]) -> str:
    """``four papers``, ``two papers and one collection of articles`` with the verb that fits."""
    counts = {kind: sum(paper.kind == kind for paper in known) for kind in KINDS}
    words = [f"{_number(n)} {KINDS[kind][n > 1]}" for kind, n in counts.items() if n]
    return f"{_listed(words)} print{'s' if len(known) == 1 else ''}"


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
