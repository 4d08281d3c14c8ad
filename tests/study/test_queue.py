import dataclasses
import math

import pytest

from lggkit import experiments
from lggkit.record import Protocol
from lggkit.study import queue
from lggkit.study.context import StudyContext, device_name
from lggkit.study.ledger import Ledger
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


def test_table_arms_come_first_with_all_their_seeds(experiment, ledger):
    expected = [("base", [0, 1, 2]), ("ours", [0, 1, 2]), ("ablation", [0, 1])]
    assert shape(queue.pending([ledger], "reduced")) == expected


def test_what_any_ledger_holds_is_not_pending(experiment, ledger, tmp_path, context):
    other = Ledger(tmp_path / "out")
    queue.run(queue.pending([ledger], "reduced")[:1], ledger, context)
    queue.run(queue.pending([ledger], "reduced")[:1], other, context)
    assert shape(queue.pending([ledger, other], "reduced")) == [("ablation", [0, 1])]
    assert shape(queue.pending([ledger], "paper"))[0] == ("base", [0, 1, 2, 3, 4])


def test_a_changed_protocol_is_pending_again(experiment, ledger, context, monkeypatch):
    queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert queue.pending([ledger], "reduced") == []
    mended = dataclasses.replace(
        experiment, protocols=dict.fromkeys(experiment.protocols, Protocol(revision=2))
    )
    monkeypatch.setattr(experiments, "all_experiments", lambda: [mended])
    assert len(queue.pending([ledger], "reduced")) == 3


def test_records_are_stamped(experiment, ledger, context):
    record = queue.run(queue.pending([ledger], "smoke")[:1], ledger, context).measured[0]
    assert record.commit == "abc" and record.torch and record.date and record.device
    assert record == ledger.records(NAME, "smoke")[0]


def test_budget_starts_only_what_fits(experiment, ledger, context):
    outcome = queue.run(queue.pending([ledger], "reduced"), ledger, context, budget=130.0)
    # A minute a run was declared, so that two of three fit at first; then ten seconds a run are known.
    assert [(r.arm, r.seed) for r in outcome.measured][:2] == [("base", 0), ("base", 1)]
    assert shape(outcome.left)[0] == ("base", [2])
    nothing = queue.run(queue.pending([ledger], "paper"), ledger, context, budget=5.0)
    assert nothing.measured == [] and len(nothing.left) == 3


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

    monkeypatch.setattr(
        experiments, "all_experiments", lambda: [dataclasses.replace(experiment, measure=slow)]
    )
    outcome = queue.run(queue.pending([ledger], "reduced")[:1], ledger, context, budget=500.0)
    assert outcome.failed == [] and shape(outcome.left) == [("base", [1, 2])]
    assert "out of time, continues from its checkpoint" in caplog.text
    assert pace._deadline.get() == math.inf


def test_records_of_every_ledger_tell_how_long_a_unit_takes(experiment, ledger, context, tmp_path):
    unit, out = queue.pending([ledger], "reduced")[0], Ledger(tmp_path / "out")
    queue.run([unit.part(unit.specs[:1])], ledger, context)
    rest = queue.pending([ledger], "reduced")[:1]
    assert queue.run(rest, out, context, budget=25.0).measured == []
    assert len(queue.run(rest, out, context, budget=25.0, known=[ledger]).measured) == 2


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


def test_arms_measured_together_are_one_unit_seed_by_seed(experiment, ledger, context, monkeypatch):
    joined = dataclasses.replace(experiment, together=(("base", "ours"),))
    monkeypatch.setattr(experiments, "all_experiments", lambda: [joined])
    first, second = queue.pending([ledger], "reduced")
    assert (first.title, second.title) == ("base + ours", "ablation")
    assert [(s.arm, s.seed) for s in first.specs[:3]] == [("base", 0), ("ours", 0), ("base", 1)]
    (mine,) = queue.only_arm([first, second], "ours")
    assert [(s.arm, s.seed) for s in mine.specs] == [("ours", 0), ("ours", 1), ("ours", 2)]
    queue.run([mine], ledger, context)
    assert shape(queue.pending([ledger], "reduced"))[0] == ("base", [0, 1, 2])
    assert queue.estimate(first, [ledger], context) == 10.0


def test_device_name_names_the_processor(context):
    assert "thread" in device_name(context.device) or context.device.type == "cuda"
