"""Gates beside what runs say, as figures and in words."""

import dataclasses

import pytest

from lggkit.study.entered.gates import parse_gate
from lggkit.study.entered.paper import claims
from lggkit.study.judging.readings import readings


def asked(gate, experiment="lgg/s41_distillation"):
    return dataclasses.replace(claims("lgg")[0], gate=parse_gate(gate), experiment=experiment)


@pytest.mark.parametrize(
    ("values", "figure", "open_"),
    [
        ([14.0, 15.0, 16.0], 15.0, True),
        ([14.0, 16.1], 15.05, False),
        ([], None, False),
        ([[1.0, 2.0]], None, False),
        ([float("nan"), 1.0], None, False),
    ],
    ids=str,
)
def test_a_reading_is_the_mean_of_complete_runs(make_record, values, figure, open_):
    records = [make_record("baseline", seed, metrics={"test_error": 1.0}) for seed, _ in enumerate(values)]
    for record, value in zip(records, values, strict=True):
        record.metrics["test_error"] = value
    records.append(make_record("baseline", 9, status="diverged", reason="loss", metrics={}))
    (below,) = readings(asked("baseline:test_error<=15"), records)
    assert below.open == open_ and below.value == (None if figure is None else pytest.approx(figure))
    (above,) = readings(asked("baseline:test_error>=15"), records)
    assert above.open == (figure is not None and figure >= 15)


@pytest.mark.parametrize(
    ("experiment", "title"), [("lgg/s41_distillation", "Baseline"), ("lgg/s99", "baseline"), ("", "baseline")]
)
def test_a_reading_in_words(make_record, experiment, title):
    records = [make_record("baseline", metrics={"test_error": 20.25})]
    both = readings(asked("baseline:test_error<=15;nobody:progress>=0.8", experiment), records)
    assert [reading.text for reading in both] == [
        f"test error of “{title}” 20.2, at most 15",
        "share of the way to the least loss of “nobody” unknown, at least 0.8",
    ]


def test_a_claim_without_a_gate_has_no_reading():
    assert readings(asked(""), []) == ()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("fit_16x32_3", "training accuracy at 16x32"),
        ("fit_4", "training accuracy with 4 layers"),
        ("original_cnn", "accuracy of cnn"),
        ("alive_conv1", "share not constant at conv1"),
        ("some_new_metric", "some new metric"),
    ],
)
def test_parts_of_a_metrics_name_stand_in_the_words(metric, words):
    (reading,) = readings(asked(f"baseline:{metric}>=1"), [])
    assert reading.text == f"{words} of “Baseline” unknown, at least 1"
