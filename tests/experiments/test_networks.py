import dataclasses

import pytest
import torch

from lggkit.experiments.lockstep import begun_run
from lggkit.experiments.networks import Architecture, Guide, Images, Network, Recipe
from lggkit.experiments.recipes.distillation import Distillation, Distilled
from lggkit.experiments.recipes.embedding import Embedded, EmbeddingLoss
from lggkit.study.records.network_ledger import NetworkLedger
from lggkit.study.running.context import StudyContext
from lggkit.training import TrainConfig
from lggkit.training.step_time import relative_step_time

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


def test_held_out_images_are_the_same_for_all_and_in_no_training(context):
    images = Images("digits", held_out=100)
    seen, validation = images.split(context)
    assert (len(validation), len(seen) + 100) == (100, len(context.data("digits")))
    other = dataclasses.replace(images, classes_kept=3)
    assert torch.equal(other.split(context)[1].images, validation.images)
    assert int(other.training(context).labels.max()) == 2 and other.classes == 3


def test_classes_kept_are_the_first_and_all_by_default(context):
    assert Images("digits").classes == 10 and Images("digits", classes_kept=4).classes == 4
    first_four = Images("digits", classes_kept=4).training(context)
    assert set(first_four.labels.tolist()) == set(range(4)) and len(first_four.classes) == 4
    everything = context.data("digits")
    assert torch.equal(Images("digits").training(context).images, everything.images)


def test_a_network_begins_from_its_seed_alone(context):
    first, again, other = (
        torch.cat([p.detach().flatten() for p in SMALL.begun(seed, context).parameters()])
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_an_architecture_ends_as_it_says(context):
    data = context.data("digits")
    sized = {"name": "small_net", "size": (("width", 4),)}
    for changes, outputs in (({}, 10), ({"embedding": 3}, 3), ({"embedding": 3, "bottleneck": True}, 10)):
        model = Architecture(**sized, **changes).build(0, 10, data).eval()
        assert model(data.images[:2] / 255).shape == (2, outputs)


def test_two_trainings_are_timed_in_turn_and_nothing_else_changes(context):
    """The first steps of each warm up, and are made too."""
    other = dataclasses.replace(SMALL, recipe=Embedded(loss=EmbeddingLoss(reduction="mean")))
    runs = [begun_run(network, 0, context) for network in (SMALL, other)]
    state = torch.get_rng_state()
    assert relative_step_time(*runs, 2) > 0
    assert [run.step for run in runs] == [5, 5] and torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ValueError, match="steps is 0; time at least one"):
        relative_step_time(*runs, 0)
    assert not list(context.checkpoints.parent.rglob("*.pt")), "what is timed is not kept"
