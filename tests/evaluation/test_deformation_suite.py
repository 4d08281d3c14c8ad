"""Label variation by depth, steps, expansion and margins of a network, against their definitions."""

from statistics import median

import pytest
import torch

from lggkit.data import load
from lggkit.evaluation import distance_expansion, input_margins, margins
from lggkit.evaluation.deformation_suite import INPUT_EDGES, LOGIT_EDGES, DeformationSuite
from lggkit.graph import label_variation, latent_geometry_graph
from lggkit.latents import latents
from lggkit.networks import build, with_normalization

SUITE = DeformationSuite(batches=2, graph_size=30)


@pytest.fixture(scope="module")
def models():
    inner = (build("preact_resnet18", seed=seed, classes=10, width=2, channels=1) for seed in (0, 1))
    return [with_normalization(network, [0.3], [0.4]).eval() for network in inner]


@pytest.fixture(scope="module")
def test():
    return load("digits", train=False)


@pytest.fixture(scope="module")
def images(test):
    return test.images[:25] / 255, test.labels[:25]


@pytest.fixture(scope="module")
def metrics(models, test, images):
    return SUITE.metrics(*models, test, images)


def maps(model, test, place):
    part = slice(30 * place, 30 * place + 30)
    seen = latents(model, test.images[part] / 255, ["input", *model.relu_depths], detach=True)
    return list(seen.values()), test.labels[part]


def test_label_variation_is_measured_before_and_after_training(metrics, models, test):
    for model, name in zip(models, ("", "_untrained"), strict=True):
        values = []
        for place in range(2):
            seen, labels = maps(model, test, place)
            graphs = [latent_geometry_graph(x.flatten(1).double(), normalized=False) for x in seen[1:]]
            values.append([label_variation(a, labels, 2).item() for a in graphs])
        expected = torch.tensor(values)
        assert len(metrics[f"variation_by_depth{name}"]) == 17
        assert metrics[f"variation_by_depth{name}"] == pytest.approx(expected.mean(0).tolist(), rel=1e-3)
        if not name:
            steps = expected.diff(dim=1).abs().amax(1).mean().item()
            assert metrics["largest_variation_step"] == pytest.approx(steps, rel=1e-3)


def test_expansion_is_the_median_over_batches(metrics, models, test):
    expansions = [distance_expansion(*maps(models[0], test, place)) for place in range(2)]
    assert metrics["distance_expansion"] == pytest.approx(median(expansions), rel=1e-4)


def test_histograms_count_every_image_whose_margins_they_are(metrics, models, images):
    near = input_margins(models[0], *images)
    assert metrics["input_margin_median"] == pytest.approx(float(near.median()), rel=1e-5)
    for kind, edges in (("logit", LOGIT_EDGES), ("input", INPUT_EDGES)):
        counts = metrics[f"{kind}_margin_histogram"]
        assert metrics[f"{kind}_margin_edges"] == list(edges) == sorted(edges)
        assert len(edges) == len(counts) + 1 and sum(counts) == 25
    by_logits = margins(models[0](images[0]).detach(), images[1])
    above = sum(metrics["logit_margin_histogram"][LOGIT_EDGES.index(0.0) :])
    assert above == (by_logits >= 0).sum()


def test_both_networks_stay_in_the_mode_they_were_in(models, test, images):
    models[1].train()
    before = {name: value.clone() for name, value in models[1].state_dict().items()}
    SUITE.metrics(*models, test, images)
    assert models[1].training and not models[0].training
    assert all(torch.equal(value, before[name]) for name, value in models[1].state_dict().items())
    models[1].eval()
