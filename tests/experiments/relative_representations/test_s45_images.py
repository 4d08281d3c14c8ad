from dataclasses import replace

import pytest
import torch

from lggkit.experiments.recipes.densified_images import Densified, held_out_deaths
from lggkit.experiments.relative_representations.s45_images import EXPERIMENT, PAPER
from lggkit.objectives import densification
from lggkit.training import Batch


def test_paper_protocol_has_the_codes_schedule():
    paper = EXPERIMENT.spec("densified", "paper").protocol
    assert (paper.weight, paper.beta, paper.per_class, paper.sub_batch) == (0.1, 0.7, 100, 16)
    updates = paper.training.epochs * (1000 // paper.training.batch_size)
    assert 38_700 < updates < 38_800 and paper.training.learning_rate == 0.5


def test_only_the_length_differs_between_scales():
    protocols = [EXPERIMENT.protocols[scale] for scale in ("short", "reduced", "paper")]
    same = {replace(p, training=replace(p.training, epochs=1)) for p in protocols}
    epochs = [p.training.epochs for p in protocols]
    assert len(same) == 1 and 3 * epochs[0] == epochs[1] < epochs[2]


def test_batches_that_are_no_sub_batches_are_refused():
    with pytest.raises(ValueError, match="give 160, and drop the last"):
        replace(PAPER, training=replace(PAPER.training, batch_size=128))


def test_the_penalty_is_of_class_pure_sub_batches():
    generator = torch.Generator().manual_seed(0)
    latents, logits = torch.randn(12, 3, generator=generator), torch.randn(12, 2, generator=generator)
    labels = torch.arange(2).repeat_interleave(6)
    batch = Batch(torch.zeros(12, 1, 2, 2), labels, torch.arange(12), 0, 0)
    plain, weighted = (Densified(weight=w, beta=0.5, size=6) for w in (0.0, 0.1))
    loss = [r.objective(None, {"penultimate": latents}, logits, batch, {}) for r in (plain, weighted)]
    expected = 0.1 * densification(torch.stack([latents[labels == c] for c in (0, 1)]), 0.5)
    assert torch.allclose(loss[1] - loss[0], expected)


def test_deaths_are_of_one_class_each():
    labels = torch.arange(40) % 2
    places = torch.linspace(0, 1, 40)[:, None] + 100 * labels[:, None]
    assert held_out_deaths(places, labels, 10, 1).max() < 1


def test_arms_of_a_seed_see_the_same_images_and_seeds_others(section):
    images = section.spec("plain").protocol.images
    assert images == section.spec("densified").protocol.images
    first, again, other = (images.training(section.context, seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, again.images) and not torch.equal(first.images, other.images)
    assert first.sub_batch == images.sub_batch and len(first) == 10 * images.per_class
