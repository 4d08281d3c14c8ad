import dataclasses

import pytest
import torch

from lggkit.experiments.geometries_of_learning.a10_orthogonal_blocks import EXPERIMENT
from lggkit.experiments.recipes.block_features import Classifier, features_of, fids, trained_classifier
from lggkit.experiments.recipes.block_grids import grid_of, partners
from lggkit.experiments.recipes.block_training import Loss, Schedule, built, fitted
from lggkit.experiments.recipes.held import Held
from lggkit.generative import frechet_distance
from lggkit.objectives import graph_divergence, orthonormality
from lggkit.study.figures.geometries_of_learning import a10_features as features
from lggkit.study.figures.geometries_of_learning import a10_numbers as numbers
from lggkit.study.shown import view

LAST = dataclasses.replace(EXPERIMENT.protocols["smoke"], training=Schedule(2, 60, 0.01))


def test_the_articles_settings():
    paper = EXPERIMENT.spec("dae_og", "paper").protocol
    assert (paper.dataset, paper.size, paper.code, paper.training.epochs) == ("3dshapes", 64, 105, 1000)
    assert paper.bottlenecks == (15, 8, 10, 10, 2) and paper.training.rate == 3e-4
    three = EXPERIMENT.spec("dae_og-three", "paper").protocol
    assert (three.code, three.bottlenecks) == (96, (6, 9, 5))
    assert [(s.loss.orthogonality, s.loss.divergence) for s in (paper, three)] == [(0.001,) * 2, (0.1,) * 2]
    short, reduced = (EXPERIMENT.protocols[scale] for scale in ("short", "reduced"))
    assert 3 * short.training.epochs == reduced.training.epochs
    assert dataclasses.replace(short, training=reduced.training) == reduced


def test_arms_differ_in_their_losses_alone():
    losses = {a.name: EXPERIMENT.spec(a.name, "reduced").protocol for a in EXPERIMENT.arms}
    for five in ("dae_g", "dae_og", "dae_g-latent", "dae_og-0.01", "dae_og-0.1"):
        assert dataclasses.replace(losses[five], loss=Loss()) == losses["plain"]
    for three in ("dae_g-three", "dae_og-three", "dae_g-three-latent"):
        assert dataclasses.replace(losses[three], loss=Loss()) == losses["plain-three"]
    for many in ("dae_g-many", "dae_og-many"):
        assert dataclasses.replace(losses[many], loss=Loss()) == losses["plain-many"]
    same = {"setting": "five", "bottlenecks": losses["plain"].bottlenecks}
    assert dataclasses.replace(losses["plain-many"], **same) == losses["plain"], "as long, and as fast"


def test_there_are_as_many_images_as_in_the_article(context):
    """24,000, one of every combination, and as many values of a factor as its block is wide."""
    many = EXPERIMENT.spec("plain-many", "smoke").protocol
    grid = grid_of(many, 0, context)
    assert len(grid.images) == 24_000 and grid.sizes == (2, 15, 8, 10, 10)
    assert sorted(grid.sizes) == sorted(many.bottlenecks)


@pytest.fixture(scope="module")
def grid(context):
    return grid_of(LAST, 0, context)


def test_grids_are_the_seeds(grid, context):
    assert grid.sizes == (2, 5, 4, 5, 5) and len(grid.train) == 4 * len(grid.test) == 800
    assert set(grid.train.tolist()).isdisjoint(grid.test.tolist())
    assert torch.equal(grid_of(LAST, 0, context).images, grid.images)
    assert not torch.equal(grid_of(LAST, 1, context).images, grid.images)


def test_partners_differ_in_every_factor(grid):
    one, two = partners(grid, 50, torch.Generator().manual_seed(0))
    assert (grid.factors[one] != grid.factors[two]).all()


def test_terms_are_those_of_the_objectives(grid):
    loss, model = Loss(orthogonality=1.0, divergence=1.0), built(LAST, 0)
    x, noise = grid.images[:10], torch.randn(10, LAST.code)
    with torch.no_grad():
        z, made = model.encode(x), model.generate(torch.cat((model.encode(x), noise)))
        parts = loss.parts(z[None], made[None], x[None], noise[None], model.blocks)
    lengths = torch.linalg.vector_norm((made[:10] - x).flatten(1), dim=1)
    torch.testing.assert_close(parts["reconstruction"][0], lengths.mean())
    torch.testing.assert_close(parts["orthogonality"][0], orthonormality(z, 5))
    torch.testing.assert_close(parts["divergence"][0], graph_divergence(x, made[10:]))
    latent = dataclasses.replace(loss, space="latent", reconstruction="mse")
    parts = latent.parts(z[None], made[None], x[None], noise[None], model.blocks)
    torch.testing.assert_close(parts["divergence"][0], graph_divergence(z, noise))
    torch.testing.assert_close(parts["reconstruction"][0], (made[:10] - x).square().mean())


def test_seeds_that_train_together_do_not_know_each_other(grid, context):
    settings = dataclasses.replace(LAST, loss=Loss(orthogonality=0.1, divergence=0.01))
    images = [g.images[g.train] for g in (grid, grid_of(LAST, 1, context))]
    both, curves = fitted(settings, (0, 1), images)
    (alone,), (curve,) = fitted(settings, (1,), images[1:])
    for one, other in zip(both[1].parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
    assert curves[1]["reconstruction"] == pytest.approx(curve["reconstruction"], rel=1e-4)
    assert curve["reconstruction"][1] < curve["reconstruction"][0]


def test_the_feature_network_names_factors_and_its_features_have_unit_spread(grid):
    network = trained_classifier(Classifier(epochs=8), grid, 0)
    found = network(grid.images[grid.train])
    assert found.shape == (800, 16)
    torch.testing.assert_close(found.std(0), torch.ones(16), atol=1e-3, rtol=1e-3)
    again = trained_classifier(Classifier(epochs=8), grid, 0)
    assert torch.equal(again(grid.images[:9]), network(grid.images[:9]))
    scores = fids(network, built(LAST, 0), grid, 0)
    chance = sum(1 / size for size in grid.sizes) / len(grid.sizes)
    assert scores["feature_accuracy"] > 1.5 * 100 * chance
    held = frechet_distance(network(grid.images[grid.test]), found).item()
    assert scores["fid_held_out"] == pytest.approx(held) and held < scores["fid_reconstructed"]


def test_arms_of_a_grid_share_their_feature_network(context):
    specs = [EXPERIMENT.spec(arm, "smoke").protocol for arm in ("plain", "dae_og", "dae_og-three")]
    one, two, three = (features_of(s, 0, Held(context)) for s in specs)
    assert one is two and three is not one


def test_metrics_are_in_their_ranges(records):
    for (arm, _), record in records.items():
        metrics = record.metrics
        if arm == "statistic":
            assert metrics["moments_violation"] < 1e-9 and 0 < metrics["p_same"] <= 1
            continue
        shares = ("cosine", "mig", "dcimig", "mig_sup", "jemmig", "matched_share")
        assert all(0 <= metrics[name] <= 1 for name in shares)
        assert metrics["fid"] > 0 < metrics["fid_held_out"] and 0 <= metrics["feature_accuracy"] <= 100
        assert metrics["mse"] > 0 and metrics["gone"] < 1 and 0 <= metrics["roughness"] < 2
        k = 3 if "three" in arm else 5
        assert len(metrics["swaps"]) == len(metrics["response"]) == k * k


def test_the_articles_table_is_read_in_both_ways():
    (said,) = numbers.printed_said()
    assert "has the better score in 2 where higher" in said and "in 4 where lower" in said


def test_tables_have_a_row_for_each_pair_and_arm():
    shown, titles = view.measure(EXPERIMENT.name, "smoke"), {a.name: a.title for a in EXPERIMENT.arms}
    assert len(numbers.readings_table(shown)) == 8 and len(numbers.images_table(shown, titles)) == 13
    assert len(features.fid_table(shown, titles)) == 13 and len(features.fid_said(shown)) == 3
    assert "With five blocks" in numbers.codes_said(shown)[0]
    (came,), (control,) = numbers.came_said(shown), numbers.control_said(shown)
    for text in (came, control):
        assert (
            "with three blocks, from" in text and "and from" in text and "with five blocks and 24,000" in text
        )
    cosine = [shown.interval(arm, "cosine").mean for arm in ("dae_g", "dae_og")]
    assert "Of the 12 scores" in came and f"from {cosine[0]:.3f} to {cosine[1]:.3f} with five blocks" in came
