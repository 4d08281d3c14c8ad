"""What is computed from records when they are read: gains, means over a reference, accuracies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lggkit.evaluation.corruption_means import (
    harmful_corruptions,
    mean_corrupted_error,
    mean_corruption_error,
    relative_mean_corruption_error,
)
from lggkit.experiments import Experiment
from lggkit.record import Record
from lggkit.study.network_ledger import Training
from lggkit.study.progress import progress

Metrics = Mapping[str, Any]
Rule = Callable[[Metrics, Metrics | None], dict[str, Any]]


def with_derived(
    experiment: Experiment, records: Iterable[Record], trainings: Mapping[str, Training] | None = None
) -> list[Record]:
    """Records of one section and scale with what the experiment derives from them, and their ``progress``.

    The reference is the complete record of ``experiment.reference`` of the same seed; without it nothing that
    needs one is there. A recorded metric of the same name gives way. ``trainings`` are those of the network
    ledger by key, from which the progress of a training is read where the record does not say it.
    """
    everyone = list(records)
    references = {
        r.seed: r.metrics for r in everyone if r.arm == experiment.reference and r.status == "complete"
    }
    known = trainings or {}
    return [
        _enriched(one, references.get(one.seed), experiment.derived, known.get(one.network))
        for one in everyone
    ]


def _enriched(
    record: Record, reference: Metrics | None, names: Sequence[str], training: Training | None
) -> Record:
    if record.status != "complete":
        return record
    found = dict(record.metrics)
    for name in names:
        found |= RULES[name](record.metrics, reference)
    gone = progress(record, training)
    found |= {} if gone is None else {"progress": gone}
    return record if found == record.metrics else dataclasses.replace(record, metrics=found)


def _gain(own: Metrics, reference: Metrics | None) -> dict[str, Any]:
    """Points that a student errs less than the reference, also doubled (the paper's relative gain)."""
    if reference is None or "consistency" not in own:
        return {}
    gain = reference["test_error"] - own["test_error"]
    return {"gain": gain, "gain_doubled": 2 * gain}


def _corruption(own: Metrics, reference: Metrics | None) -> dict[str, Any]:
    """Mean corrupted error, and MCE and relative MCE over the reference, in percent.

    The relative mean is over the corruptions of `harmful`; ``relative_corruptions`` counts them. There is no
    ``mce`` where a corruption leaves the reference without any error.
    """
    errors = errors_of(own)
    if not errors:
        return {}
    found: dict[str, Any] = {"mean_corrupted_error": mean_corrupted_error(errors)}
    if reference is None:
        return found
    theirs, names = errors_of(reference), harmful(reference)
    found["relative_corruptions"] = len(names)
    if all(map(any, theirs.values())):
        found["mce"] = mean_corruption_error(errors, theirs)
    if names:
        ours, others = ({name: side[name] for name in names} for side in (errors, theirs))
        clean, other = own["clean_error"], reference["clean_error"]
        found["relative_mce"] = relative_mean_corruption_error(ours, clean, others, other)
    return found


def _accuracy(own: Metrics, _: Metrics | None) -> dict[str, Any]:
    """100 less each error that has a name, and less the test error, which is that of clean images."""
    errors = {n.removeprefix("error_"): v for n, v in own.items() if n.startswith("error_")}
    clean = {"clean": own["test_error"]} if "test_error" in own else {}
    return {f"accuracy_{name}": 100 - error for name, error in {**clean, **errors}.items()}


def errors_of(metrics: Metrics) -> dict[str, Sequence[float]]:
    """Errors in percent by corruption, one a severity, of a record's metrics."""
    return {n.removeprefix("errors_"): v for n, v in metrics.items() if n.startswith("errors_")}


def harmful(reference: Metrics) -> list[str]:
    """The corruptions that do a reference harm, which the relative mean is over."""
    return harmful_corruptions(errors_of(reference), reference["clean_error"])


RULES: dict[str, Rule] = {"gain": _gain, "corruption": _corruption, "accuracy": _accuracy}
