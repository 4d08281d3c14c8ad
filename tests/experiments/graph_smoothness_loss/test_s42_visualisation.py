import dataclasses

import numpy as np
import pytest
import torch
from lggkit.experiments.embedding_runs import GRAPH_SMOOTHNESS
from torch import nn

from lggkit.experiments.graph_smoothness_loss import s42_visualisation as s42
from lggkit.study.context import StudyContext

EXPERIMENT = s42.EXPERIMENT


@pytest.fixture(scope="module")
def quick():
    """The smoke protocol on larger batches, few points, one seed an arm."""
    training = dataclasses.replace(s42.SMOKE.training, epochs=3, batch_size=256, learning_rate=0.02)
    smoke = dataclasses.replace(
        s42.SMOKE, training=training, moments=(0, 2, 3), points=80, base=200, queries=100, width=4
    )
    return dataclasses.replace(
        EXPERIMENT, protocols=EXPERIMENT.protocols | {"smoke": smoke}, seeds={"smoke": 1}
    )


@pytest.fixture(scope="module")
def context(tmp_path_factory, quick):
    patch = pytest.MonkeyPatch()
    patch.setattr("lggkit.experiments.get", lambda name: quick)
    yield StudyContext(weights=tmp_path_factory.mktemp("weights"), commit="test")
    patch.undo()


@pytest.fixture(scope="module")
def records(quick, context):
    return {r.arm: r for r in s42.measure(quick.specs("smoke"), context)}


def test_every_arm_gives_a_complete_record(records):
    assert set(records) == {arm.name for arm in EXPERIMENT.arms}
    assert {r.status for r in records.values()} == {"complete"}


def test_everything_that_cells_and_claims_compare_is_measured(records, compared):
    for arm, metric in compared(EXPERIMENT.name):
        assert metric in records[arm].metrics, (arm, metric)


def test_metrics_are_those_of_the_film(records):
    for record in records.values():
        film, labels = (torch.from_numpy(record.arrays[name]) for name in ("embeddings", "labels"))
        assert film.shape == (3, 80, 2) and film.dtype == torch.float16 and labels.shape == (80,)
        assert record.arrays["epochs"].tolist() == [0, 2, 3]
        assert record.metrics["initial_distance_correlation_by_moment"][0] == pytest.approx(1)
        for name in ("silhouette", "silhouette_cosine", "class_elongation", "initial_distance_correlation"):
            by_moment = record.metrics[f"{name}_by_moment"]
            assert len(by_moment) == 3 and record.metrics[name] == by_moment[-1]
        weight = GRAPH_SMOOTHNESS.weight if record.arm.startswith("graph_smoothness") else 1.0
        expected = record.curves["train_loss"][-1] / weight
        assert record.metrics["final_train_loss"] == pytest.approx(expected)


def test_all_films_are_of_the_same_images(records):
    labels = [r.arrays["labels"].tolist() for r in records.values()]
    assert labels.count(labels[0]) == len(labels)


def test_a_film_shows_the_network_of_each_moment(quick, context, monkeypatch):
    """Frames are made up: each holds the number of the look at which it was taken."""
    spec = quick.spec("graph_smoothness", "smoke")
    model, images = s42.build_filmed(spec, context), s42.filmed_images(spec.protocol, context.data("digits"))
    monkeypatch.setattr(s42, "frame_of", lambda model, x, _: torch.full((len(x), 2), float(model.looks)))
    for _ in range(4):
        s42.look(model, images.images, spec.protocol)
    assert model.film[:, 0, 0].tolist() == [0, 2, 3] and torch.equal(model.film[:, 0], model.film[:, -1])


def test_embeddings_are_normalised_as_their_arms_say(records, quick, context):
    films = {arm: r.arrays["embeddings"].astype(float) for arm, r in records.items()}
    np.testing.assert_allclose(np.linalg.norm(films["graph_smoothness_l2"], axis=2), 1, atol=2e-3)
    np.testing.assert_allclose(films["graph_smoothness"].mean(1), 0, atol=5e-3)
    np.testing.assert_allclose(films["graph_smoothness"].std(1), 1, atol=5e-3)
    kinds = {
        type(module) for module in s42.build_filmed(quick.spec("cross_entropy", "smoke"), context).modules()
    }
    assert nn.BatchNorm1d not in kinds


def test_cross_entropy_is_filmed_at_its_bottleneck(quick, context):
    """What the last linear layer makes of a frame are the logits."""
    spec = quick.spec("cross_entropy", "smoke")
    model = context.trained(spec)
    images = s42.filmed_images(spec.protocol, context.data("digits")).images
    frame = s42.frame_of(model, images, spec.protocol)
    with torch.no_grad():
        logits = model.train()(images.float() / 255)
        torch.testing.assert_close(model.model.classifier(frame), logits, rtol=1e-3, atol=1e-3)


def test_all_arms_start_from_the_same_network(quick, context):
    first, second = (
        dict(s42.build_filmed(quick.spec(arm, "smoke"), context).named_parameters())
        for arm in ("graph_smoothness", "graph_smoothness_l2")
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items() if name in second)


def test_a_look_leaves_the_network_as_it_is(quick, context):
    spec = quick.spec("graph_smoothness", "smoke")
    model = s42.build_filmed(spec, context)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = s42.filmed_images(spec.protocol, context.data("digits")).images
    assert s42.look(model, images, spec.protocol) == {} and model.training
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"film", "looks"}
    assert model.film[0].any() and not model.film[1:].any()
    s42.look(model, images, spec.protocol)
    assert not model.film[1:].any(), "epoch 1 is no moment"


def test_a_frame_has_the_statistics_of_its_images(quick, context):
    spec = quick.spec("graph_smoothness", "smoke")
    model = s42.build_filmed(spec, context).eval()
    images = s42.filmed_images(spec.protocol, context.data("digits")).images
    frame = s42.frame_of(model, images, spec.protocol)
    torch.testing.assert_close(frame.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(frame.std(0, correction=0), torch.ones(2), atol=1e-3, rtol=0)
    assert not model.training


def test_the_film_is_kept_with_the_network(quick, context, records):
    """A study that was stopped between training and its record finds film and curves again."""
    spec = quick.spec("graph_smoothness", "smoke")
    again = next(s42.measure([spec], StudyContext(weights=context.weights, commit="test")))
    assert (again.arrays["embeddings"] == records["graph_smoothness"].arrays["embeddings"]).all()
    assert again.metrics == records["graph_smoothness"].metrics


def test_a_training_that_was_interrupted_has_the_whole_film(quick, records, tmp_path, monkeypatch):
    spec = quick.spec("graph_smoothness", "smoke")
    monkeypatch.setattr("lggkit.experiments.get", lambda name: quick)
    looks = []

    def stop(*arguments):
        looks.append(s42_look(*arguments))
        if len(looks) == 4:
            raise KeyboardInterrupt
        return {}

    s42_look = s42.look
    context = StudyContext(weights=tmp_path, commit="test")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(s42, "look", stop)
        s42.train_networks([spec], context)
    record = next(s42.measure([spec], context))
    assert (record.arrays["embeddings"] == records["graph_smoothness"].arrays["embeddings"]).all()


def test_a_diverged_training_is_a_record(quick, monkeypatch, tmp_path):
    wild = dataclasses.replace(quick.protocols["smoke"].training, learning_rate=1e30)
    protocol = dataclasses.replace(quick.protocols["smoke"], training=wild)
    diverging = dataclasses.replace(quick, protocols={"smoke": protocol})
    monkeypatch.setattr("lggkit.experiments.get", lambda name: diverging)
    specs = diverging.specs("smoke", "cross_entropy")
    record = next(s42.measure(specs, StudyContext(weights=tmp_path, commit="test")))
    assert record.status == "diverged" and "loss" in record.reason and record.metrics == {}


def test_the_papers_protocol_is_the_papers():
    paper = EXPERIMENT.protocols["paper"]
    assert (paper.dataset, paper.network, paper.width, paper.own_dimension) == (
        "cifar10",
        "preact_resnet18",
        64,
        2,
    )
    training = paper.own_training
    assert (training.epochs, training.batch_size, training.learning_rate) == (200, 100, 0.1)
    assert (training.nesterov, training.weight_decay) == (True, 1e-4)
    assert training.schedule.milestones == (100, 150) and training.schedule.gamma == 0.1
    normalizations = {
        a.name: EXPERIMENT.spec(a.name, "paper").protocol.normalization for a in EXPERIMENT.arms
    }
    assert normalizations == {
        "cross_entropy": None,
        "cross_entropy_batch_norm": "batch_norm",
        "graph_smoothness": "batch_norm",
        "graph_smoothness_l2": "l2",
    }
    assert paper.every == 5 and EXPERIMENT.protocols["reduced"].every == 1


@pytest.mark.parametrize("moments", [(), (1, 200), (0, 100), (0, 150, 100, 200), (0, 100, 100, 200)])
def test_moments_must_span_the_training(moments):
    with pytest.raises(ValueError, match="rise from 0 to 200"):
        dataclasses.replace(EXPERIMENT.protocols["paper"], moments=moments)
