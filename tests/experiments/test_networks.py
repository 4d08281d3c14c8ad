import dataclasses

import pytest
import torch

from lggkit.experiments.networks import Architecture, Guide, Images, Network, Observer, Recipe
from lggkit.experiments.recipes.distillation import Distillation, Distilled
from lggkit.experiments.recipes.embedding import Embedded, EmbeddingLoss
from lggkit.study.context import StudyContext
from lggkit.study.network_ledger import NetworkLedger
from lggkit.training import TrainConfig

SHORT = TrainConfig(epochs=1, batch_size=256, augment=False, learning_rate=0.05)
SMALL = Network(Images("digits"), Architecture("small_net", (("width", 4),)), SHORT)
OTHERS = {
    "other images": {"images": Images("digits", classes_kept=5)},
    "images held out": {"images": Images("digits", held_out=100)},
    "another width": {"architecture": Architecture("small_net", (("width", 8),))},
    "an embedding": {"architecture": Architecture("small_net", (("width", 4),), embedding=10)},
    "more epochs": {"schedule": dataclasses.replace(SHORT, epochs=2)},
    "another loss": {"recipe": Embedded(loss=EmbeddingLoss())},
    "another option of it": {"recipe": Embedded(loss=EmbeddingLoss(alpha=3.0))},
    "a recipe's next revision": {"recipe": Recipe(revision=2)},
    "fine-tuning": {"start": SMALL},
    "fine-tuning from one seed": {"start": SMALL, "start_seed": 0},
    "a guide": {"recipe": Distilled(guide=Guide(SMALL, 0, ("output",)), losses=Distillation(hinton=1.0))},
    "another guide": {
        "recipe": Distilled(guide=Guide(SMALL, 1, ("output",)), losses=Distillation(hinton=1.0))
    },
}


@pytest.fixture
def context(tmp_path):
    return StudyContext(weights=tmp_path / "w", trainings=NetworkLedger(tmp_path / "networks.jsonl"))


def test_whatever_changes_the_network_changes_its_key():
    keys = [dataclasses.replace(SMALL, **changes).key(0) for changes in OTHERS.values()]
    assert len({*keys, SMALL.key(0), SMALL.key(1)}) == len(OTHERS) + 2


@pytest.mark.parametrize("how", [{"compile": False}, {"capture": False}, {"channels_last": False}])
def test_how_it_is_computed_is_no_content(how):
    assert dataclasses.replace(SMALL, schedule=dataclasses.replace(SHORT, **how)).key(3) == SMALL.key(3)


def test_a_key_is_for_ever():
    """Networks that are kept under it, and lines of the network ledger, would be lost."""
    assert SMALL.key(0) == "daccbc9a71d38568"
    distilled = dataclasses.replace(SMALL, **OTHERS["a guide"])
    assert distilled.key(1) == "13d2344b1cad7acf"


def test_equal_descriptions_are_one_network_whoever_asks(context):
    first, second = context.networks([(SMALL, 0), (dataclasses.replace(SMALL), 0)])
    assert first is second
    assert len(context.trainings.read()) == 1


def test_a_network_comes_back_as_it_was(context):
    (fresh,) = context.networks([(SMALL, 0)])
    (again,) = StudyContext(weights=context.weights).networks([(SMALL, 0)])
    images = context.data("digits", train=False).images[:50].float() / 255
    assert torch.equal(fresh.model(images), again.model(images))
    strides = [[p.stride() for p in result.model.parameters()] for result in (fresh, again)]
    assert strides[0] == strides[1]
    assert dataclasses.replace(fresh, model=None) == dataclasses.replace(again, model=None)


def test_fine_tuning_begins_where_the_other_ended(context):
    frozen = dataclasses.replace(SHORT, learning_rate=1e-12, weight_decay=0.0)
    tuned = Network(SMALL.images, SMALL.architecture, frozen, start=SMALL)
    before, after = context.network(SMALL, 2), context.network(tuned, 2)
    for ours, theirs in zip(before.parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    fixed = dataclasses.replace(tuned, start_seed=0)
    begun = fixed.begun(2, context).state_dict()
    assert all(
        torch.equal(value, begun[name]) for name, value in context.network(SMALL, 0).state_dict().items()
    )


def test_each_training_is_a_line_with_its_losses(context):
    (result,) = context.networks([(SMALL, 0)])
    (line,) = context.trainings.read().values()
    assert (line.key, line.seed, line.steps) == (SMALL.key(0), 0, result.steps)
    assert line.network["architecture"] == {"is": "Architecture", "name": "small_net", "size": [["width", 4]]}
    assert line.first_loss == pytest.approx(2.3, abs=0.7)
    assert line.last_loss == result.curves["train_loss"][-1]
    assert line.device == result.device and line.precision == "float32"


def test_what_observers_see_is_kept_with_the_network(context):
    looks = []

    def look(network, model):
        looks.append(network)
        return {"bias": model.state_dict()["model.classifier.bias"].clone(), "number": 1.0}

    longer = dataclasses.replace(SMALL, schedule=dataclasses.replace(SHORT, epochs=2))
    observer = Observer("biases", look, (0, 2))
    (seen,) = context.networks([(longer, 0)], observer)
    assert [frame.shape for frame in seen.seen["bias"]] == [(10,), (10,)] and looks == [longer] * 2
    assert seen.curves["number"] == [1.0, 1.0] and seen.curves["test_epoch"] == [0.0, 2.0]
    (again,) = context.networks([(longer, 0)], observer)
    assert len(looks) == 2 and torch.equal(again.seen["bias"][1], seen.seen["bias"][1])
    context.networks([(longer, 0)], dataclasses.replace(observer, name="others"))
    assert len(looks) == 4


def test_held_out_images_are_the_same_for_all_and_in_no_training(context):
    images = Images("digits", held_out=100)
    seen, held = images.split(context)
    assert (len(held), len(seen) + 100) == (100, len(context.data("digits")))
    other = dataclasses.replace(images, classes_kept=3)
    assert torch.equal(other.split(context)[1].images, held.images)
    assert int(other.training(context).labels.max()) == 2 and other.classes == 3
