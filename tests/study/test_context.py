import dataclasses

import pytest
import torch

from lggkit.study import context as module
from lggkit.study.context import StudyContext
from tests.study.toys import DIVERGING, TOY, fake_training, value_of


@pytest.fixture
def calls(monkeypatch):
    """Which seeds were trained together, call by call."""
    made = []
    monkeypatch.setattr(module, "train_networks", fake_training(made.append))
    return made


@pytest.fixture
def context(tmp_path):
    return StudyContext(weights=tmp_path, commit="abc")


def wanted(*seeds):
    return [(TOY, seed) for seed in seeds]


def file_of(context, seed=4):
    return context.weights / f"{TOY.key(seed)}.pt"


def test_missing_networks_are_trained_together_and_kept(calls, context):
    results = context.networks(wanted(0, 1))
    assert calls == [[0, 1]] and list(map(value_of, results)) == [1.0, 2.0]
    again = context.networks(wanted(2, 1, 0))
    assert calls == [[0, 1], [2]] and list(map(value_of, again)) == [3.0, 2.0, 1.0]
    assert dataclasses.replace(again[1], model=None) == dataclasses.replace(results[1], model=None)


def test_a_network_is_found_again_by_another_process(calls, context, tmp_path):
    context.network(TOY, 4)
    other = StudyContext(weights=tmp_path, commit="abc")
    assert value_of(other.networks(wanted(4))[0]) == 5.0 and calls == [[4]]


def test_asked_for_twice_it_is_trained_once(calls, context):
    first, second = context.networks(wanted(3, 3))
    assert calls == [[3]] and first.model is second.model


def test_a_diverged_network_is_told_and_not_kept(calls, context):
    assert context.networks(wanted(DIVERGING))[0].diverged == "the loss was nan"
    assert not file_of(context, DIVERGING).exists()
    context.networks(wanted(DIVERGING))
    assert calls == [[DIVERGING], [DIVERGING]]


def test_data_is_loaded_once(context):
    first = context.data("digits")
    assert context.data("digits") is first and context.data("digits", train=False) is not first


DAMAGE = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:-40],
    "altered": lambda content: content[:-400] + bytes(400),
    "of another kind": lambda content: b"weights",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_set_aside_named_and_the_network_trained_again(calls, context, caplog, damage):
    context.network(TOY, 4)
    file = file_of(context)
    file.write_bytes(damage(file.read_bytes()))
    assert value_of(context.networks(wanted(4))[0]) == 5.0 and calls == [[4], [4]]
    assert str(file) in caplog.text and f"{file.name}.damaged" in caplog.text
    assert file.with_name(f"{file.name}.damaged").exists()
    context.network(TOY, 4)
    assert calls == [[4], [4]]


def test_a_folder_in_place_of_a_file_is_set_aside(calls, context):
    (file_of(context) / "x").mkdir(parents=True)
    assert value_of(context.networks(wanted(4))[0]) == 5.0
    assert (file_of(context).with_suffix(".pt.damaged") / "x").exists()
    context.network(TOY, 4)
    assert calls == [[4]]


def test_drafts_of_killed_writers_are_removed(calls, context):
    draft = f".{file_of(context).name}.1.ab.draft"
    context.checkpoints.mkdir()
    for folder in (context.weights, context.checkpoints):
        (folder / draft).write_bytes(b"half")
    context.network(TOY, 4)
    assert not list(context.weights.rglob("*.draft"))


def test_lack_of_memory_is_no_damage(calls, context, monkeypatch):
    context.network(TOY, 4)
    said = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
    for error in (MemoryError(), said):

        def short(*_, error=error, **__):
            raise error

        monkeypatch.setattr(torch, "load", short)
        with pytest.raises(type(error)):
            context.network(TOY, 4)
    assert not list(context.weights.glob("*.damaged"))


def test_a_commit_that_no_record_can_hold_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match="commit is"):
        StudyContext(weights=tmp_path, commit="\udcff")
