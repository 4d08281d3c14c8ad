"""``study run --workers``: real processes at one queue, and what signals do to them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lggkit.study.records.ledger import Ledger
from lggkit.study.running.stopping import worker_count

ROOT = Path(__file__).resolve().parents[3]
NAME = "toys/s00_toy"
TOY = """
import os, pathlib, time
from lggkit.experiments.base import Arm, Experiment
from lggkit.protocol import Protocol
from lggkit.training.pace import OutOfTime, time_is_up

FOLDER, MODE = pathlib.Path(os.environ["TOY_FOLDER"]), os.environ["TOY_MODE"]


def meet(count):
    (FOLDER / f"at-{os.getpid()}").touch()
    end = time.monotonic() + 120
    while len(list(FOLDER.glob("at-*"))) < count and time.monotonic() < end:
        time.sleep(0.02)


def measure(specs, context):
    (FOLDER / f"begun-{specs[0].seed}-{os.getpid()}").touch()
    meet(2)
    if MODE == "kill" and specs[0].seed == 1:
        try:
            (FOLDER / "killed").touch(exist_ok=False)
            os.kill(os.getpid(), 9)
        except FileExistsError:
            pass
    while MODE == "train":
        time.sleep(0.02)
        if time_is_up(()):
            raise OutOfTime("out of time, continues from its checkpoint")
    for spec in specs:
        if MODE == "fail" and spec.seed == 2:
            raise ValueError("no such thing")
        yield context.record(spec, {"pid": os.getpid(), "threads": int(os.environ["OMP_NUM_THREADS"])})


EXPERIMENT = Experiment(
    name="toys/s00_toy", title="toy", protocols=dict.fromkeys(("smoke", "short"), Protocol()),
    arms=(Arm("base", "b"), Arm("ours", "o")), seeds={"smoke": 1, "short": 4}, measure=measure,
    together=(("base", "ours"),), minutes={"smoke": 0.1, "short": 0.1},
)
"""


@pytest.fixture(scope="module")
def bytecode(tmp_path_factory):
    """Where the many processes share what is compiled, also where Python is told to write none of it."""
    return {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("bytecode")), "PYTHONDONTWRITEBYTECODE": ""}


@pytest.fixture
def study(tmp_path, bytecode):
    """Starts ``study run`` in a checkout of its own, where there is one experiment more."""
    section = tmp_path / "more" / "toys" / "s00_toy.py"
    section.parent.mkdir(parents=True)
    section.write_text(TOY), section.with_name("__init__.py").touch()
    site = tmp_path / "site" / "sitecustomize.py"
    site.parent.mkdir(), (tmp_path / "root" / "data" / "paper").mkdir(parents=True)
    # What runs in the background of a shell has SIGINT ignored, and so would all that it starts.
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    added = f"import lggkit.experiments as e\ne.__path__.append({str(tmp_path / 'more')!r})\n"
    site.write_text(heard + added)
    (tmp_path / "seen").mkdir()

    def start(mode, *arguments):
        env = (
            os.environ
            | bytecode
            | {
                "TOY_MODE": mode,
                "TOY_FOLDER": str(tmp_path / "seen"),
                "CUDA_VISIBLE_DEVICES": "",
            }
        )
        env |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{site.parent}", "LGGKIT_ROOT": str(tmp_path / "root")}
        asked = ["--scale", "short", "--experiment", NAME, "--commit", "abc", *arguments]
        command = [sys.executable, "-m", "lggkit", "study", "run", *asked]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def results(tmp_path):
    return Ledger(tmp_path / "root" / "data" / "results")


def left_behind(tmp_path):
    return [p.name for p in (tmp_path / "root" / "_build" / "weights").glob(".*") if p.is_file()]


def runs(results):
    return sorted((record.arm, record.seed) for record in results.records(NAME, "short"))


EVERY = sorted((arm, seed) for arm in ("base", "ours") for seed in range(4))


def test_two_workers_share_the_queue_and_measure_every_run_once(study, results, tmp_path):
    told, errors = (process := study("measure", "--workers", "2")).communicate(timeout=300)
    assert process.returncode == 0, errors
    assert told == "8 records written; 0 runs left\n"
    assert runs(results) == EVERY and len(results.files()[0].read_text().splitlines()) == 8
    assert len(list((tmp_path / "seen").glob("begun-*"))) == 4, "each unit was begun once"
    records = results.records(NAME, "short")
    assert len({record.metrics["pid"] for record in records}) == 2, "both took some"
    assert {record.metrics["threads"] for record in records} == {1}
    assert left_behind(tmp_path) == []


def test_a_worker_that_is_killed_leaves_its_unit_to_the_other(study, results, tmp_path):
    told, errors = (process := study("kill", "--workers", "2")).communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGKILL, errors
    assert runs(results) == EVERY and told == "8 records written; 0 runs left\n"
    assert left_behind(tmp_path) == []


def test_a_unit_that_fails_is_named_and_the_others_are_measured(study, results):
    told, errors = (process := study("fail", "--workers", "2")).communicate(timeout=300)
    assert process.returncode == 1 and told == "6 records written; 2 runs left\n"
    assert f"not measured: {NAME}, base + ours, seed 2: ValueError: no such thing" in errors
    assert runs(results) == [run for run in EVERY if run[1] != 2]


@pytest.mark.parametrize(("workers", "number"), [("2", signal.SIGTERM), ("1", signal.SIGINT)])
def test_a_signal_stops_all_of_them_at_their_checkpoints(study, results, tmp_path, workers, number):
    seen = tmp_path / "seen"
    for index in range(3 - int(workers)):
        (seen / f"at-{index}").touch()
    process = study("train", "--workers", workers)
    end = time.monotonic() + 200
    while len(list(seen.glob("begun-*"))) < int(workers) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    told, errors = process.communicate(timeout=200)
    assert process.returncode == 128 + number, errors
    assert told == "0 records written; 8 runs left\n" and "Traceback" not in errors
    assert errors.count("out of time, continues from its checkpoint") == int(workers)
    for begun in seen.glob("begun-*"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(begun.name.rpartition("-")[2]), 0)
    assert results.files() == [] and left_behind(tmp_path) == []


@pytest.mark.parametrize("text", ["", "0", "-1", "2.0", "a", "65", "9" * 5000, "²"])
def test_workers_are_a_number_from_one_on(text):
    with pytest.raises(ValueError, match="write a number of processes from 1 to 64"):
        worker_count(text)
