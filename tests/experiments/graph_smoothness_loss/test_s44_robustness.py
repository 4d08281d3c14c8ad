import dataclasses

import pytest
import torch
from lggkit.experiments.corruption_runs import Robustness, robustness_metrics

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.experiments.graph_smoothness_loss import s43_classification as s43
from lggkit.experiments.graph_smoothness_loss import s44_robustness as s44
from lggkit.latents import latents
from lggkit.study.context import StudyContext
from lggkit.training import TrainConfig

EXPERIMENT = s44.EXPERIMENT
CHOSEN, SEVERE = ("gaussian_noise", "contrast"), (3, 5)


@pytest.fixture(scope="module")
def quick():
    training = TrainConfig(epochs=3, batch_size=128, learning_rate=0.05, augment=False)
    few = {"corruptions": CHOSEN, "severities": SEVERE, "corruption_images": 80}
    smoke = dataclasses.replace(s44.SMOKE, training=training, **few)
    return dataclasses.replace(EXPERIMENT, protocols=EXPERIMENT.protocols | {"smoke": smoke})


@pytest.fixture(scope="module")
def context(tmp_path_factory, quick):
    patch = pytest.MonkeyPatch()
    smoke = dataclasses.replace(s43.SMOKE, training=quick.protocols["smoke"].training)
    theirs = dataclasses.replace(s43.EXPERIMENT, protocols=s43.EXPERIMENT.protocols | {"smoke": smoke})
    patch.setattr(s44, "EXPERIMENT", quick)
    patch.setattr(s43, "EXPERIMENT", theirs)
    yield StudyContext(weights=tmp_path_factory.mktemp("weights"), commit="test")
    patch.undo()


def test_every_arm_gives_a_complete_record(records, quick):
    assert set(records) == {(s.arm, s.seed) for s in quick.specs("smoke")}
    assert {r.status for r in records.values()} == {"complete"}


def test_everything_that_cells_and_claims_of_both_papers_compare_is_measured(records, compared):
    for arm, metric in compared(EXPERIMENT.name):
        assert isinstance(records[arm, 0].metrics[metric], float), (arm, metric)


def table(record):
    return {name: record.metrics[f"errors_{name}"] for name in CHOSEN}


def robustness(record):
    return Robustness(record.metrics["clean_error"], table(record))


def test_means_are_over_the_cross_entropy_network_of_the_same_seed(records):
    for seed, record in ((seed, r) for (arm, seed), r in records.items() if arm != "contact_sheet"):
        expected = robustness_metrics(robustness(record), robustness(records["cross_entropy", seed]))
        found = {name: value for name, value in record.metrics.items() if name in expected}
        assert found == {name: pytest.approx(value) for name, value in expected.items()}
        assert "mce" in found


def test_the_mean_of_one_run_alone_is_over_the_reference_of_its_seed(context, monkeypatch):
    """A run's own errors and the reference's are made up, and differ between the seeds."""
    experiment = s44.EXPERIMENT

    def tables(answers, _):
        return {spec: made_up(spec) for spec in answers}

    def made_up(spec):
        scale = {"cross_entropy": 1.0, "graph_smoothness": 0.5}[spec.arm] * (1 + spec.seed)
        return Robustness(10 * scale, {"fog": (20 * scale, 40 * scale**2)})

    monkeypatch.setattr("lggkit.experiments.corruption_runs.robustness_tables", tables)
    for seed in (0, 1):
        spec, reference = (experiment.spec(a, "smoke", seed) for a in ("graph_smoothness", "cross_entropy"))
        (record,) = s44.measure([spec], context)
        expected = robustness_metrics(made_up(spec), made_up(reference))
        assert {name: record.metrics[name] for name in expected} == expected


@torch.no_grad()
def places(model, depth, images, labels):
    return latents(model.eval(), images / 255, [depth])[depth].double(), labels


@pytest.fixture
def error_bounds(context, bounds):
    """What the error of an arm on images must lie between, given its network."""

    def of(arm, model, images, labels):
        if arm == "cross_entropy":
            return bounds.logits(model, images / 255, labels)
        depth, base = "penultimate" if arm == "cross_entropy_10nn" else "output", context.data("digits")
        held = places(model, depth, base.images, base.labels)
        return bounds.votes(held, places(model, depth, images, labels), 10)

    return of


def networks(context, seed=0):
    entropy = context.trained(s43.EXPERIMENT.spec("cross_entropy-cifar10", "smoke", seed))
    smooth = context.trained(s44.EXPERIMENT.spec("graph_smoothness", "smoke", seed))
    return {"cross_entropy": entropy, "cross_entropy_10nn": entropy, "graph_smoothness": smooth}


def test_errors_are_of_the_first_images_each_network_answering_in_its_own_way(
    records, context, bounds, error_bounds
):
    test = context.data("digits", train=False)
    for place, severity in enumerate(SEVERE):
        images = corrupt(test.images[:80], "gaussian_noise", severity)
        for arm, model in networks(context).items():
            found = records[arm, 0].metrics["errors_gaussian_noise"][place]
            assert bounds.within(found, error_bounds(arm, model, images, test.labels[:80])), (arm, severity)


def test_clean_errors_are_on_all_test_images_but_those_of_the_means_on_the_first(
    records, context, bounds, error_bounds
):
    test = context.data("digits", train=False)
    for seed in (0, 1):
        for arm, model in networks(context, seed).items():
            if (arm, seed) not in records:
                continue
            metrics = records[arm, seed].metrics
            asked = {"test_error": len(test)} if arm == "cross_entropy" else {"error_10nn": len(test)}
            for name, count in {**asked, "clean_error": 80}.items():
                expected = error_bounds(arm, model, test.images[:count], test.labels[:count])
                assert bounds.within(metrics[name], expected), (arm, name)
    assert "test_error" not in records["graph_smoothness", 0].metrics


def test_where_the_reference_diverged_the_rest_is_recorded(context, monkeypatch, tmp_path):
    experiment = s44.EXPERIMENT
    own = experiment.spec("graph_smoothness", "smoke")
    reference = experiment.spec("cross_entropy", "smoke")
    results = dict(zip((own, reference), context.trainings([own, own]), strict=True))
    results[reference] = dataclasses.replace(results[reference], diverged="the loss was nan")
    monkeypatch.setattr("lggkit.experiments.corruption_runs.trained", lambda *_: results)
    ours, theirs = s44.measure([own, reference], context)
    assert ours.status == "complete" and "mce" not in ours.metrics and "error_10nn" in ours.metrics
    assert theirs.status == "diverged" and theirs.metrics == {}


def test_the_papers_protocol_is_the_papers():
    paper = EXPERIMENT.spec("graph_smoothness", "paper").protocol
    assert (paper.dataset, paper.network, paper.width, paper.own_training.epochs) == (
        "cifar10",
        "preact_resnet18",
        64,
        200,
    )
    assert (paper.loss.alpha, paper.loss.k, paper.own_dimension, paper.vote) == (2.0, None, 200, 10)
    assert (paper.corruptions, paper.severities) == (CORRUPTIONS, SEVERITIES)
    assert paper.corruption_images is None and len(CORRUPTIONS) == 15
    reduced = EXPERIMENT.spec("graph_smoothness", "reduced").protocol
    assert (reduced.corruption_images, reduced.corruptions) == (1000, CORRUPTIONS)
    counts = {a.name: {EXPERIMENT.seed_count(a, s) for s in ("reduced", "paper")} for a in EXPERIMENT.arms}
    assert counts.pop("contact_sheet") == {1} and set.union(*counts.values()) == {3}


def test_the_contact_sheet_shows_the_first_test_images_under_every_corruption(records, context):
    cells = records["contact_sheet", 0].arrays["images"]
    images = context.data("digits", train=False).images[:15]
    assert cells.shape == (15, 6, *images.shape[1:]) and cells.dtype == "uint8"
    assert torch.equal(torch.from_numpy(cells[:, 0]), images)
    place, severity = CORRUPTIONS.index("contrast"), SEVERITIES.index(4)
    assert torch.equal(
        torch.from_numpy(cells[place, 1 + severity])[None], corrupt(images[place, None], "contrast", 4)
    )


@pytest.mark.parametrize(("source", "published"), [("CIFAR-10-C", 1.0), ("CIFAR-10-C-like", 0.0)])
def test_a_record_says_whose_corruptions_it_is_about(quick, context, records, monkeypatch, source, published):
    monkeypatch.setattr("lggkit.experiments.corruption_runs.source_of", lambda data: source)
    (record,) = s44.measure([quick.spec("cross_entropy", "smoke")], context)
    assert record.metrics["published_corruptions"] == published
    assert records["cross_entropy", 0].metrics["published_corruptions"] == 0
