"""What records say of the conditions of a gate."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lggkit.record import Record
from lggkit.study.effects import by_seed
from lggkit.study.finite import finite_sample
from lggkit.study.gates import Condition

BOUNDS = {"<=": "at most", ">=": "at least"}


@dataclass(frozen=True)
class Reading:
    """A condition beside the mean of the runs, None where no run has the metric as a number."""

    condition: Condition
    value: float | None

    @property
    def open(self) -> bool:
        """Whether the condition is known to be true."""
        asked = self.condition
        if self.value is None:
            return False
        return self.value <= asked.bound if asked.relation == "<=" else self.value >= asked.bound

    @property
    def text(self) -> str:
        """The figure and the bound, as a table shows them."""
        asked = self.condition
        figure = "unknown" if self.value is None else f"{self.value:.3g}"
        return f"{asked.metric} of {asked.arm} {figure}, {BOUNDS[asked.relation]} {asked.bound:g}"


def readings(gate: Sequence[Condition], records: Sequence[Record]) -> tuple[Reading, ...]:
    """Each condition beside what the records of one experiment and scale say."""
    return tuple(Reading(one, _mean(list(by_seed(records, one.arm, one.metric).values()))) for one in gate)


def _mean(values: Sequence[float | list[float]]) -> float | None:
    try:
        return statistics.fmean(finite_sample(values)) if values else None
    except ValueError:
        return None
