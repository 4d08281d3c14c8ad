import dataclasses

import pytest
import torch

from lggkit.experiments import embedding_runs as runs
from lggkit.experiments.embedding_runs import EmbeddingSettings, network_of
from lggkit.experiments.graph_smoothness_loss.s43_classification import EXPERIMENT as S43
from lggkit.experiments.graph_smoothness_loss.s44_robustness import EXPERIMENT as S44
from lggkit.experiments.lgg.s42_embeddings import EXPERIMENT as LGG
from lggkit.latents import latents
from lggkit.record import SCALES, Spec
from lggkit.study.context import StudyContext
from lggkit.training import MultiStep, TrainConfig

TRAINING = TrainConfig(epochs=1, batch_size=256, augment=False)
CHOSEN = f"weight{runs.GRAPH_SMOOTHNESS.weight:g}-cifar10"
USUAL = {"smoke": CHOSEN, "reduced": CHOSEN, "paper": "sum_reduction-cifar10"}
SMALL = EmbeddingSettings(
    stand_in="digits",
    network="small_net",
    width=4,
    training=TRAINING,
    held_out=300,
    loss=runs.GRAPH_SMOOTHNESS,
)
OTHER = {
    "stand_in": "cifar10",
    "network": "resnet18",
    "width": 8,
    "loss": dataclasses.replace(runs.GRAPH_SMOOTHNESS, alpha=3.0),
    "loss_changes": (("k", 3),),
    "dimension": 11,
    "normalization": None,
    "training": dataclasses.replace(TRAINING, weight_decay=0.0),
    "training_changes": (("learning_rate", 0.2),),
    "sweep": True,
    "classes_kept": 9,
}


@pytest.fixture
def context(tmp_path):
    return StudyContext(weights=tmp_path, commit="test")


def spec(seed=0, **changes):
    return Spec("graph_smoothness_loss/s00", "arm", "smoke", seed, dataclasses.replace(SMALL, **changes))


@pytest.mark.parametrize("name", OTHER)
def test_networks_differ_where_any_setting_of_their_training_does(name):
    assert dataclasses.replace(SMALL, **{name: OTHER[name]}).identity != SMALL.identity


def test_every_setting_is_either_tried_above_or_decides_nothing_alone():
    alone = {"revision", "dataset", "sweep_training", "held_out", "trained"}
    assert {f.name for f in dataclasses.fields(EmbeddingSettings)} == alone | set(OTHER)
    for changes in ({"dataset": "svhn"}, {"sweep_training": OTHER["training"]}, {"held_out": 5}):
        assert dataclasses.replace(SMALL, **changes).identity == SMALL.identity
    swept = dataclasses.replace(SMALL, sweep=True)
    for changes in ({"sweep_training": OTHER["training"]}, {"held_out": 5}):
        assert dataclasses.replace(swept, **changes).identity != swept.identity


def test_what_has_no_effect_makes_no_other_network():
    entropy = dataclasses.replace(SMALL, loss=runs.CROSS_ENTROPY)
    assert dataclasses.replace(entropy, normalization=None).identity == entropy.identity
    assert dataclasses.replace(SMALL, dimension=10).identity == SMALL.identity
    assert dataclasses.replace(entropy, dimension=10).identity != entropy.identity


@pytest.mark.parametrize("scale", SCALES)
def test_arms_that_are_trained_alike_share_a_network(scale):
    def owner(experiment, arm, seed=1):
        found = network_of(experiment.spec(arm, scale, seed))
        assert (found.scale, found.seed) == (scale, seed)
        return found.experiment, found.arm

    for arm in ("kmax-cifar10", "d10-cifar10", "alpha2-cifar10", USUAL[scale]):
        assert owner(S43, arm) == (S43.name, "kmax-cifar10")
    for arm in ("cross_entropy", "cross_entropy_10nn"):
        assert owner(S44, arm) == (S43.name, "cross_entropy-cifar10")
    for experiment in (S44, LGG):
        assert owner(experiment, "graph_smoothness") == (S44.name, "graph_smoothness")
    assert owner(LGG, "cross_entropy") == (S43.name, "cross_entropy-cifar10")
    assert owner(S44, "graph_smoothness_d10") == (S43.name, "graph_smoothness-cifar10")
    wide = "weight10_d200-cifar10" if scale == "paper" else "d200-cifar10"
    assert owner(S43, "weight10_d200-cifar10") == (S43.name, wide)


@pytest.mark.parametrize("scale", ["reduced", "paper"])
def test_no_other_arm_shares_a_network(scale):
    shared = {"d10-cifar10", "alpha2-cifar10", USUAL[scale], "weight10_d200-cifar10", "exact"}
    for arm in S43.arms:
        if arm.name not in shared:
            spec = S43.spec(arm.name, scale, 2)
            assert network_of(spec) == spec


def test_an_arm_that_trains_no_network_lends_none(monkeypatch):
    first, *others = (arm for arm in reversed(S43.arms) if arm.name in ("exact", "cross_entropy-cifar10"))
    bare = dataclasses.replace(first, changes={"trained": False, **others[0].changes})
    toy = dataclasses.replace(S43, arms=(bare, *others))
    monkeypatch.setattr("lggkit.experiments.base.all_experiments", lambda: [toy])
    assert network_of(toy.spec(others[0].name, "paper")).arm == "cross_entropy-cifar10"


def test_a_spec_of_no_section_is_its_own_network():
    assert network_of(spec(width=8)) == spec(width=8)


def test_held_out_images_are_the_same_for_all_and_never_trained_on(context):
    digits = context.data("digits")
    kept, held = runs.split_images(spec(sweep=True).protocol, context)
    assert (len(held), len(kept)) == (300, len(digits) - 300)
    rows = [{tuple(image.flatten().tolist()) for image in part.images} for part in (kept, held, digits)]
    assert rows[0] | rows[1] == rows[2] and not rows[0] & rows[1]
    assert torch.equal(runs.training_images(spec(sweep=True).protocol, context).images, kept.images)
    again, _ = runs.split_images(spec(seed=3, sweep=True, width=8).protocol, context)
    assert torch.equal(again.images, kept.images)
    everything, none = runs.split_images(SMALL, context)
    assert torch.equal(everything.images, digits.images) and len(none) == 0


def test_classes_that_are_not_kept_are_in_no_batch_but_in_the_base(context):
    settings = spec(classes_kept=8).protocol
    assert set(runs.training_images(settings, context).labels.tolist()) == set(range(8))
    assert set(runs.split_images(settings, context)[0].labels.tolist()) == set(range(10))
    assert (settings.trained_classes, settings.own_dimension) == (8, 8)


@pytest.mark.parametrize(
    ("changes", "d", "depth"),
    [
        ({}, 10, "output"),
        ({"dimension": 3}, 3, "output"),
        ({"loss": runs.CROSS_ENTROPY}, 16, "penultimate"),
        ({"loss": runs.CROSS_ENTROPY, "dimension": 2, "normalization": None}, 2, "bottleneck"),
    ],
)
def test_embeddings_are_taken_where_the_loss_leaves_them(context, changes, d, depth):
    one = spec(**changes)
    model, images = runs.build_network(one, context).eval(), context.data("digits").images[:7]
    found = runs.embeddings(model, images, one.protocol)
    assert found.shape == (7, d) and one.protocol.embedding_depth == depth
    torch.testing.assert_close(found, latents(model, images / 255, [depth], detach=True)[depth])
    assert model(images / 255).shape[1] == (d if depth == "output" else 10)
    norms = found.norm(dim=1)
    assert torch.allclose(norms, torch.ones(7)) == (depth == "output")


def test_a_bottleneck_starts_from_its_seed_alone(context):
    def weights(seed):
        one = spec(seed=seed, loss=runs.CROSS_ENTROPY, dimension=2)
        return runs.build_network(one, context).model.classifier.weight

    state = torch.get_rng_state()
    assert torch.equal(weights(0), weights(0)) and not torch.equal(weights(0), weights(1))
    assert torch.equal(torch.get_rng_state(), state)


def test_networks_trained_in_a_group_are_those_trained_alone(context, tmp_path):
    group = [spec(), spec(seed=1), spec(loss=OTHER["loss"]), spec(sweep=True), spec(loss=runs.CROSS_ENTROPY)]
    results = runs.train_networks(group, context)
    for number, (one, result) in enumerate(zip(group, results, strict=True)):
        alone = StudyContext(weights=tmp_path / str(number), commit="test")
        expected = dict(runs.train_networks([one], alone)[0].model.named_parameters())
        assert all(torch.equal(p, expected[name]) for name, p in result.model.named_parameters())
    flat = [torch.cat([p.flatten() for p in r.model.parameters()]) for r in results[:4]]
    assert all(not torch.equal(a, b) for i, a in enumerate(flat) for b in flat[i + 1 :])


def test_each_network_has_the_seed_the_file_and_the_tag_of_its_spec(context, monkeypatch):
    given = {}
    monkeypatch.setattr(runs, "train_many", lambda models, *_, **more: given.update(more) or models)
    group = [spec(seed=2), spec(seed=1)]
    runs.train_networks(group, context)
    keys = [one.key for one in group]
    assert given["seeds"] == [2, 1] and given["tags"] == keys
    assert [file.stem for file in given["checkpoints"]] == keys


def test_trained_asks_each_section_once_for_what_it_owns(monkeypatch):
    asked = []

    class Lender:
        def trainings(self, specs):
            asked.append([(s.experiment, s.arm) for s in specs])
            return [(s.experiment, s.arm) for s in specs]

    specs = [S44.spec(arm.name, "smoke") for arm in S44.arms] + [S43.spec("kmax-cifar10", "smoke")]
    found = runs.trained(specs, Lender())
    assert found == {s: (network_of(s).experiment, network_of(s).arm) for s in specs}
    assert sorted(len(set(group)) for group in asked) == sorted(map(len, asked)) == [1, 3]
    assert all(len({section for section, _ in group}) == 1 for group in asked)


def test_only_the_owner_of_a_network_counts_its_training():
    class Result:
        diverged, path, curves, seconds = None, "cpu, bfloat16, eager", {"train_loss": [1.0]}, 30.0

    own = runs.history(S43.spec("kmax-cifar10", "smoke"), Result(), measuring=2.0)
    assert own["seconds"] == 32 and own["precision"] == "bfloat16" and "status" not in own
    assert runs.history(S43.spec("d10-cifar10", "smoke"), Result(), measuring=2.0)["seconds"] == 2
    Result.diverged = "the loss was nan"
    assert runs.history(spec(), Result(), 0.0)["status"] == "diverged"


def test_the_papers_protocol():
    training = S43.spec("graph_smoothness-cifar10", "paper").protocol.own_training
    assert (training.epochs, training.batch_size, training.learning_rate) == (200, 100, 0.1)
    assert (training.momentum, training.nesterov, training.weight_decay) == (0.9, True, 1e-4)
    assert training.schedule == MultiStep((100, 150), 0.1)
