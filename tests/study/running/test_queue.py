import dataclasses
import math

import pytest

from lggkit import experiments
from lggkit.record import Protocol
from lggkit.study.records.ledger import Ledger
from lggkit.study.running import queue
from lggkit.study.running.context import StudyContext, device_name
from lggkit.training import pace
from lggkit.training.pace import OutOfTime

NAME = "lgg/s00_toy"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


@pytest.fixture
def context(tmp_path):
    return StudyContext(commit="abc", weights=tmp_path / "weights")


def shape(units):
    return [(unit.title, [spec.seed for spec in unit.specs]) for unit in units]


def test_what_any_ledger_holds_is_not_pending(experiment, ledger, tmp_path, context):
    other = Ledger(tmp_path / "out")
    queue.run(queue.pending([ledger], "reduced")[:3], ledger, context)
    queue.run(queue.pending([ledger], "reduced")[:3], other, context)
    assert shape(queue.pending([ledger, other], "reduced")) == [("ablation", [0]), ("ablation", [1])]
    assert shape(queue.pending([ledger], "paper"))[0] == ("base", [0])


def test_a_changed_protocol_is_pending_again(experiment, ledger, context, monkeypatch):
    queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert queue.pending([ledger], "reduced") == []
    mended = dataclasses.replace(
        experiment, protocols=dict.fromkeys(experiment.protocols, Protocol(revision=2))
    )
    monkeypatch.setattr(experiments, "all_experiments", lambda: [mended])
    assert len(queue.pending([ledger], "reduced")) == 8


def test_records_are_stamped(experiment, ledger, context):
    record = queue.run(queue.pending([ledger], "smoke")[:1], ledger, context).measured[0]
    assert record.commit == "abc" and record.torch and record.date and record.device
    assert record == ledger.records(NAME, "smoke")[0]


def test_estimate_prefers_what_was_measured_on_this_device(experiment, ledger, context):
    unit = queue.pending([ledger], "reduced")[0]
    assert queue.estimate(unit, [ledger], context) == 60.0
    queue.run([unit], ledger, context)
    assert queue.estimate(unit, [ledger], context) == 10.0


def test_what_the_budget_stops_is_left_and_no_failure(experiment, ledger, context, monkeypatch, caplog):
    def slow(specs, context):
        yield from experiment.measure(specs[:1], context)
        assert pace._deadline.get() < math.inf
        raise OutOfTime("out of time, continues from its checkpoint")

    joined = dataclasses.replace(experiment, measure=slow, together=(("base", "ours"),))
    monkeypatch.setattr(experiments, "all_experiments", lambda: [joined])
    outcome = queue.run(queue.pending([ledger], "reduced")[:1], ledger, context, budget=500.0)
    assert outcome.failed == [] and shape(outcome.left) == [("ours", [0])]
    assert "out of time, continues from its checkpoint" in caplog.text
    assert pace._deadline.get() == math.inf


def test_records_of_every_ledger_tell_how_long_a_unit_takes(experiment, ledger, context, tmp_path):
    units, out = queue.only_arms(queue.pending([ledger], "reduced"), ["base"]), Ledger(tmp_path / "out")
    queue.run(units[:1], ledger, context)
    assert queue.run(units[1:], out, context, budget=25.0).measured == []
    assert len(queue.run(units[1:], out, context, budget=25.0, known=[ledger]).measured) == 2


@pytest.mark.parametrize(("text", "seconds"), [("9m", 540), ("90s", 90), ("1h30m", 5400), ("1h1m1s", 3661)])
def test_durations(text, seconds):
    assert queue.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "9", "m", "0s", "9 minutes", "-9m"])
def test_durations_that_are_none(text):
    with pytest.raises(ValueError, match="write hours, minutes, seconds"):
        queue.seconds(text)


def test_shards_cover_every_run_once(experiment, ledger):
    units = queue.pending([ledger], "reduced")
    parts = [queue.shard(units, f"{i}/2") for i in range(2)]
    keys = [spec.key for part in parts for unit in part for spec in unit.specs]
    assert sorted(keys) == sorted(spec.key for unit in units for spec in unit.specs)
    for text in ("2/2", "a", "1", "0/0"):
        with pytest.raises(ValueError, match="write i/n"):
            queue.shard(units, text)


def test_a_shard_has_all_arms_of_its_seeds(experiment, ledger):
    for index in range(3):
        units = queue.shard(queue.pending([ledger], "reduced"), f"{index}/3")
        assert {spec.seed for unit in units for spec in unit.specs} == {index}
        assert [unit.title for unit in units][:2] == ["base", "ours"]


def test_device_name_names_the_processor(context):
    assert "thread" in device_name(context.device) or context.device.type == "cuda"
