"""What embedding networks are as settings: which are one network, which images they see, where they embed."""

import dataclasses
from dataclasses import replace

import pytest
import torch

from lggkit.evaluation.neighbors import NeighborVote
from lggkit.experiments.graph_smoothness_loss.s43_classification import EXPERIMENT as S43
from lggkit.experiments.graph_smoothness_loss.s44_robustness import EXPERIMENT as S44
from lggkit.experiments.lgg.s42_embeddings import EXPERIMENT as LGG
from lggkit.experiments.recipes.answers import swept_errors, voting
from lggkit.experiments.recipes.embedder import CROSS_ENTROPY, GRAPH_SMOOTHNESS, TUNED, Embedder
from lggkit.experiments.recipes.embedding import EmbeddingLoss
from lggkit.latents import latents
from lggkit.record import SCALES
from lggkit.study.running.context import StudyContext
from lggkit.training import MultiStep, TrainConfig

TRAINING = TrainConfig(epochs=1, batch_size=256, augment=False)
CHOSEN = f"weight{GRAPH_SMOOTHNESS.weight:g}-cifar10"
USUAL = dict.fromkeys(SCALES, CHOSEN) | {"paper": "sum_reduction-cifar10"}
SMALL = Embedder(
    stand_in="digits",
    network="small_net",
    width=4,
    training=TRAINING,
    held_out=300,
    loss=GRAPH_SMOOTHNESS,
)
OTHER = {
    "stand_in": "cifar10",
    "network": "resnet18",
    "width": 8,
    "loss": replace(GRAPH_SMOOTHNESS, alpha=3.0),
    "loss_chosen": (("alpha", 3.0),),
    "loss_changes": (("k", 3),),
    "dimension": 11,
    "normalization": None,
    "training": replace(TRAINING, weight_decay=0.0),
    "training_changes": (("learning_rate", 0.2),),
    "sweep": True,
    "classes_kept": 9,
}


@pytest.fixture
def context(tmp_path):
    return StudyContext(weights=tmp_path, commit="test")


def key(settings, seed=0):
    return settings.description.key(seed)


@pytest.mark.parametrize("name", OTHER)
def test_networks_differ_where_any_setting_of_their_training_does(name):
    assert key(replace(SMALL, **{name: OTHER[name]})) != key(SMALL)


def test_every_setting_is_either_tried_above_or_decides_nothing_alone():
    alone = {"dataset", "sweep_training", "held_out", "trained"}
    assert {f.name for f in dataclasses.fields(Embedder)} == alone | set(OTHER)
    for changes in ({"dataset": "svhn"}, {"sweep_training": OTHER["training"]}, {"held_out": 5}):
        assert key(replace(SMALL, **changes)) == key(SMALL)
    swept = replace(SMALL, sweep=True)
    for changes in ({"sweep_training": OTHER["training"]}, {"held_out": 5}):
        assert key(replace(swept, **changes)) != key(swept)


def test_what_has_no_effect_makes_no_other_network():
    entropy = replace(SMALL, loss=CROSS_ENTROPY)
    assert key(replace(entropy, normalization=None)) == key(entropy)
    assert key(replace(SMALL, dimension=10)) == key(SMALL)
    assert key(replace(entropy, dimension=10)) != key(entropy)
    still = replace(SMALL, training=replace(TRAINING, flip=False))
    assert key(still) == key(SMALL), "without augmentation nothing is flipped"


@pytest.mark.parametrize("scale", SCALES)
def test_arms_that_are_trained_alike_share_a_network(scale):
    def shared(*arms):
        return {key(experiment.spec(arm, scale).protocol, 1) for experiment, arm in arms}

    usual = ("kmax-cifar10", "d10-cifar10", "alpha2-cifar10", USUAL[scale])
    assert len(shared(*((S43, arm) for arm in usual))) == 1
    entropy = [(S44, "cross_entropy"), (S44, "cross_entropy_10nn"), (LGG, "cross_entropy")]
    assert len(shared((S43, "cross_entropy-cifar10"), *entropy)) == 1
    assert len(shared((S44, "graph_smoothness"), (LGG, "graph_smoothness"))) == 1
    assert len(shared((S44, "graph_smoothness_d10"), (S43, "graph_smoothness-cifar10"))) == 1
    wide = shared((S43, "weight10_d200-cifar10"), (S43, "d200-cifar10"))
    assert len(wide) == (2 if scale == "paper" else 1)


@pytest.mark.parametrize("scale", ["short", "reduced"])
@pytest.mark.parametrize(
    ("experiment", "arm"),
    [
        (S43, "graph_smoothness-cifar10"),
        (S43, "graph_smoothness_8of10-cifar10"),
        (S44, "graph_smoothness"),
        (S44, "graph_smoothness_d10"),
        (LGG, "graph_smoothness"),
    ],
)
def test_tables_of_shorter_schedules_have_the_options_that_were_chosen(experiment, arm, scale):
    chosen = experiment.spec(arm, scale).protocol.embedder.own_loss
    assert chosen == replace(GRAPH_SMOOTHNESS, **dict(TUNED)) != GRAPH_SMOOTHNESS
    assert experiment.spec(arm, "paper").protocol.embedder.own_loss == EmbeddingLoss()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("experiment", [S43, S44, LGG])
def test_sweeps_peers_and_cross_entropy_have_no_option_that_was_chosen(experiment, scale):
    for arm in experiment.arms:
        embedder = experiment.spec(arm.name, scale).protocol.embedder
        if embedder.sweep or embedder.loss.loss != "graph_smoothness" or not embedder.trained:
            assert embedder.loss_chosen == (), arm.name


@pytest.mark.parametrize("scale", ["short", "reduced", "paper"])
def test_no_other_arms_share_a_network(scale):
    usual = {"d10-cifar10", "alpha2-cifar10", USUAL[scale], "weight10_d200-cifar10", "exact"}
    arms = [arm.name for arm in S43.arms if arm.name not in usual]
    assert len({key(S43.spec(arm, scale).protocol, 2) for arm in arms}) == len(arms)


def test_held_out_images_are_the_same_for_all_and_never_trained_on(context):
    digits, swept = context.data("digits"), replace(SMALL, sweep=True)
    kept, held = swept.images.split(context)
    assert (len(held), len(kept)) == (300, len(digits) - 300)
    rows = [{tuple(image.flatten().tolist()) for image in part.images} for part in (kept, held, digits)]
    assert rows[0] | rows[1] == rows[2] and not rows[0] & rows[1]
    assert torch.equal(swept.images.training(context).images, kept.images)
    again, _ = replace(swept, width=8).images.split(context)
    assert torch.equal(again.images, kept.images)
    everything, none = SMALL.images.split(context)
    assert torch.equal(everything.images, digits.images) and len(none) == 0


def test_classes_that_are_not_kept_are_in_no_batch_but_in_the_base(context):
    settings = replace(SMALL, classes_kept=8)
    assert set(settings.images.training(context).labels.tolist()) == set(range(8))
    assert set(settings.images.split(context)[0].labels.tolist()) == set(range(10))
    assert (settings.images.classes, settings.own_dimension) == (8, 8)


@pytest.mark.parametrize(
    ("changes", "d", "depth"),
    [
        ({}, 10, "output"),
        ({"dimension": 3}, 3, "output"),
        ({"loss": CROSS_ENTROPY}, 16, "penultimate"),
        ({"loss": CROSS_ENTROPY, "dimension": 2, "normalization": None}, 2, "bottleneck"),
        ({"loss": CROSS_ENTROPY, "dimension": 3, "normalization": "l2"}, 3, "bottleneck"),
    ],
)
def test_embeddings_are_taken_where_the_loss_leaves_them(context, changes, d, depth):
    settings = replace(SMALL, **changes)
    model, images = settings.description.untrained(0, context).eval(), context.data("digits").images[:7]
    found = settings.embeddings(model, images)
    assert found.shape == (7, d) and settings.embedding_depth == depth
    torch.testing.assert_close(found, latents(model, images / 255, [depth], detach=True)[depth])
    assert model(images / 255).shape[1] == (d if depth == "output" else 10)
    on_the_sphere = torch.allclose(found.norm(dim=1), torch.ones(7))
    assert on_the_sphere == (depth == "output" or changes.get("normalization") == "l2")


def test_networks_trained_in_a_group_are_those_trained_alone(context, tmp_path):
    other, swept, entropy = (
        replace(SMALL, **changes)
        for changes in ({"loss": OTHER["loss"]}, {"sweep": True}, {"loss": CROSS_ENTROPY})
    )
    group = [
        (s.description, seed) for s, seed in ((SMALL, 0), (SMALL, 1), (other, 0), (swept, 0), (entropy, 0))
    ]
    for number, (one, result) in enumerate(zip(group, context.networks(group), strict=True)):
        alone = StudyContext(weights=tmp_path / str(number), commit="test")
        expected = dict(alone.network(*one).named_parameters())
        assert all(torch.equal(p, expected[name]) for name, p in result.model.named_parameters())


def test_votes_are_among_the_embedded_images_that_a_network_may_see(context):
    settings = replace(SMALL, sweep=True)
    model = settings.description.untrained(0, context)
    kept, held = settings.images.split(context)
    votes = voting(settings, model, context)
    assert isinstance(votes, NeighborVote) and torch.equal(votes.labels, kept.labels)
    assert torch.equal(votes.base, settings.embeddings(model, kept.images))
    own = votes.of_images(kept.images, 1)
    assert torch.equal(own, kept.labels), "the nearest neighbour of an image is itself"
    errors = swept_errors(settings, model, context)
    asked = {"validation_error_10nn": held, "error_10nn": context.data("digits", train=False)}
    assert errors == {
        name: pytest.approx(100 * (votes.of_images(data.images, 10) != data.labels).double().mean().item())
        for name, data in asked.items()
    }


def test_the_papers_protocol():
    training = S43.spec("graph_smoothness-cifar10", "paper").protocol.embedder.own_training
    assert (training.epochs, training.batch_size, training.learning_rate) == (200, 100, 0.1)
    assert (training.momentum, training.nesterov, training.weight_decay) == (0.9, True, 1e-4)
    assert training.schedule == MultiStep((100, 150), 0.1)
