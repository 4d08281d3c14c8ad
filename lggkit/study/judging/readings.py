"""Gates beside what runs say: the figure of each condition, in words that a page can show."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from lggkit import experiments
from lggkit.record import Record
from lggkit.study.entered.gates import Condition
from lggkit.study.entered.paper import Claim
from lggkit.study.judging.effects import by_seed
from lggkit.study.records.finite import finite_sample

BOUNDS = {"<=": "at most", ">=": "at least"}
WORDS = (
    (r"progress|gone", "share of the way to the least loss"),
    (r"worst_error", "worst test error"),
    (r"train_accuracy", "training accuracy"),
    (r"fit_(\d+x\d+)_\d+", r"training accuracy at \1"),
    (r"fit_(\d+)", r"training accuracy with \1 layers"),
    (r"original_(\w+)", r"accuracy of \1"),
    (r"accuracy_own", "accuracy with the own decoder"),
    (r"explained_own", "explained variance with the own decoder"),
    (r"feature_accuracy", "accuracy of the feature network"),
    (r"alive_(\w+)", r"share not constant at \1"),
    (r"mse_millionths", "mean square in millionths"),
)
"""What gates call metrics whose names say too little, by pattern; parts of a name stand in the words."""


@dataclass(frozen=True)
class Reading:
    """A condition beside the mean of the runs, None where no run has the metric as a number.

    ``title`` is what pages call the arm.
    """

    condition: Condition
    value: float | None
    title: str

    @property
    def open(self) -> bool:
        """Whether the condition is known to be true."""
        asked = self.condition
        if self.value is None:
            return False
        return self.value <= asked.bound if asked.relation == "<=" else self.value >= asked.bound

    @property
    def text(self) -> str:
        """The figure and the bound, such as ``test error of “Teacher” 7.32, at most 16``."""
        asked = self.condition
        figure = "unknown" if self.value is None else f"{self.value:.3g}"
        bound = f"{BOUNDS[asked.relation]} {asked.bound:g}"
        return f"{_metric_words(asked.metric)} of “{self.title}” {figure}, {bound}"


def readings(claim: Claim, records: Sequence[Record]) -> tuple[Reading, ...]:
    """Each condition of a claim's gate beside what the records of its experiment at one scale say."""
    titles = _titles(claim.experiment) if claim.gate else {}
    return tuple(
        Reading(
            one,
            _mean(list(by_seed(records, one.arm, one.metric).values())),
            titles.get(one.arm, one.arm),
        )
        for one in claim.gate
    )


@functools.cache
def _titles(experiment: str) -> Mapping[str, str]:
    try:
        return {arm.name: arm.title for arm in experiments.get(experiment).arms}
    except KeyError:
        return {}


def _metric_words(metric: str) -> str:
    fitting = ((re.fullmatch(pattern, metric), words) for pattern, words in WORDS)
    return next((match.expand(words) for match, words in fitting if match), metric).replace("_", " ")


def _mean(values: Sequence[float | list[float]]) -> float | None:
    try:
        return fmean(finite_sample(values)) if values else None
    except ValueError:
        return None
