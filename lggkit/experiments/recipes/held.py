"""Contexts as a cache can hold them."""

from __future__ import annotations

from lggkit.experiments.networks import Context


class Held:
    """A context that a cache can hold: equal to every other of the same data."""

    def __init__(self, context: Context) -> None:
        self.data = context.data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held)

    def __hash__(self) -> int:
        return 0
