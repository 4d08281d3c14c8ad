from dataclasses import replace

import pytest
import torch

from lggkit.data import to_float
from lggkit.experiments.geometries_of_learning.a01_linear_maps import EXPERIMENT, PAPER
from lggkit.experiments.lgg import s33_latent_geometry_graphs as s33
from lggkit.experiments.recipes.embedded_pools import fitted, members_of, moved_by, parts_of, pool_of
from lggkit.experiments.recipes.transfer_grid import _shares


def test_both_copies_of_an_image_are_in_one_part():
    parts = parts_of(20, seed=3)
    assert [len(places) for places in parts.values()] == [6, 6, 6]
    assert len(torch.cat(list(parts.values())).unique()) == 18
    assert not torch.equal(parts["map"], parts_of(20, seed=4)["map"])


def test_no_image_of_the_pool_was_trained_on(context):
    settings = EXPERIMENT.spec("fgsm-digits", "smoke").protocol
    trained = {image.numpy().tobytes() for image in to_float(settings.images.training(context).images)}
    asked = [image.numpy().tobytes() for image in pool_of(settings, context)[0]]
    twice = {image.numpy().tobytes() for image in to_float(context.data("digits").images)}
    assert len(asked) == settings.pool
    assert not trained & set(asked) & twice


def test_moved_images_move_their_embeddings_and_noise_is_the_arms_own(context):
    settings = EXPERIMENT.spec("signs-digits", "smoke").protocol
    pool = pool_of(settings, context)
    member = members_of(settings, 0, context, pool)["cnn"]
    moved = moved_by(member, settings, 0, pool, 0.1)
    assert torch.equal(moved.moved, moved.signs) and not torch.equal(moved.moved, moved.clean)


def test_least_squares_of_least_norm_recovers_a_map_beside_dead_features():
    source = torch.Generator().manual_seed(0)
    x, weight = torch.randn(50, 6, generator=source), torch.randn(6, 4, generator=source)
    x[:, 2] = 0
    found = fitted(x, x @ weight)
    torch.testing.assert_close(found(x).float(), x @ weight, rtol=1e-3, atol=1e-4)
    assert found.weight[2].abs().max() == 0


def test_shares_by_hand():
    own, cells = {"a": {"native": 1.0}, "b": {"native": 3.0}}, {("b", "a"): 3.0, ("a", "b"): 1.0}
    table = {pair: {"mapped": value} for pair, value in cells.items()}
    shares = _shares(table, own, ("a", "b"))
    assert (shares["source_share"], shares["target_share"]) == pytest.approx((100, 0))
    assert shares["source_mean_b"] == 3


def test_arms_of_few_images_differ_from_the_others_in_that_alone():
    few, all_ = (EXPERIMENT.spec(name, "paper").protocol for name in ("fgsm_few-digits", "fgsm-digits"))
    assert (few.fewer, all_.fewer) == (True, False) and few.networks == all_.networks
    families = [EXPERIMENT.spec(f"{arm}-cifar10", "reduced").protocol for arm in ("strong_few", "fgsm")]
    assert families[0].networks == families[1].networks


def test_the_strong_ensemble_misleads_a_network_at_least_as_often_as_one_step(context):
    settings = EXPERIMENT.spec("strong_few-digits", "smoke").protocol
    pool = pool_of(settings, context)
    assert len(pool[0]) == settings.few
    member = members_of(settings, 0, context, pool)["cnn"]
    head = member.model.model.classifier
    both = [
        moved_by(member, replace(settings, perturbation=kind), 0, pool, 0.1) for kind in ("strong", "fgsm")
    ]
    strong, one_step = (int((head(m.moved.to(head.weight)).argmax(1).cpu() == pool[1]).sum()) for m in both)
    assert strong <= one_step and torch.equal(both[0].signs, both[1].signs)


def test_records_agree_with_each_other(records):
    attack, noise = records["fgsm-digits", 0].metrics, records["signs-digits", 0].metrics
    assert attack["clean_cnn"] == noise["clean_cnn"]
    assert attack["worst_error"] == max(attack[f"error_{name}"] for name in PAPER.members)
    assert 0 <= attack["mapped_10"] <= 1 and attack["r2_10"] <= 1
    assert noise["mapped_apart_10"] == 0.5


def test_every_arm_of_a_seed_has_the_same_networks_and_the_resnet_is_that_of_paper_1():
    digits = [EXPERIMENT.spec(f"{kind}-digits", "paper").protocol.networks for kind in ("fgsm", "signs")]
    assert digits[0] == digits[1]
    for scale in ("short", "reduced"):
        resnet = EXPERIMENT.spec("fgsm-cifar10", scale).protocol.networks["resnet"]
        assert resnet.key(1) == s33.EXPERIMENT.spec("resnet18", scale).protocol.description.key(1)
