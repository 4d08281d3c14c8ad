"""What a student is trained with beside its labels, against the objectives themselves."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from lggkit.data import load
from lggkit.experiments.recipes.distillation import METHODS, Distillation, Distilled, distances_to_teacher
from lggkit.latents import latents as latents_of
from lggkit.networks import build, with_normalization
from lggkit.objectives import gkd, rkd_distance

LAYERS = ("stage1", "middle", "penultimate")


@pytest.fixture
def latents():
    source = torch.Generator().manual_seed(0)
    student = {name: torch.rand(12, d, generator=source) for name, d in zip(LAYERS, (8, 6, 4), strict=True)}
    teacher = {name: torch.rand(12, 2 * x.shape[1], generator=source) for name, x in student.items()}
    logits = torch.randn(12, 3, generator=source)
    teacher["output"] = torch.randn(12, 3, generator=source)
    return student, logits, teacher, torch.arange(12) % 3


def test_distillation_losses_add_up_with_their_weights(latents):
    parts = {name: Distillation(**{name: 1.0}).loss(*latents, LAYERS) for name in METHODS}
    assert len({round(float(value), 6) for value in parts.values()}) == len(METHODS)
    weights = dict(zip(METHODS, (2.0, 3.0, 5.0, 7.0, 11.0), strict=True))
    total = sum(weight * parts[name] for name, weight in weights.items())
    torch.testing.assert_close(Distillation(**weights).loss(*latents, LAYERS), total)


def test_options_reach_the_graphs(latents):
    student, logits, teacher, labels = latents
    ours, theirs = ([x[name] for name in LAYERS] for x in (student, teacher))
    for options in ({"k": 3}, {"k": 3, "order": "normalize-first"}, {"normalized": False}, {"exponent": 2}):
        found = Distillation(gkd=1.0, **options).loss(student, logits, teacher, labels, LAYERS)
        torch.testing.assert_close(found, gkd(ours, theirs, **options))
    inter = Distillation(gkd=1.0, edges="inter").loss(student, logits, teacher, labels, LAYERS)
    torch.testing.assert_close(inter, gkd(ours, theirs, edges="inter", labels=labels))


def test_the_objective_is_cross_entropy_plus_the_losses(latents):
    student, logits, teacher, labels = latents
    recipe = Distilled(losses=Distillation(rkd_distance=25.0), layers=LAYERS)
    expected = F.cross_entropy(logits, labels) + 25 * rkd_distance(
        [student[name] for name in LAYERS], [teacher[name] for name in LAYERS]
    )
    batch = SimpleNamespace(labels=labels)
    torch.testing.assert_close(recipe.objective(None, student, logits, batch, teacher), expected)
    assert recipe.taps(None) == LAYERS == recipe.lockstep and Distillation().weights == {}


def test_distances_are_means_over_batches_in_evaluation_mode():
    networks = [build("small_net", seed=seed, channels=1, width=4) for seed in (0, 1)]
    student, teacher = (with_normalization(network, [0.3], [0.4]).train() for network in networks)
    images = load("digits", train=False).images[:20]
    found = distances_to_teacher(student, teacher, images, LAYERS, batch_size=10)
    assert student.training and teacher.training
    expected = []
    for part in images.split(10):
        sides = [latents_of(m.eval(), part / 255, LAYERS, detach=True) for m in (student, teacher)]
        expected.append([float(gkd(*sides)), float(rkd_distance(*sides, mean_over="positive"))])
    means = torch.tensor(expected).mean(0).tolist()
    assert [found["graph_distance"], found["distance_gap"]] == pytest.approx(means, rel=1e-4)
