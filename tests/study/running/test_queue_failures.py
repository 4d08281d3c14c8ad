"""What a run through the queue does when something fails: memory, data, a kill."""

import dataclasses
import gc
import hashlib
import weakref

import numpy as np
import pytest
import torch

from lggkit import experiments
from lggkit.data import DATASETS
from lggkit.data.catalog import Entry
from lggkit.data.download import Archive, OnDisk
from lggkit.data.files import File
from lggkit.experiments import Arm
from lggkit.study.records.ledger import Ledger
from lggkit.study.running import queue
from lggkit.study.running.context import StudyContext
from lggkit.training import OutOfMemory

NAME = "lgg/s00_toy"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


@pytest.fixture
def context(tmp_path):
    return StudyContext(commit="abc", weights=tmp_path / "weights")


def pending(ledger):
    units = queue.pending([ledger], "reduced")
    return [(unit.title, [spec.seed for spec in unit.specs]) for unit in units]


FAILURES = [
    (RuntimeError("no data\nlong tail"), "no data"),
    (OSError("no data"), "no data"),
    (RuntimeError(), "RuntimeError"),
    (ModuleNotFoundError("No module named 'foolbox'"), "ModuleNotFoundError: No module named 'foolbox'"),
    (ValueError("Input X contains NaN.\nlong tail"), "ValueError: Input X contains NaN."),
    (AssertionError(), "AssertionError"),
]


@pytest.mark.parametrize(("error", "told"), FAILURES)
def test_a_failing_unit_is_named_and_the_queue_goes_on(experiment, ledger, context, monkeypatch, error, told):
    def failing(specs, context):
        if specs[0].arm == "base":
            raise error
        yield from experiment.measure(specs, context)

    broken = dataclasses.replace(experiment, measure=failing)
    monkeypatch.setattr(experiments, "all_experiments", lambda: [broken])
    outcome = queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert outcome.failed == [f"{NAME}, base, seed {seed}: {told}" for seed in range(3)]
    assert {r.arm for r in outcome.measured} == {"ours", "ablation"} and len(outcome.measured) == 5
    assert pending(ledger) == [("base", [0]), ("base", [1]), ("base", [2])]


CPU = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
)
LACKS = [
    RuntimeError(CPU + "allocate 2040109465 bytes. Error code 12 (Cannot allocate memory)"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.90 GiB. GPU 0 has a total of 80 GiB"),
    OutOfMemory("out of memory (1.9 GiB more were asked for) on cpu: train fewer together"),
    MemoryError(),
]


def roomy_for(experiment, monkeypatch, error, together, records_first=0, lacking=range(5)):
    """Five arms that are measured together, with room for so many at a time; what was tried."""
    tried = []

    def limited(specs, context):
        tried.append([int(spec.arm) for spec in specs])
        if len(specs) > together and tried[-1][0] in lacking:
            yield from experiment.measure(specs[:records_first], context)
            raise error
        yield from experiment.measure(specs, context)

    arms = tuple(Arm(str(index), "a") for index in range(5))
    group = (tuple(arm.name for arm in arms),)
    one = dict.fromkeys(("smoke", "reduced", "paper"), 1)
    small = dataclasses.replace(experiment, measure=limited, seeds=one, arms=arms, together=group)
    monkeypatch.setattr(experiments, "all_experiments", lambda: [small])
    monkeypatch.setattr(experiments, "get", lambda name: small)
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
    assert outcome.failed == [] and [int(r.arm) for r in ledger.records(NAME, "reduced")] == [0, 1, 2, 3, 4]
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


def test_what_does_not_fit_alone_is_named_and_the_rest_is_measured(experiment, ledger, context, monkeypatch):
    roomy_for(experiment, monkeypatch, LACKS[0], together=0, lacking=(0, 2))
    outcome = queue.run(queue.pending([ledger], "reduced"), ledger, context)
    told = "out of memory (1.9 GiB more were asked for)"
    assert outcome.failed == [f"{NAME}, {arm}, seed 0: {told}" for arm in (0, 2)]
    assert [r.arm for r in outcome.measured] == ["1", "3", "4"]
    assert pending(ledger) == [("0 + 2", [0, 0])]


def test_a_broken_allocator_does_not_stop_the_queue(experiment, ledger, context, monkeypatch):
    def broken():
        raise RuntimeError("captures_underway.empty() INTERNAL ASSERT FAILED")

    tried = roomy_for(experiment, monkeypatch, MemoryError(), together=2)
    units = queue.pending([ledger], "reduced")[:1]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", broken)
    outcome = queue.run(units, ledger, context)
    assert outcome.failed == [] and tried == [[0, 1, 2, 3, 4], [0, 1], [2, 3], [4]]


def test_memory_of_the_failed_try_is_free_before_the_next(experiment, ledger, context, monkeypatch):
    failed = []

    def hungry(specs, context):
        if len(specs) > 1:
            tensor = torch.zeros(3)
            failed.append(weakref.ref(tensor))
            cycle = [tensor]
            cycle.append(cycle)
            raise MemoryError
        assert [reference() for reference in failed] == [None]
        yield from experiment.measure(specs, context)

    hungry = dataclasses.replace(experiment, measure=hungry, together=(("base", "ours"),))
    monkeypatch.setattr(experiments, "all_experiments", lambda: [hungry])
    gc.disable()
    try:
        outcome = queue.run(queue.pending([ledger], "reduced")[:1], ledger, context)
    finally:
        gc.enable()
    assert outcome.failed == [] and len(outcome.measured) == 2


def test_an_unplugged_data_folder_records_nothing_and_the_next_run_continues(
    experiment, ledger, context, monkeypatch, tmp_path
):
    drive, content = tmp_path / "drive", bytes(range(64))
    read = OnDisk(
        "tiny",
        (File("train", hashlib.md5(content).hexdigest()),),
        (),
        (Archive(("http://127.0.0.1:9/train",), "", ("train",)),),
        lambda contents: (
            np.frombuffer(next(iter(contents)), np.uint8).reshape(1, 1, 8, 8),
            np.zeros(1, int),
        ),
    )
    monkeypatch.setitem(DATASETS, "tiny", Entry(("a",), read))
    monkeypatch.setenv("LGGKIT_DATA", str(drive))

    def reading(specs, context):
        if specs[0].arm != "ours":
            assert context.data("tiny").images.sum() == sum(content)
        yield from experiment.measure(specs, context)

    loading = dataclasses.replace(experiment, measure=reading)
    monkeypatch.setattr(experiments, "all_experiments", lambda: [loading])
    outcome = queue.run(queue.pending([ledger], "reduced"), ledger, context)
    said = f"{drive}, the folder that LGGKIT_DATA names, is not there: plug it in or make it, or set "
    places = [("base", 0), ("base", 1), ("base", 2), ("ablation", 0), ("ablation", 1)]
    for (arm, seed), line in zip(places, outcome.failed, strict=True):
        assert line.startswith(f"{NAME}, {arm}, seed {seed}: {said}") and "\n" not in line
    assert {r.arm for r in outcome.measured} == {"ours"} and not drive.exists()
    drive.mkdir()
    (drive / "train").write_bytes(content)
    again = queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert again.failed == [] and {r.arm for r in again.measured} == {"base", "ablation"}
    assert queue.pending([ledger], "reduced") == []


def test_a_killed_run_keeps_what_it_recorded(experiment, ledger, context, monkeypatch):
    def killed(specs, context):
        yield from experiment.measure(specs[:1], context)
        raise KeyboardInterrupt

    joined = dataclasses.replace(experiment, measure=killed, together=(("base", "ours"),))
    monkeypatch.setattr(experiments, "all_experiments", lambda: [joined])
    with pytest.raises(KeyboardInterrupt):
        queue.run(queue.pending([ledger], "reduced"), ledger, context)
    assert pending(ledger)[0] == ("ours", [0])
    assert [p.name for p in context.weights.iterdir() if p.is_file()] == []
