import dataclasses
import gc
import weakref

import pytest
import torch

from lggkit import experiments
from lggkit.experiments import Arm, Experiment
from lggkit.record import Protocol
from lggkit.study import queue
from lggkit.study.context import StudyContext, device_name
from lggkit.study.ledger import Ledger
from lggkit.training import OutOfMemory

NAME = "lgg/s00_toy"


def measure(specs, context):
    for spec in specs:
        yield context.record(spec, {"error": float(spec.seed)}, seconds=10.0)


@pytest.fixture
def experiment(monkeypatch):
    """A toy experiment, alone in the registry: an ablation written before two table arms."""
    toy = Experiment(
        name=NAME,
        title="toy",
        protocols=dict.fromkeys(("smoke", "reduced", "paper"), Protocol()),
        arms=(Arm("ablation", "a", table=False), Arm("base", "b"), Arm("ours", "c")),
        seeds={"smoke": 1, "reduced": 3, "paper": 5},
        measure=measure,
        minutes={"smoke": 0.1, "reduced": 1.0, "paper": 1.0},
    )
    monkeypatch.setattr(experiments, "all_experiments", lambda: [toy])
    monkeypatch.setattr(experiments, "get", lambda name: toy)
    return toy


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
    assert queue.estimate(unit, ledger, context) == 60.0
    queue.run([unit], ledger, context)
    assert queue.estimate(unit, ledger, context) == 10.0


@pytest.mark.parametrize("error", [RuntimeError("no data\nlong tail"), OSError("no data"), RuntimeError()])
def test_a_failing_unit_is_named_and_the_queue_goes_on(experiment, ledger, context, monkeypatch, error):
    def failing(specs, context):
        if specs[0].arm == "base":
            yield from measure(specs[:1], context)
            raise error
        yield from measure(specs, context)

    broken = dataclasses.replace(experiment, measure=failing)
    monkeypatch.setattr(experiments, "all_experiments", lambda: [broken])
    outcome = queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert len(outcome.failed) == 1 and "long tail" not in outcome.failed[0]
    assert [(r.arm, r.seed) for r in outcome.measured[:2]] == [("base", 0), ("ours", 0)]
    assert shape(queue.pending([ledger], "reduced")) == [("base", [1, 2])]


CPU = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
)
LACKS = [
    RuntimeError(CPU + "allocate 2040109465 bytes. Error code 12 (Cannot allocate memory)"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.90 GiB. GPU 0 has a total of 80 GiB"),
    OutOfMemory("out of memory (1.9 GiB more were asked for) on cpu: train fewer together"),
    MemoryError(),
]


def roomy_for(experiment, monkeypatch, error, together, records_first=0, arms=("base", "ours", "ablation")):
    """The experiment with room for so many runs of these arms at a time; the sizes that were tried."""
    tried = []

    def limited(specs, context):
        tried.append([spec.seed for spec in specs])
        if specs[0].arm in arms and len(specs) > together:
            yield from measure(specs[:records_first], context)
            raise error
        yield from measure(specs, context)

    small = dataclasses.replace(experiment, measure=limited, seeds={"smoke": 1, "reduced": 5, "paper": 5})
    monkeypatch.setattr(experiments, "all_experiments", lambda: [small])
    return tried


@pytest.mark.parametrize("error", LACKS)
def test_a_unit_without_memory_is_tried_with_half_as_many(
    experiment, ledger, context, monkeypatch, caplog, error
):
    tried = roomy_for(experiment, monkeypatch, error, together=1)
    units = queue.pending([ledger], "reduced", None)[:1]
    with caplog.at_level("INFO", "lggkit.study"):
        outcome = queue.run(units, ledger, context)
    assert tried == [[0, 1, 2, 3, 4], [0, 1], [0], [1], [2], [3], [4]]
    assert outcome.failed == [] and [r.seed for r in ledger.records(NAME, "reduced")] == [0, 1, 2, 3, 4]
    warned = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == 2 and warned[0].startswith("  out of memory")
    assert warned[0].endswith("; going on with 2 at a time") and "alloc_cpu" not in warned[0]


def test_what_was_recorded_before_memory_ran_out_is_not_measured_again(
    experiment, ledger, context, monkeypatch
):
    tried = roomy_for(experiment, monkeypatch, MemoryError(), together=2, records_first=1)
    outcome = queue.run(queue.pending([ledger], "reduced")[:1], ledger, context)
    assert tried == [[0, 1, 2, 3, 4], [1, 2], [3, 4]]
    assert outcome.failed == [] and len(outcome.measured) == 5


def test_what_does_not_fit_alone_is_named_and_the_rest_is_measured(
    experiment, ledger, context, monkeypatch, caplog
):
    roomy_for(experiment, monkeypatch, LACKS[0], together=0, arms=("base",))
    outcome = queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert outcome.failed == [f"{NAME}, base: out of memory (1.9 GiB more were asked for)"] * 5
    assert {r.arm for r in outcome.measured} == {"ours", "ablation"} and len(outcome.measured) == 7
    assert shape(queue.pending([ledger], "reduced")) == [("base", [0, 1, 2, 3, 4])]


def test_memory_of_the_failed_try_is_free_before_the_next(experiment, ledger, context, monkeypatch):
    failed = []

    def hungry(specs, context):
        if len(specs) > 1:
            held = torch.zeros(3)
            failed.append(weakref.ref(held))
            cycle = [held]
            cycle.append(cycle)
            raise MemoryError
        assert [reference() for reference in failed] == [None]
        yield from measure(specs, context)

    hungry = dataclasses.replace(experiment, measure=hungry)
    monkeypatch.setattr(experiments, "all_experiments", lambda: [hungry])
    gc.disable()
    try:
        outcome = queue.run(queue.pending([ledger], "reduced")[:1], ledger, context)
    finally:
        gc.enable()
    assert outcome.failed == [] and len(outcome.measured) == 3


def test_a_killed_run_keeps_what_it_recorded(experiment, ledger, context, monkeypatch):
    def killed(specs, context):
        yield from measure(specs[:2], context)
        raise KeyboardInterrupt

    monkeypatch.setattr(
        experiments, "all_experiments", lambda: [dataclasses.replace(experiment, measure=killed)]
    )
    with pytest.raises(KeyboardInterrupt):
        queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert shape(queue.pending([ledger], "reduced"))[0] == ("base", [2])


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
    assert queue.estimate(first, ledger, context) == 10.0


def test_device_name_names_the_processor(context):
    assert "thread" in device_name(context.device) or context.device.type == "cuda"
