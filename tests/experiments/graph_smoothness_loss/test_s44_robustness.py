import dataclasses
from statistics import mean

import pytest
import torch

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.evaluation import mean_corruption_error, relative_mean_corruption_error
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


def test_means_are_over_the_cross_entropy_network_of_the_same_seed(records):
    assert table(records["cross_entropy", 0]) != table(records["cross_entropy", 1])
    for seed, record in ((seed, r) for (arm, seed), r in records.items() if arm != "contact_sheet"):
        reference = records["cross_entropy", seed]
        errors, theirs = table(record), table(reference)
        clean, their_clean = (r.metrics["clean_error"] for r in (record, reference))
        assert record.metrics["mce"] == pytest.approx(mean_corruption_error(errors, theirs))
        harmful = [name for name in CHOSEN if mean(theirs[name]) > their_clean]
        assert record.metrics["relative_corruptions"] == len(harmful) > 0
        expected = relative_mean_corruption_error(
            {name: errors[name] for name in harmful},
            clean,
            {name: theirs[name] for name in harmful},
            their_clean,
        )
        assert record.metrics["relative_mce"] == pytest.approx(expected)
        assert record.metrics["mean_corrupted_error"] == pytest.approx(mean(map(mean, errors.values())))


def test_the_reference_is_at_100(records):
    for seed in (0, 1):
        metrics = records["cross_entropy", seed].metrics
        assert metrics["mce"] == pytest.approx(100) and metrics["relative_mce"] == pytest.approx(100)
    assert records["graph_smoothness", 0].metrics["mce"] != pytest.approx(100)


def wrong(answers, labels):
    return 100 * (answers != labels).double().mean().item()


def votes(model, context, depth, images):
    base = context.data("digits")
    with torch.no_grad():
        ours, theirs = (latents(model, x / 255, [depth])[depth].double() for x in (base.images, images))
    return base.labels[torch.cdist(theirs, ours).topk(10, largest=False).indices].mode(1).values


def test_errors_are_of_the_first_images_each_network_answering_in_its_own_way(records, context):
    test = context.data("digits", train=False)
    labels, ours = test.labels[:80], context.trainings([s44.EXPERIMENT.spec("graph_smoothness", "smoke")])[0]
    entropy = context.trained(s43.EXPERIMENT.spec("cross_entropy-cifar10", "smoke")).eval()
    for place, severity in enumerate(SEVERE):
        images = corrupt(test.images[:80], "gaussian_noise", severity)
        expected = {
            "cross_entropy": wrong(entropy(images / 255).argmax(1), labels),
            "cross_entropy_10nn": wrong(votes(entropy, context, "penultimate", images), labels),
            "graph_smoothness": wrong(votes(ours.model.eval(), context, "output", images), labels),
        }
        for arm, error in expected.items():
            found = records[arm, 0].metrics["errors_gaussian_noise"][place]
            assert found == pytest.approx(error, abs=1.3), (arm, severity)


def test_clean_errors_are_on_all_test_images_but_those_of_the_means_on_the_first(records, context):
    test = context.data("digits", train=False)
    for seed in (0, 1):
        model = context.trained(s43.EXPERIMENT.spec("cross_entropy-cifar10", "smoke", seed)).eval()
        answers, metrics = model(test.images / 255).argmax(1), records["cross_entropy", seed].metrics
        assert metrics["test_error"] == pytest.approx(wrong(answers, test.labels))
        assert metrics["clean_error"] == pytest.approx(wrong(answers[:80], test.labels[:80]))
    model = context.trained(s44.EXPERIMENT.spec("graph_smoothness", "smoke")).eval()
    expected = wrong(votes(model, context, "output", test.images), test.labels)
    assert records["graph_smoothness", 0].metrics["error_10nn"] == pytest.approx(expected, abs=0.61)
    assert "test_error" not in records["graph_smoothness", 0].metrics


def test_one_run_alone_is_what_it_is_in_a_group(records, context):
    spec = s44.EXPERIMENT.spec("graph_smoothness", "smoke", seed=1)
    (record,) = s44.measure([spec], context)
    expected = records["graph_smoothness", 1].metrics
    assert record.metrics.keys() == expected.keys()
    for name in ("clean_error", "mean_corrupted_error", "errors_contrast"):
        assert record.metrics[name] == pytest.approx(expected[name], abs=1.3)
    assert record.metrics["mce"] == pytest.approx(expected["mce"], rel=0.05)


def test_where_the_reference_diverged_the_rest_is_recorded(context, monkeypatch, tmp_path):
    experiment = s44.EXPERIMENT
    own = experiment.spec("graph_smoothness", "smoke")
    reference = experiment.spec("cross_entropy", "smoke")
    results = dict(zip((own, reference), context.trainings([own, own]), strict=True))
    results[reference] = dataclasses.replace(results[reference], diverged="the loss was nan")
    monkeypatch.setattr("lggkit.experiments.corruption_runs.trained", lambda *_: results)
    ours, theirs = s44.measure([own, reference], context)
    assert ours.status == "complete" and "mce" not in ours.metrics and ours.metrics["error_10nn"] > 0
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
