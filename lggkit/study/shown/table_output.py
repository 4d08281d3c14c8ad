"""A table as the output of a notebook: what Jupyter shows of it, and what the book makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from lggkit.study.shown import tables


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
        return tables.as_myst(self.frame, self.caption, self.name)

    def _repr_markdown_(self) -> str:
        return self.data

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):  # it cuts long cells otherwise
            rows = self.frame.to_html(index=False, border=0, na_rep="")
        return f"<p>{escape(self.caption)}</p>\n{rows}"

    def __repr__(self) -> str:
        return f"Table: {self.caption}"
