"""A table as the output of a notebook: what Jupyter shows of it, and what the book makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

import pandas as pd

from lggkit.study.judging.texts import seeds_counted
from lggkit.study.shown import tables

SEEDS, COUNTED = "(seeds)", re.compile(r"(?<=\d) \((\d+)\)$")
"""What a caption says of the number at the end of a cell, and that number."""


@dataclass(frozen=True, eq=False)
class Table:
    """HTML for Jupyter, which prefers it, and MyST for the book, whose settings prefer Markdown.

    ``caption`` may hold MyST; ``name`` is the label by which pages of the book refer to the table.
    """

    frame: pd.DataFrame
    caption: str
    name: str = ""

    @property
    def data(self) -> str:
        """The MyST text, numbered and referable."""
        return tables.as_myst(*counted_once(self.frame, self.caption), self.name)

    def _repr_markdown_(self) -> str:
        return self.data

    def _repr_html_(self) -> str:
        frame, caption = counted_once(self.frame, self.caption)
        with pd.option_context("display.max_colwidth", None):  # it cuts long cells otherwise
            rows = frame.to_html(index=False, border=0, na_rep="")
        return f"<p>{escape(caption)}</p>\n{rows}"

    def __repr__(self) -> str:
        return f"Table: {self.caption}"


def counted_once(frame: pd.DataFrame, caption: str) -> tuple[pd.DataFrame, str]:
    """A table whose cells all end with one number of seeds, as ``0.31 ± 0.02 (5)``, with it in the caption.

    The caption says where it goes by ``(seeds)``. Where it does not, or where the numbers differ, cells keep
    theirs.
    """
    cells = [str(cell) for cell in frame.to_numpy().ravel()]
    counts = {match[1] for cell in cells if (match := COUNTED.search(cell))}
    if SEEDS not in caption or len(counts) != 1:
        return frame, caption
    (count,) = counts
    stripped = frame.map(lambda cell: COUNTED.sub("", cell) if isinstance(cell, str) else cell)
    return stripped, caption.replace(SEEDS, f"({seeds_counted(int(count))})")
