import dataclasses

import pytest
import torch

from lggkit import experiments
from lggkit.experiments import Arm, Experiment
from lggkit.record import Protocol
from lggkit.study.context import StudyContext
from lggkit.training import TrainResult

NAME = "lgg/s00_toy"


@pytest.fixture
def calls(monkeypatch):
    """A toy experiment whose network is one weight, its seed once trained; what was trained together."""
    made = []

    def train(specs, context):
        made.append([spec.seed for spec in specs])
        results = []
        for spec in specs:
            model = toy.build(spec, context)
            with torch.no_grad():
                model.weight.fill_(spec.seed)
            lost = "the loss was nan" if spec.seed == 9 else None
            results.append(TrainResult(model, {"train_loss": [1.0]}, lost, 2.0, "cpu", 3))
        return results

    toy = Experiment(
        name=NAME,
        title="toy",
        protocols=dict.fromkeys(("smoke", "reduced", "paper"), Protocol()),
        arms=(Arm("base", "b"),),
        seeds={"smoke": 1, "reduced": 3, "paper": 5},
        measure=lambda specs, context: iter(()),
        build=lambda spec, context: torch.nn.Linear(1, 1, bias=False),
        train=train,
    )
    monkeypatch.setattr(experiments, "get", lambda name: toy)
    return made


@pytest.fixture
def context(tmp_path):
    return StudyContext(weights=tmp_path, commit="abc")


def specs(*seeds):
    return [experiments.get(NAME).spec("base", "smoke", seed) for seed in seeds]


def test_missing_networks_are_trained_together_and_kept(calls, context):
    results = context.trainings(specs(0, 1))
    assert calls == [[0, 1]] and [r.model.weight.item() for r in results] == [0.0, 1.0]
    again = context.trainings(specs(2, 1, 0))
    assert calls == [[0, 1], [2]]
    assert [r.model.weight.item() for r in again] == [2.0, 1.0, 0.0]
    assert dataclasses.replace(again[1], model=None) == dataclasses.replace(results[1], model=None)


def test_a_network_is_found_again_by_another_process(calls, context, tmp_path):
    context.trained(specs(4)[0])
    other = StudyContext(weights=tmp_path, commit="abc")
    assert other.trained(specs(4)[0]).weight.item() == 4.0 and calls == [[4]]


def test_asked_for_twice_it_is_trained_once(calls, context):
    first, second = context.trainings(specs(3, 3))
    assert calls == [[3]] and first.model is second.model


def test_a_diverged_network_is_told_and_not_kept(calls, context, tmp_path):
    assert context.trainings(specs(9))[0].diverged == "the loss was nan"
    assert list(tmp_path.iterdir()) == []
    context.trainings(specs(9))
    assert calls == [[9], [9]]


def test_weights_without_their_history_are_trained_anew(calls, context, tmp_path):
    context.trained(specs(5)[0])
    next(tmp_path.glob("*.json")).unlink()
    context.trained(specs(5)[0])
    assert calls == [[5], [5]]


def test_data_is_loaded_once(context, monkeypatch):
    first = context.data("digits")
    assert context.data("digits") is first and context.data("digits", train=False) is not first


DAMAGE = {
    "weights empty": ("pt", lambda content: b""),
    "weights cut": ("pt", lambda content: content[:-40]),
    "history empty": ("json", lambda content: b""),
    "history cut": ("json", lambda content: content[:20]),
    "history deep": ("json", lambda content: b"[" * 200_000),
    "history of another kind": ("json", lambda content: b"[]"),
    "history lacks a field": ("json", lambda content: b'{"curves": {}}'),
    "curves null": ("json", lambda content: content.replace(b'{"train_loss": [1.0]}', b"null")),
    "a curve of text": ("json", lambda content: content.replace(b"[1.0]", b'["x"]')),
}


@pytest.mark.parametrize(("end", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_set_aside_named_and_the_network_trained_again(
    calls, context, tmp_path, caplog, end, damage
):
    (spec,) = specs(4)
    context.trained(spec)
    file = tmp_path / f"{spec.key}.{end}"
    file.write_bytes(damage(file.read_bytes()))
    assert context.trained(spec).weight.item() == 4.0 and calls == [[4], [4]]
    assert str(file) in caplog.text and f"{file.name}.damaged" in caplog.text
    assert file.with_name(f"{file.name}.damaged").exists()
    context.trained(spec)
    assert calls == [[4], [4]]


@pytest.mark.parametrize("end", ["pt", "json"])
def test_a_folder_in_place_of_a_file_is_set_aside(calls, context, tmp_path, end):
    (spec,) = specs(4)
    (tmp_path / f"{spec.key}.{end}" / "x").mkdir(parents=True)
    assert context.trained(spec).weight.item() == 4.0
    assert (tmp_path / f"{spec.key}.{end}.damaged" / "x").exists()
    assert context.trained(spec).weight.item() == 4.0 and calls == [[4]]


def test_drafts_of_killed_writers_are_removed(calls, context, tmp_path):
    (spec,) = specs(4)
    (tmp_path / f".{spec.key}.pt.1.ab.draft").write_bytes(b"half")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / f".{spec.key}.pt.1.ab.draft").write_bytes(b"half")
    context.trained(spec)
    assert not list(tmp_path.rglob("*.draft"))


def test_lack_of_memory_is_no_damage(calls, context, tmp_path, monkeypatch):
    (spec,) = specs(4)
    context.trained(spec)
    said = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
    for error, raised in ((MemoryError(), MemoryError), (said, ValueError)):

        def short(*_, error=error, **__):
            raise error

        monkeypatch.setattr(torch, "load", short)
        with pytest.raises(raised):
            context.trained(spec)
    assert not list(tmp_path.glob("*.damaged"))


def test_a_commit_that_no_record_can_hold_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match="commit is"):
        StudyContext(weights=tmp_path, commit="\udcff")
