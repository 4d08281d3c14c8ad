"""Networks of descriptions: trained once, kept, found again, and trained again where a file is damaged."""

import dataclasses
import shutil
from dataclasses import replace

import pytest
import torch

from lggkit.experiments.networks import Guide, Network
from lggkit.experiments.recipes.distillation import Distillation, Distilled
from lggkit.study.running.context import StudyContext
from lggkit.training import read_checkpoint, write_checkpoint


def weights(result):
    return {name: value.tolist() for name, value in result.model.state_dict().items()}


def file_of(context, network, seed):
    return context.weights / f"{network.key(seed)}.pt"


def test_missing_networks_are_trained_once_and_kept(context, trained, tiny):
    results = context.networks([(tiny, 0), (tiny, 1)])
    assert trained() == [0, 1] and weights(results[0]) != weights(results[1])
    again = context.networks([(tiny, 2), (tiny, 1), (tiny, 0)])
    assert trained() == [0, 1, 2]
    assert [weights(r) for r in again[:0:-1]] == [weights(r) for r in results]
    for ours, theirs in zip(again[:0:-1], results, strict=True):
        assert dataclasses.replace(ours, model=None) == dataclasses.replace(theirs, model=None)
    assert sorted(p.name for p in context.weights.glob("*.pt")) == sorted(
        f"{tiny.key(s)}.pt" for s in range(3)
    )


def test_a_network_is_found_again_by_another_process(context, trained, tiny):
    first = context.networks([(tiny, 4)])
    other = StudyContext(weights=context.weights, trainings=context.trainings)
    assert [weights(r) for r in other.networks([(tiny, 4)])] == [weights(r) for r in first]
    assert trained() == [4] and not other.network(tiny, 4).training


def test_asked_for_twice_it_is_trained_once(context, trained, tiny):
    first, second = context.networks([(tiny, 3), (replace(tiny), 3)])
    assert trained() == [3] and first is second


def test_none_is_no_wish(context, trained):
    assert context.networks([]) == [] and trained() == []


def test_a_diverged_network_is_told_and_not_kept(context, trained, wild):
    (result,) = context.networks([(wild, 9)])
    assert result.diverged.startswith("the loss was") and result.key == wild.key(9)
    assert not file_of(context, wild, 9).exists()
    context.networks([(wild, 9)])
    assert trained() == [9, 9] and context.trainings.lines()[0].diverged == result.diverged


def test_a_diverged_network_leaves_those_beside_it_alone(context, tmp_path, tiny, wild):
    """The same schedule and images, so that they go in lockstep."""
    heavy = Distillation(hinton=1e30)
    lost = replace(tiny, recipe=Distilled(guide=Guide(tiny, 0, ("output",)), losses=heavy))
    sound = replace(lost, recipe=replace(lost.recipe, losses=Distillation(hinton=1.0)))
    both = context.networks([(lost, 1), (sound, 1)])
    alone = StudyContext(weights=tmp_path / "alone").networks([(sound, 1)])
    assert both[0].diverged and both[1].diverged is None
    assert weights(both[1]) == weights(alone[0]) and both[1].curves == alone[0].curves
    assert file_of(context, sound, 1).exists() and not file_of(context, lost, 1).exists()


def test_data_is_loaded_once(context):
    first = context.data("digits")
    assert context.data("digits") is first and context.data("digits", train=False) is not first


def altered(change):
    """A file of the same form whose content was changed."""

    def damage(file):
        state = read_checkpoint(file)
        write_checkpoint(file, change(state))

    return damage


DAMAGE = {
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-40]),
    "a byte changed": lambda file: file.write_bytes(file.read_bytes()[:-9] + b"?" + file.read_bytes()[-8:]),
    "text": lambda file: file.write_text("weights"),
    "no weights": altered(lambda state: {"history": state["history"]}),
    "no history": altered(lambda state: {"weights": state["weights"]}),
    "a history that lacks a field": altered(lambda state: state | {"history": {"curves": {}}}),
    "a history of another kind": altered(lambda state: state | {"history": [1]}),
    "a history with too much": altered(lambda state: state | {"history": state["history"] | {"more": 1}}),
    "weights of another network": altered(lambda state: state | {"weights": {"x": torch.zeros(2)}}),
    "weights of another size": altered(
        lambda state: state | {"weights": {n: v.flatten()[:1] for n, v in state["weights"].items()}}
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one network, trained once for the module."""
    return tmp_path_factory.mktemp("kept")


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_set_aside_named_and_the_network_trained_again(
    context, trained, folder, tiny, caplog, damage
):
    sound = StudyContext(weights=folder).networks([(tiny, 4)])[0]
    shutil.copytree(folder, context.weights, ignore=shutil.ignore_patterns("checkpoints"))
    file = file_of(context, tiny, 4)
    damage(file)
    (again,) = context.networks([(tiny, 4)])
    assert weights(again) == weights(sound) and trained() == [4]
    assert str(file) in caplog.text and f"{file.name}.damaged" in caplog.text
    assert file.with_name(f"{file.name}.damaged").exists()
    context.networks([(tiny, 4)])
    assert trained() == [4]


def test_a_folder_in_place_of_a_file_is_set_aside(context, trained, tiny):
    file = file_of(context, tiny, 4)
    (file / "x").mkdir(parents=True)
    context.network(tiny, 4)
    assert file.is_file() and (file.with_name(f"{file.name}.damaged") / "x").exists()
    context.network(tiny, 4)
    assert trained() == [4]


def test_drafts_of_killed_writers_are_removed(context, tiny):
    for folder in (context.weights, context.checkpoints):
        folder.mkdir(parents=True)
        (folder / f".{tiny.key(4)}.pt.1.ab.draft").write_bytes(b"half")
    context.network(tiny, 4)
    assert not list(context.weights.rglob("*.draft"))


class Large(Network):
    """One that takes more memory to load than there is."""

    error = MemoryError()

    def untrained(self, seed, context):
        model = super().untrained(seed, context)
        model.load_state_dict = self.refuse
        return model

    def refuse(self, *_):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")],
)
def test_lack_of_memory_is_no_damage(context, tiny, error):
    large = Large(tiny.images, tiny.architecture, tiny.schedule)
    file = file_of(context, large, 4)
    context.networks([(tiny, 4)])
    file_of(context, tiny, 4).rename(file)
    Large.error = error
    with pytest.raises(type(error)):
        context.network(large, 4)
    assert file.exists() and not list(context.weights.glob("*.damaged"))


def test_a_commit_that_no_record_can_hold_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match="commit is"):
        StudyContext(weights=tmp_path, commit="\udcff")
