"""What every chapter says of itself: its facts, and what came out, from records and verdicts alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lggkit import experiments
from lggkit.record import SCALES
from lggkit.study.judging.effect_words import effect_text
from lggkit.study.judging.scorecard import is_reading
from lggkit.study.judging.texts import CHECK, DAGGER, listed, seeds_counted
from lggkit.study.judging.verdicts import CONTRADICTED, HOLDS, ClaimVerdict
from lggkit.study.shown import view

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown

MOST = 4
ORDER = ("contradicted", "holds", "still moving", "undecided")
MARKS = {
    CHECK: f"{CHECK} survives Holm's correction",
    DAGGER: f"{DAGGER} was added or made stricter after a run",
}
NOTHING = "Nothing is recorded above smoke scale yet, so this page shows no result."
SHORT = "Networks that were trained as shortly as here decide no claim about training."


def facts_text(shown: Shown | None) -> str:
    """One line of facts: scale, data, network, epochs, seeds, device; the same words on every page."""
    if shown is None:
        return NOTHING
    facts = {
        "Scale": shown.scale,
        "data": _data(shown),
        "network": _network(shown),
        "training": _epochs(shown),
        "seeds": _seeds(shown),
        "device": shown.devices,
    }
    line = " · ".join(f"{name} **{value}**" for name, value in facts.items() if value)
    return f"{line}. {SHORT}" if shown.scale == "short" else f"{line}."


def _settings(shown: Shown) -> dict:
    table = [arm.name for arm in experiments.get(shown.experiment).arms if arm.table]
    rows = [record.settings for record in shown.records if record.arm in table]
    return (rows or [record.settings for record in shown.records])[-1]


def _data(shown: Shown) -> str:
    named = {view.data_title(r.settings) for r in shown.records if r.settings.get("dataset")}
    return listed(sorted(named))


def _network(shown: Shown) -> str:
    settings = _settings(shown)
    if not settings.get("network"):
        return ""
    width = f", width {settings['width']}" if settings.get("width") else ""
    return view.network_title(settings).removeprefix("networks ") + width


def _epochs(shown: Shown) -> str:
    training = _settings(shown).get("training")
    count = training.get("epochs") if isinstance(training, Mapping) else None
    return "" if count is None else f"{count} epoch{'' if count == 1 else 's'}"


def _seeds(shown: Shown) -> str:
    table = [arm.name for arm in experiments.get(shown.experiment).arms if arm.table]
    counts = {len(shown.arm(arm)) for arm in table} - {0}
    return " to ".join(str(n) for n in sorted({min(counts), max(counts)})) if counts else ""


def came_out_text(judged: Sequence[ClaimVerdict]) -> str:
    """A box of up to four findings: verdict, claim, and its effect with unit, interval and direction."""
    told = chosen(judged)
    lines = [f"- {_finding(one)}" for one in told] or ["- No claim of this page is measured yet."]
    text = "\n".join(["> **What came out**", ">", *(f"> {line}" for line in lines)])
    marks = [words for mark, words in MARKS.items() if any(mark in _verdict(one) for one in told)]
    return f"{text}\n>\n> {'; '.join(marks)}." if marks else text


def chosen(judged: Sequence[ClaimVerdict]) -> list[ClaimVerdict]:
    """The findings of a box: verdicts before what is undecided, one of each claim before a second part.

    A paper's claims come before readings of ours, and one of them is always told where one is measured.
    """
    measured = sorted((j for j in judged if j.interval is not None), key=_rank)
    first = {whole_number(j.claim.number): j for j in reversed(measured)}
    ordered = [j for j in measured if first[whole_number(j.claim.number)] is j]
    ordered += [j for j in measured if not any(j is other for other in ordered)]
    told = ordered[:MOST]
    papers = [j for j in ordered if not is_reading(j.claim.number)]
    if papers and not any(j is one for j in told for one in papers):
        told[-1] = papers[0]
    return sorted(told, key=_rank)


def _rank(judged: ClaimVerdict) -> tuple[bool, bool, int, bool, bool, int, str]:
    """Verdicts first, a paper's claims before readings; identities last, what survives correction first."""
    number, known = judged.claim.number, len(ORDER)
    known = ORDER.index(judged.verdict) if judged.verdict in ORDER else known
    undecided = judged.verdict not in (HOLDS, CONTRADICTED)
    counted = int(re.sub(r"\D", "", number.rpartition("-")[2]) or 0)
    exact, corrected = judged.claim.kind == "exact", not judged.survives_holm
    return undecided, is_reading(number), known, exact, corrected, counted, number


def whole_number(number: str) -> str:
    """The number of the claim that a part belongs to: ``5`` of ``5a``."""
    return number.rstrip("abcdefghijklmnopqrstuvwxyz")


def _finding(judged: ClaimVerdict) -> str:
    seeds = seeds_counted(judged.n)
    said = f"**{_verdict(judged)}:** {judged.claim.statement}"
    effect, number = effect_text(judged.claim, judged.interval), judged.claim.number
    named = f"Reading {number} of ours" if is_reading(number) else f"Claim {number}"
    return f"{said} {named}, {judged.scale} scale, {seeds}: {effect}."


def _verdict(judged: ClaimVerdict) -> str:
    """The verdict with its marks, as in ``Holds† ✓``."""
    words = judged.verdict[0].upper() + judged.verdict[1:]
    return words + DAGGER * judged.after_run + f" {CHECK}" * judged.survives_holm


def rerun_text(notebook: str) -> str:
    """How a notebook is executed at another scale; its path is from the repository's root."""
    scales = ", ".join(f"`{scale}`" for scale in SCALES)
    return (
        "From the root of a clone, after `make setup`:\n\n```console\n$ source .venv/bin/activate\n"
        f"$ papermill {notebook} out.ipynb -p scale reduced\n```\n\n"
        f"`scale` is one of {scales}. What is recorded at it is not measured again. `make lab` opens the "
        "notebooks in JupyterLab. In Colab, their first cell installs what they need."
    )


def table_title(short: str, table: str) -> str:
    """What a caption calls a table of a paper: ``LGG Table 3, released``, ``Ebook, article 1, Table 2``."""
    article = re.match(r"a0*(\d+)-", table)
    first, *others = table[article.end() if article else 0 :].replace("-", " ").split(" ", 2)
    named = ", ".join([f"{first.capitalize()} {others[0]}" if others else first, *others[1:]])
    return f"{short}, article {article[1]}, {named}" if article else f"{short} {named}"
