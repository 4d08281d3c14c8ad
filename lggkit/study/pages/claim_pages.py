"""Where a claim stands in the book: the page whose `Chapter` shows it, as its notebook's source says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lggkit.study import paths
from lggkit.study.entered.claim_entries import Claim
from lggkit.study.pages.chapter_texts import whole_number


@dataclass(frozen=True)
class Page:
    """A notebook, as ``paper/page``, with the section that it shows and the numbers of its claims.

    No ``numbers`` are all claims that the section's runs decide.
    """

    name: str
    section: str
    numbers: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The label of its table of claims."""
        return f"tab-{self.name}-claims".replace("/", "-").replace("_", "-")

    def shows(self, claim: Claim) -> bool:
        """Whether a claim of the same paper is in that table."""
        if self.numbers:
            return whole_number(claim.number) in self.numbers
        return claim.experiment == self.section


def page_of(claim: Claim) -> Page | None:
    """The page that shows a claim; None where it has none yet.

    Raises:
        ValueError: a notebook's section or its numbers are not written out.
    """
    return next((page for page in pages_of(claim.paper) if page.shows(claim)), None)


def pages_of(paper: str) -> Iterator[Page]:
    """The pages of a paper in the order of their names."""
    for file in sorted((paths.repository() / "notebooks" / paper).glob("*.py")):
        calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id == "Chapter":
                yield _page(file, call)


def _page(file: Path, call: ast.Call) -> Page:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    try:
        section, numbers = (ast.literal_eval(node) for node in (call.args[0], named.get("numbers", "()")))
    except ValueError as error:
        line = f"{file.name}, line {call.lineno}"
        raise ValueError(f"{line}: Chapter is given a name; write section and numbers out") from error
    return Page(f"{file.parent.name}/{file.stem}", section, tuple(map(str, numbers)))
