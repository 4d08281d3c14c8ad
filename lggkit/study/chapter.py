"""What a notebook asks of the study, as one object: it measures what is missing and shows records."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from lggkit import experiments
from lggkit.record import SCALES
from lggkit.study.entered import papers
from lggkit.study.entered.origins import origins_table
from lggkit.study.figures import length
from lggkit.study.judging.scorecard import Records, judged_claims, records_of
from lggkit.study.judging.verdicts import ClaimVerdict
from lggkit.study.pages.chapter_texts import NOTHING, came_out_text, facts_text, rerun_text, table_title
from lggkit.study.pages.claim_pages import Page
from lggkit.study.shown import tables, view
from lggkit.study.shown.cell_tables import NOT_MEASURED
from lggkit.study.shown.part import Part, markdown
from lggkit.study.shown.table_output import Table

if TYPE_CHECKING:
    from IPython.display import Markdown
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

ABOVE_SMOKE = SCALES[1:]


class Chapter(Part):
    """A section of a paper as its page needs it; measures at ``scale`` what is missing when it is made.

    The page shows the highest scale above smoke at which each of ``arms``, by default those of the paper's
    table, has a run. ``page`` is the notebook's name where a section has several; that named as the section
    measures at smoke scale for all. ``numbers`` are the page's claims, by default all that its runs decide.

    Raises:
        KeyError: there is no such experiment.
        ValueError: there is no such scale.
        LedgerError: a run failed.
    """

    def __init__(
        self,
        name: str,
        scale: str = "smoke",
        *,
        page: str = "",
        arms: Sequence[str] = (),
        numbers: Sequence[str] = (),
    ) -> None:
        self.experiment = experiments.get(name)
        self.scale, section = scale, name.partition("/")[2]
        self.page = page or section
        if scale != "smoke" or self.page == section:
            view.measure(name, scale)
        self.numbers = tuple(map(str, numbers))
        self.place = Page(f"{self.experiment.paper}/{self.page}", name, self.numbers)
        self.parts: list[Shown] = []
        super().__init__(None, {arm.name: arm.title for arm in self.experiment.arms})
        self.shown = self.part(*(arms or self.table_arms)).shown

    @property
    def table_arms(self) -> dict[str, str]:
        """The titles of the arms that the paper's table shows."""
        return {arm.name: arm.title for arm in self.experiment.arms if arm.table}

    @property
    def label(self) -> str:
        """What the labels of the page's tables begin with."""
        return f"tab-{self.experiment.paper}-{self.page}".replace("_", "-")

    def part(self, *arms: str) -> Part:
        """The records at the highest scale above smoke at which every one of these arms has three runs.

        Where there is no such scale, one run an arm is enough.
        """
        above = [view.at(self.experiment.name, scale) for scale in reversed(ABOVE_SMOKE)]
        for shown, runs in ((one, runs) for runs in (view.ENOUGH, 1) for one in above):
            if shown.records and all(len(shown.arm(arm)) >= runs for arm in arms):
                self.parts.append(shown)
                return Part(shown, self.titles, self.shown.scale if self.shown else "")
        return Part(None, self.titles)

    def facts(self) -> Markdown:
        """One line: scale, data, network, epochs, seeds, device."""
        return markdown(facts_text(self.shown))

    def came_out(self) -> Markdown:
        """A box of up to four findings, from the verdicts of the page's claims."""
        return markdown(NOTHING if self.shown is None else came_out_text(self.judged))

    @cached_property
    def judged(self) -> list[ClaimVerdict]:
        """The claims of the page with their verdicts, parts of compound claims included."""
        return [judged for judged in self._known if self.place.shows(judged.claim)]

    @cached_property
    def _known(self) -> list[ClaimVerdict]:
        return judged_claims(self.experiment.paper, self._records)

    @cached_property
    def _records(self) -> Records:
        return records_of(self.experiment.paper)

    def table(self, table: str, note: str = "") -> Table:
        """A table of the paper: its values beside ours at every scale, or as printed where ours are none."""
        named = table_title(papers.find(self.experiment.paper).short, table)
        caption = f"{named} beside ours: mean ± half the 95 % interval (seeds)."
        label = f"tab-{self.experiment.paper}-{table}".replace("_", "-")
        printed = tables.unmeasured_table(self.experiment.paper, table, self._records)
        if printed is None:
            frame = tables.paper_table(self.experiment.paper, table, self._records)
        else:
            frame, why = printed
            caption = f"{named} as printed: {why}{' at paper scale' * (why == NOT_MEASURED)}."
        return Table(frame, f"{caption} {note}".strip(), label)

    def claims(self) -> Table:
        """The claims of the page with their rules, effects and verdicts."""
        here = {judged.claim.id for judged in self.judged}
        parts = set() if self.numbers else here
        rows = [j for j in self._known if j.claim.id in here or parts & set(j.claim.members)]
        frame = tables.claims_table(rows)
        caption = "Claims of this page and their verdicts; ✓ survives Holm's correction."
        return Table(frame, caption, self.place.label)

    def against_length(self) -> Markdown:
        """Whether the effects of the page's claims last in longer trainings, or that it is not known yet."""
        return markdown(length.length_said(self._effects))

    def length_figure(self) -> Figure | None:
        """The effects of the page's claims at every length of training; None while there is only one."""
        effects = self._effects
        if max(map(len, effects.values()), default=0) < 2:
            return None
        return length.length_figure([j.claim for j in self.judged], effects)

    @cached_property
    def _effects(self) -> dict[str, length.ByLength]:
        return length.effects_by_length([j.claim for j in self.judged], self._records)

    def origins(self) -> Table:
        """Where each setting comes from, with its value at the scale that is shown."""
        frame = origins_table(self.experiment, self.shown.scale if self.shown else self.scale)
        return Table(frame, "Settings and where each is from.", f"{self.label}-origins")

    def provenance(self) -> Markdown | Table:
        """The records behind the page."""
        if not self.parts:
            return markdown(NOTHING)
        frame = tables.provenance(*self.parts)
        return Table(frame, "Records behind this page.", f"{self.label}-records")

    def rerun(self) -> Markdown:
        """The command that measures and executes this page at another scale."""
        return markdown(rerun_text(f"notebooks/{self.experiment.paper}/{self.page}.ipynb"))
