"""Records of a section at one scale, and what a notebook asks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from lggkit.study.shown.table_output import Table

if TYPE_CHECKING:
    from IPython.display import Markdown
    from matplotlib.figure import Figure

    from lggkit.study.shown.view import Shown

NO_PART = "What this needs is not all recorded above smoke scale yet."


class Part:
    """Records of a section at one scale, or none; what is asked of none shows nothing.

    Functions that are handed to it take the records first, and then what else is given.
    """

    def __init__(self, shown: Shown | None, titles: Mapping[str, str], page_scale: str = "") -> None:
        self.shown, self.titles, self.page_scale = shown, titles, page_scale

    def draw(self, function: Callable[..., Figure], *arguments: Any, **options: Any) -> Figure | None:
        """The figure that a function makes of the records; None where there are none."""
        return None if self.shown is None else function(self.shown, *arguments, **options)

    def say(self, *functions: Callable[[Shown], Sequence[str]]) -> Markdown | None:
        """The sentences that functions choose by the records, a paragraph each; None where there are none."""
        if self.shown is None:
            return None
        return markdown("\n\n".join(text for function in functions for text in function(self.shown)))

    def show(
        self, function: Callable[..., pd.DataFrame], caption: str, name: str, *arguments: Any, **options: Any
    ) -> Table | None:
        """The table that a function makes of the records, with its caption and its label.

        The caption says at which scale they are where it is not that of the page.
        """
        if self.shown is None:
            return None
        other = self.page_scale and self.shown.scale != self.page_scale
        scale = f" {self.shown.scale.capitalize()} scale." if other else ""
        return Table(function(self.shown, *arguments, **options), caption + scale, name)

    def recorded(self, arms: Sequence[str]) -> dict[str, str]:
        """The titles of those arms that have a run, in the order given."""
        return {arm: self.titles[arm] for arm in arms if self.shown is not None and self.shown.arm(arm)}

    def waiting(self, arms: Sequence[str] = ()) -> Markdown | None:
        """At which scale this part is shown, and what is not measured there yet.

        None where nothing is left to measure at the scale of the whole page.
        """
        if self.shown is None:
            return markdown(NO_PART)
        missing = [self.titles[arm] for arm in arms if not self.shown.arm(arm)]
        if not missing and self.shown.scale == self.page_scale:
            return None
        left = f" Not measured there yet: {'; '.join(missing)}." if missing else ""
        return markdown(f"Shown at the {self.shown.scale} scale.{left}")


def markdown(text: str) -> Markdown:
    """A text as the book reads it."""
    from IPython.display import Markdown

    return Markdown(text)
