"""Several processes that need the same network: one trains it, the others wait for it."""

import multiprocessing
import os
import time

import pytest
import torch

from lggkit import experiments
from lggkit.experiments import Arm, Experiment
from lggkit.record import Protocol
from lggkit.study.context import StudyContext
from lggkit.study.turns import Turn, turns
from lggkit.training import TrainResult, pace, read_checkpoint, write_checkpoint
from lggkit.training.pace import OutOfTime

NAME = "lgg/s00_toy"
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


def toy(log):
    """An experiment whose network is one weight; a training appends a line to the log and takes its time."""

    def train(specs, context):
        with open(log, "a") as file:
            file.write(f"{os.getpid()} {' '.join(str(spec.seed) for spec in specs)}\n")
        time.sleep(0.5)
        models = [torch.nn.Linear(1, 1, bias=False) for _ in specs]
        for spec, model in zip(specs, models, strict=True):
            torch.nn.init.constant_(model.weight, spec.seed + 1)
        return [TrainResult(model, {"train_loss": [1.0]}, None, 2.0, "cpu", 3) for model in models]

    return Experiment(
        name=NAME,
        title="toy",
        protocols=dict.fromkeys(("smoke", "reduced", "paper"), Protocol()),
        arms=(Arm("base", "b"),),
        seeds={"smoke": 3, "reduced": 3, "paper": 5},
        measure=lambda specs, context: iter(()),
        build=lambda spec, context: torch.nn.Linear(1, 1, bias=False),
        train=train,
    )


@pytest.fixture
def log(tmp_path, monkeypatch):
    experiment = toy(tmp_path / "log")
    monkeypatch.setattr(experiments, "get", lambda name: experiment)
    return tmp_path / "log"


def ask(folder, seeds):
    context = StudyContext(weights=folder, commit="abc", device=torch.device("cpu"))
    found = context.trainings([experiments.get(NAME).spec("base", "smoke", seed) for seed in seeds])
    assert [result.model.weight.item() for result in found] == [seed + 1 for seed in seeds]


def test_processes_that_need_the_same_network_train_it_once(log, tmp_path):
    assert processes(*[(ask, tmp_path / "weights", [0])] * 3) == [0, 0, 0]
    assert len(log.read_text().splitlines()) == 1
    assert sorted(p.suffix for p in (tmp_path / "weights").iterdir()) == [".json", ".pt"]


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
