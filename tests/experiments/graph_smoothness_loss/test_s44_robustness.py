import pytest
import torch

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.experiments.graph_smoothness_loss.s44_robustness import EXPERIMENT
from lggkit.latents import latents

SEVERE, FIRST = (3, 5), 80
NETWORKS = ("cross_entropy", "cross_entropy_10nn", "graph_smoothness")


def test_the_reference_that_votes_is_the_reference(records):
    networks = {arm: records[arm, 0].network for arm in ("cross_entropy", "cross_entropy_10nn")}
    assert len(set(networks.values())) == 1 and records["contact_sheet", 0].network == ""


@torch.no_grad()
def places(model, depth, images, labels):
    return latents(model.eval(), images / 255, [depth])[depth].double(), labels


@pytest.fixture
def error_bounds(section, bounds):
    """What the error of an arm on images must lie between, given its network."""

    def of(arm, model, images, labels):
        if arm == "cross_entropy":
            return bounds.logits(model, images / 255, labels)
        depth = "penultimate" if arm == "cross_entropy_10nn" else "output"
        base = section.context.data("digits")
        known = places(model, depth, base.images, base.labels)
        return bounds.votes(known, places(model, depth, images, labels), 10)

    return of


@pytest.mark.parametrize("arm", NETWORKS)
def test_errors_are_of_the_first_images_each_network_answering_in_its_own_way(
    section, records, bounds, error_bounds, arm
):
    test = section.context.data("digits", train=False)
    for place, severity in enumerate(SEVERE):
        images = corrupt(test.images[:FIRST], "gaussian_noise", severity)
        error = records[arm, 0].metrics["errors_gaussian_noise"][place]
        expected = error_bounds(arm, section.network(arm), images, test.labels[:FIRST])
        assert bounds.within(error, expected), severity


def test_clean_errors_are_on_all_test_images_but_those_of_the_means_on_the_first(
    section, records, bounds, error_bounds
):
    test = section.context.data("digits", train=False)
    for arm, seed in ((arm, seed) for arm, seed in records if arm in NETWORKS):
        model, metrics = section.network(arm, seed), records[arm, seed].metrics
        asked = {"test_error": len(test)} if arm == "cross_entropy" else {"error_10nn": len(test)}
        for name, count in {**asked, "clean_error": FIRST}.items():
            expected = error_bounds(arm, model, test.images[:count], test.labels[:count])
            assert bounds.within(metrics[name], expected), (arm, name)
    assert "test_error" not in records["graph_smoothness", 0].metrics


def test_the_papers_protocol_is_the_papers():
    paper = EXPERIMENT.spec("graph_smoothness", "paper").protocol
    embedder, suite = paper.embedder, paper.benchmark
    assert (embedder.dataset, embedder.network, embedder.width) == ("cifar10", "preact_resnet18", 64)
    assert embedder.own_training.epochs == 200
    assert (embedder.loss.alpha, embedder.loss.k, embedder.own_dimension, paper.vote) == (2.0, None, 200, 10)
    assert (suite.corruptions, suite.severities) == (CORRUPTIONS, SEVERITIES)
    assert suite.corruption_images is None and len(CORRUPTIONS) == 15
    for scale in ("short", "reduced"):
        suite = EXPERIMENT.spec("graph_smoothness", scale).protocol.benchmark
        assert (suite.corruption_images, suite.corruptions) == (1000, CORRUPTIONS)
    scales = ("short", "reduced", "paper")
    counts = {a.name: {EXPERIMENT.seed_count(a, s) for s in scales} for a in EXPERIMENT.arms}
    assert counts.pop("contact_sheet") == {1} and set.union(*counts.values()) == {3}


def test_the_contact_sheet_shows_the_first_test_images_under_every_corruption(section, records):
    cells = records["contact_sheet", 0].arrays["images"]
    images = section.context.data("digits", train=False).images[:15]
    assert cells.shape == (15, 6, *images.shape[1:]) and cells.dtype == "uint8"
    assert torch.equal(torch.from_numpy(cells[:, 0]), images)
    place, severity = CORRUPTIONS.index("contrast"), SEVERITIES.index(4)
    made = corrupt(images[place, None], "contrast", 4)
    assert torch.equal(torch.from_numpy(cells[place, 1 + severity])[None], made)
