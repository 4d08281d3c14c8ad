"""What front page and README show of the verdicts: findings, counts a paper, every effect, details."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

import pandas as pd

from lggkit.study.entered import papers
from lggkit.study.entered.papers import Paper
from lggkit.study.judging.effect_words import effect_text
from lggkit.study.judging.scorecard import headline, is_reading, judged_claims, scorecard
from lggkit.study.judging.texts import DAGGER, seeds_counted
from lggkit.study.judging.verdicts import CONTRADICTED, HOLDS, NOT_TESTED, ClaimVerdict
from lggkit.study.pages.chapter_texts import ORDER, chosen, whole_number
from lggkit.study.pages.claim_pages import Page, page_of
from lggkit.study.pages.forest import LOOKS, drawn, forest
from lggkit.study.shown import tables

FINDINGS = 3
COLUMNS = {
    "holds": "hold",
    "contradicted": "contradicted",
    "undecided": "undecided",
    "moving": "still moving",
    "not_tested": "not tested",
    "unmeasured": "not measured",
}
ALWAYS = ("holds", "contradicted", "not_tested", "unmeasured")
STATE = (
    "Findings of each paper by verdict, and cells of its tables whose data cannot be had here. A finding "
    "that two papers state is counted with one of them."
)
DECIDED = "Measured long enough for a verdict."
WAITING = "Measured, and not tested at this scale: no verdict."
CELLS = "Cells of each table, how many are measured at each scale, and verdicts at paper scale"
Link = Callable[[str, Page], str]


def myst_link(text: str, page: Page) -> str:
    """A link to the claims of a page from another page of the book."""
    return f"{{ref}}`{text} <{page.label}>`"


def file_link(text: str, page: Page) -> str:
    """A link to a page's notebook from the root of the repository."""
    return f"[{text}](notebooks/{page.name}.ipynb)"


def findings_text(link: Link) -> str:
    """Three findings as a list; a sentence that there are none yet where no claim has a verdict."""
    verdicts = best([judged_claims(paper.name) for paper in papers.papers()])
    return "\n".join(f"- {_finding(verdict, link)}" for verdict in verdicts) or "No claim has a verdict yet."


def best(judged: Sequence[Sequence[ClaimVerdict]]) -> list[ClaimVerdict]:
    """Three findings of papers: what is contradicted and what holds take turns, and so do papers.

    Of a claim one part is told. Identities are no findings, nor are readings that no paper claims, and what
    is not tested is none yet. A finding that two papers state is told where it is counted.
    """
    verdicts = [[j for j in one if _is_finding(j)] for one in judged]
    left = list(filter(None, chain.from_iterable(zip_longest(*map(chosen, verdicts)))))
    told: list[ClaimVerdict] = []
    while left and len(told) < FINDINGS:
        turn = (CONTRADICTED, HOLDS)[len(told) % 2]
        told.append(min(left, key=lambda one: _turn(one, turn, told)))
        left = [one for one in left if not _of_one_claim(one, told[-1])]
    return told


def _turn(judged: ClaimVerdict, turn: str, told: Sequence[ClaimVerdict]) -> tuple[bool, bool, int]:
    """What is told next: of the verdict whose turn it is, of a paper that was not told, else in `ORDER`."""
    again = any(one.claim.paper == judged.claim.paper for one in told)
    return judged.verdict != turn, again, ORDER.index(judged.verdict)


def _of_one_claim(one: ClaimVerdict, other: ClaimVerdict) -> bool:
    claims = [(j.claim.paper, whole_number(j.claim.number)) for j in (one, other)]
    return claims[0] == claims[1]


def _is_finding(judged: ClaimVerdict) -> bool:
    claim = judged.claim
    counted = claim.kind != "exact" and not claim.shares and not is_reading(claim.number)
    return judged.verdict in ORDER and counted


def _finding(judged: ClaimVerdict, link: Link) -> str:
    page = page_of(judged.claim)
    place = f"{papers.find(judged.claim.paper).title}, claim {judged.claim.number}"
    verb = "is contradicted" if judged.verdict == CONTRADICTED else f"is {judged.verdict}"
    verb = ("holds" if judged.verdict == "holds" else verb) + DAGGER * judged.after_run
    size = effect_text(judged.claim, judged.interval)
    effect = f"{size}, {judged.scale} scale, {seeds_counted(judged.n)}"
    return f"{judged.claim.statement} This **{verb}**: {effect} ({link(place, page) if page else place})."


def state_text() -> str:
    """The table of counts, a row a paper."""
    return tables.as_myst(state_table(scorecard(), papers.papers()), STATE, "tab-state")


def state_table(card: Mapping[str, Any], known: Sequence[Paper]) -> pd.DataFrame:
    """One row a paper: its findings by verdict, a finding that two papers share with the first; its cells.

    Columns of verdicts that no paper has are left out, but for those that a reader looks for.
    """
    counts = {paper.title: headline(card, paper.name) for paper in known}
    shown = [name for name in COLUMNS if name in ALWAYS or any(one[name] for one in counts.values())]
    return pd.DataFrame([_state(title, one, shown) for title, one in counts.items()])


def _state(title: str, count: Mapping[str, int], shown: Sequence[str]) -> dict[str, str | int]:
    cells = f"{count['unavailable']} of {count['cells']}".replace(" ", "\N{NO-BREAK SPACE}")
    return {"paper": title, **{COLUMNS[name]: count[name] for name in shown}, "cells not to be had": cells}


def forests_text() -> str:
    """The forest plot of every measured claim, folded by family; that of the first is open."""
    judged = [
        (title, label, [one for one in group if drawn(one)])
        for paper in papers.papers()
        for title, label, group in _families(paper)
    ]
    return "\n\n".join(
        _folded(f"{title}: {_counted(group)}", _forests(label, group), opened=not place)
        for place, (title, label, group) in enumerate(one for one in judged if one[2])
    )


def _families(paper: Paper) -> list[tuple[str, str, list[ClaimVerdict]]]:
    """Title, label and claims of a paper, or of each article of a collection."""
    judged = judged_claims(paper.name)
    if paper.families == "paper":
        return [(paper.title, _slug(paper.name), judged)]
    families: dict[str, list[ClaimVerdict]] = {}
    for one in judged:
        families.setdefault(one.claim.experiment.partition("/")[2], []).append(one)
    found = [(name, title) for name, title in paper.sections if name in families]
    return [(title, _slug(f"{paper.name}-{name}"), families[name]) for name, title in found]


def _forests(label: str, judged: Sequence[ClaimVerdict]) -> str:
    """Claims with a verdict, then those without one, folded again."""
    waiting = [one for one in judged if one.verdict == NOT_TESTED]
    decided = [one for one in judged if one.verdict != NOT_TESTED]
    parts = [forest(decided, DECIDED, f"tab-forest-{label}")] if decided else []
    if waiting:
        folded = forest(waiting, WAITING, f"tab-waiting-{label}")
        parts.append(_folded(f"{len(waiting)} effects that are no verdict yet", folded))
    return "\n\n".join(parts)


def _counted(judged: Sequence[ClaimVerdict]) -> str:
    """How many rows have which verdict, as in ``2 hold, 1 still moving``."""
    count = Counter(one.verdict for one in judged)
    names = {name: COLUMNS.get(name, name) for name in LOOKS if count[name]}
    names |= {"holds": "holds" if count["holds"] == 1 else "hold"} if count["holds"] else {}
    return ", ".join(f"{count[name]} {said}" for name, said in names.items())


def details_text() -> str:
    """The cells of each table and every claim, folded, by paper."""
    return "\n\n".join(map(_details, papers.papers()))


def _details(paper: Paper) -> str:
    scores = tables.as_myst(tables.scores_table(paper.name), CELLS, f"tab-scores-{_slug(paper.name)}")
    claims = tables.claims_table(judged_claims(paper.name))
    every = tables.as_myst(claims, "Claims and verdicts", f"tab-claims-{_slug(paper.name)}")
    parts = [_folded("Cells of each table", scores), _folded("Every claim, with its parts", every)]
    return "\n\n".join([f"### {paper.title}", *parts])


def _slug(name: str) -> str:
    return name.replace("_", "-")


def _folded(title: str, text: str, opened: bool = False) -> str:
    """A dropdown, whose fence is longer than those in its text."""
    fence = ":" * (6 if "{dropdown}" in text else 5)
    return f"{fence}{{dropdown}} {title}\n{':open:' * opened}\n\n{text}\n{fence}"
