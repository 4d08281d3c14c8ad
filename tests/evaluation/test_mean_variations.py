"""Label variation by depth, averaged over draws that are the same for every network."""

import pytest
import torch

from lggkit import graph
from lggkit.data import load
from lggkit.evaluation.geometry import MEAN_DRAW_SEED, balanced_draws, mean_variations
from lggkit.latents import latents
from lggkit.networks import build, with_normalization


@pytest.fixture
def model():
    return with_normalization(build("small_net", seed=0, channels=1, width=4), [0.3], [0.4]).eval()


def test_it_is_the_mean_over_balanced_draws_of_all_classes_at_every_depth(model):
    data = load("digits", train=False)
    source = torch.Generator().manual_seed(MEAN_DRAW_SEED)
    draws = balanced_draws(data.labels, 3, 10, 2, source)
    depths, expected = ("input", *model.depths, "output"), []
    for depth in depths:
        values = []
        for indices, labels in zip(draws.indices, draws.labels, strict=True):
            x = latents(model, data.images[indices] / 255, [depth], detach=True)[depth].flatten(1)
            kind = {"similarity": "rbf", "bandwidth": "median"} if depth == "output" else {}
            joined = graph.latent_geometry_graph(x, k=5, normalized=False, **kind)
            values.append(
                graph.normalized_label_variation(joined, labels, 5, denominator="edges-possible").item()
            )
        expected.append(sum(values) / 3)
    assert mean_variations(model, data, 3, 2) == pytest.approx(expected, rel=1e-4)
    assert mean_variations(model, data, 3, 2) == mean_variations(model, data, 3, 2)


def test_more_images_than_a_class_has_are_refused(model):
    with pytest.raises(ValueError, match="a draw needs 10 classes with 999 images each"):
        mean_variations(model, load("digits", train=False), 3, 999)
