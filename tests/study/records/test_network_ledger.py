"""A line for each training: written, read, merged, and read on where a line is damaged."""

import dataclasses
import json
import math

import pytest

from lggkit.study.records.network_ledger import NetworkLedger, Training

DAMAGED = [b"garbage", b"[1]", b"{}", b"\xff\0", b"[" * 200_000, b'{"key": "x"}', b'{"key": NaN}']


def made(**changes):
    """A training's line, of no network in particular."""
    fields = {
        "key": "0123456789abcdef",
        "network": {"is": "Network"},
        "seed": 3,
        "steps": 12,
        "seconds": 2.5,
        "curves": {"train_loss": [2.0, 1.0]},
        "first_loss": 2.3,
        "last_loss": 1.0,
        "device": "a processor",
        "precision": "float32",
        "path": "cpu, float32",
    }
    return Training(**fields | changes)


@pytest.fixture
def ledger(tmp_path):
    return NetworkLedger(tmp_path / "results" / "networks.jsonl")


def test_a_training_is_told_in_full(context, tiny):
    (result,) = context.networks([(tiny, 2)])
    (line,) = context.trainings.lines()
    assert (line.key, line.seed, line.steps) == (tiny.key(2), 2, result.steps)
    assert line.network["architecture"] == {"is": "Architecture", "name": "small_net", "size": [["width", 2]]}
    assert line.network["images"] == {"is": "Images", "data": "digits", "held_out": 1200}
    assert line.curves == result.curves and line.last_loss == result.curves["train_loss"][-1]
    assert line.first_loss == result.first_loss and line.seconds == result.seconds > 0
    assert (line.device, line.precision) == (result.device, "float32")
    assert line.commit == "abc" and line.date and line.torch and line.diverged is None


def test_a_training_that_diverged_has_a_line_with_its_reason(context, wild):
    """Numbers that are not finite are null, for lines are strict JSON."""
    (result,) = context.networks([(wild, 0)])
    (line,) = context.trainings.lines()
    assert line.diverged == result.diverged and line.last_loss is None
    assert b"NaN" not in context.trainings.path.read_bytes()


def test_what_is_appended_is_read(ledger):
    first, second = made(), made(key="f" * 16, diverged="the loss was nan")
    for training in (first, second):
        ledger.append(training)
    assert ledger.lines() == [first, second]
    assert ledger.read() == {first.key: first, second.key: second}


def test_a_network_that_was_trained_twice_has_two_lines_and_the_last_one_counts(ledger):
    for seconds in (1.0, 2.0):
        ledger.append(made(seconds=seconds))
    assert [t.seconds for t in ledger.lines()] == [1.0, 2.0]
    assert [t.seconds for t in ledger.read().values()] == [2.0]


def test_no_file_is_no_training(ledger):
    assert ledger.lines() == [] and ledger.read() == {} and not ledger.path.exists()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null(ledger, value):
    ledger.append(made(curves={"train_loss": [1.0, value]}, last_loss=value))
    (line,) = ledger.lines()
    assert line.curves == {"train_loss": [1.0, None]} and line.last_loss is None


@pytest.mark.parametrize("damage", DAMAGED, ids=lambda damage: repr(damage[:12]))
def test_a_damaged_line_is_told_of_and_the_rest_is_read(ledger, caplog, damage):
    ledger.append(made())
    with open(ledger.path, "ab") as file:
        file.write(damage + b"\n")
    ledger.append(made(key="f" * 16))
    assert [t.key for t in ledger.lines()] == [made().key, "f" * 16]
    assert f"{ledger.path}, line 2 is no" in caplog.text and " training and was left out" in caplog.text


def test_a_line_that_was_cut_by_a_kill_costs_no_other(ledger):
    ledger.append(made())
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole + whole[:-30])
    ledger.append(made(key="f" * 16))
    assert [t.key for t in ledger.lines()] == [made().key, "f" * 16]


def test_lines_of_other_folders_are_taken_over_once(ledger, tmp_path):
    other = NetworkLedger(tmp_path / "other.jsonl")
    shared, theirs, ours = made(), made(key="f" * 16), made(key="0" * 16)
    for where, training in ((ledger, ours), (ledger, shared), (other, shared), (other, theirs)):
        where.append(training)
    for _ in range(2):
        ledger.merge(other)
    assert ledger.lines() == [ours, shared, theirs] and other.lines() == [shared, theirs]
    ledger.merge(NetworkLedger(tmp_path / "nowhere.jsonl"))
    assert len(ledger.lines()) == 3


@pytest.mark.parametrize(
    "changes", [{"key": "short"}, {"key": 3}, {"seconds": "long"}, {"seconds": math.inf}]
)
def test_a_line_whose_values_are_none_is_no_training(changes):
    fields = dataclasses.asdict(made()) | changes
    with pytest.raises(ValueError):
        Training.from_json(json.dumps(fields).encode())
