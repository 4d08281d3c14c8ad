"""Several processes that need the same network: one trains it, the others wait for it."""

import dataclasses
import multiprocessing
import os
import time

import pytest
import torch

from lggkit.study.records.network_ledger import NetworkLedger
from lggkit.study.running.context import StudyContext
from lggkit.study.running.turns import Turn, turns
from lggkit.training import pace, read_checkpoint, write_checkpoint
from lggkit.training.pace import OutOfTime

KEY = "0123456789abcdef"
FORK = multiprocessing.get_context("fork")


def processes(*works):
    """Runs them at once; their exit codes."""
    started = [FORK.Process(target=work, args=arguments) for work, *arguments in works]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    return [process.exitcode for process in started]


def ask(folder, description, seeds):
    """Networks of one description, wished for at once; each process writes its trainings in a file."""
    # The threads of a forked process are its parent's alone: whoever asks for several waits for ever.
    torch.set_num_threads(1)
    trainings = NetworkLedger(folder / "trainings" / f"{os.getpid()}.jsonl")
    context = StudyContext(weights=folder / "weights", trainings=trainings, device=torch.device("cpu"))
    results = context.networks([(description, seed) for seed in seeds])
    assert [result.key for result in results] == [description.key(seed) for seed in seeds]


def seeds_trained(folder):
    files = (folder / "trainings").glob("*.jsonl")
    return sorted(training.seed for file in files for training in NetworkLedger(file).lines())


def test_processes_that_need_the_same_network_train_it_once(tiny, tmp_path):
    assert processes(*[(ask, tmp_path, tiny, [0])] * 3) == [0, 0, 0]
    assert seeds_trained(tmp_path) == [0]
    assert [p.name for p in (tmp_path / "weights").iterdir() if p.is_file()] == [f"{tiny.key(0)}.pt"]


def test_overlapping_wishes_in_any_order_are_met_without_training_twice(tiny, tmp_path):
    wishes = [[0, 1], [1, 2], [2, 0], [2, 1, 0]]
    assert processes(*[(ask, tmp_path, tiny, seeds) for seeds in wishes]) == [0] * 4
    assert seeds_trained(tmp_path) == [0, 1, 2]


def test_processes_that_need_each_others_starts_do_not_wait_for_each_other(tiny, tmp_path):
    """One wishes for what the other's network begins with, and the other way round."""
    tuned = dataclasses.replace(tiny, start=tiny)
    works = [
        (ask, tmp_path, description, seeds) for description in (tiny, tuned) for seeds in ([0, 1], [1, 0])
    ]
    assert processes(*works) == [0] * 4
    assert seeds_trained(tmp_path) == [0, 0, 1, 1]


def test_a_turn_is_lost_with_its_process(tmp_path):
    def die():
        assert Turn(tmp_path, KEY).take()
        os._exit(9)

    assert processes((die,)) == [9]
    turn = Turn(tmp_path, KEY)
    assert turn.take()
    turn.give()
    assert list(tmp_path.iterdir()) == []


def test_who_waits_says_for_whom_and_stops_when_the_budget_is_spent(tmp_path, caplog):
    holder = Turn(tmp_path, KEY)
    assert holder.take()
    said = f"waiting for process {os.getpid()} on .* to train network {KEY}"
    with pytest.raises(OutOfTime, match=said), pace.until(time.monotonic() + 0.3), turns(tmp_path, [KEY]):
        pass
    assert f"waiting for process {os.getpid()}" in caplog.text and KEY in caplog.text
    with turns(tmp_path, [KEY, "f" * 16]) as mine:
        assert mine == ["f" * 16], "what is free is taken, nothing is waited for"
    holder.give()
    with turns(tmp_path, [KEY]) as mine:
        assert mine == [KEY]


def test_a_training_that_fails_gives_its_turn_back(tmp_path):
    with pytest.raises(ZeroDivisionError), turns(tmp_path, [KEY]):
        raise ZeroDivisionError
    assert Turn(tmp_path, KEY).take()


def write_often(file, value):
    for _ in range(40):
        write_checkpoint(file, {"step": value, "model": torch.full((2000,), float(value))})


def read_often(file):
    for _ in range(150):
        state = read_checkpoint(file)
        assert state["model"].eq(float(state["step"])).all()


def test_writers_of_one_checkpoint_never_show_a_damaged_one(tmp_path):
    file = tmp_path / "run.pt"
    write_often(file, 0)
    works = [(write_often, file, 1), (write_often, file, 2), (read_often, file), (read_often, file)]
    assert processes(*works) == [0] * 4
    assert os.listdir(tmp_path) == ["run.pt"]
