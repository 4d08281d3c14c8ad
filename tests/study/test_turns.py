"""Several processes that need the same network: one trains it, the others wait for it."""

import multiprocessing
import os
import time

import pytest
import torch

from lggkit.study import context
from lggkit.study.turns import Turn, turns
from lggkit.training import pace, read_checkpoint, write_checkpoint
from lggkit.training.pace import OutOfTime
from tests.study.toys import TOY, fake_training, value_of

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


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Where each training writes its process and seeds; it takes its time."""
    file = tmp_path / "log"

    def note(seeds):
        with open(file, "a") as lines:
            lines.write(f"{os.getpid()} {' '.join(map(str, seeds))}\n")
        time.sleep(0.5)

    monkeypatch.setattr(context, "train_networks", fake_training(note))
    return file


def ask(folder, seeds):
    study = context.StudyContext(weights=folder, commit="abc", device=torch.device("cpu"))
    found = study.networks([(TOY, seed) for seed in seeds])
    assert [value_of(result) for result in found] == [seed + 1 for seed in seeds]


def test_processes_that_need_the_same_network_train_it_once(log, tmp_path):
    assert processes(*[(ask, tmp_path / "weights", [0])] * 3) == [0, 0, 0]
    assert len(log.read_text().splitlines()) == 1
    assert [p.name for p in (tmp_path / "weights").iterdir()] == [f"{TOY.key(0)}.pt"]


def test_overlapping_wishes_in_any_order_are_met_without_training_twice(log, tmp_path):
    wishes = [[0, 1], [1, 2], [2, 0], [2, 1, 0]]
    assert processes(*[(ask, tmp_path / "weights", seeds) for seeds in wishes]) == [0] * 4
    trained = [seed for line in log.read_text().splitlines() for seed in line.split()[1:]]
    assert sorted(trained) == ["0", "1", "2"]


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
