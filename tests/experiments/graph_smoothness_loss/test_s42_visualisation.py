import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.experiments.graph_smoothness_loss import s42_visualisation as s42
from lggkit.experiments.graph_smoothness_loss.s42_visualisation import EXPERIMENT, filmed_images, frame_of
from lggkit.experiments.recipes.embedder import GRAPH_SMOOTHNESS


@pytest.fixture
def images(section):
    """The images that are filmed."""
    return filmed_images(section.experiment.protocols["smoke"], section.context.data("digits")).images


@pytest.fixture
def begun(section):
    """A function from an arm to its network before training."""
    return lambda arm: section.spec(arm).protocol.description.untrained(0, section.context)


def test_metrics_are_those_of_the_film(records):
    for (arm, _), record in records.items():
        film, labels = (torch.from_numpy(record.arrays[name]) for name in ("embeddings", "labels"))
        assert film.shape == (3, 80, 2) and film.dtype == torch.float16 and labels.shape == (80,)
        assert record.arrays["epochs"].tolist() == [0, 2, 3] == record.curves["test_epoch"]
        assert record.metrics["initial_distance_correlation_by_moment"][0] == pytest.approx(1)
        for name in ("silhouette", "silhouette_cosine", "class_elongation", "initial_distance_correlation"):
            by_moment = record.metrics[f"{name}_by_moment"]
            assert len(by_moment) == 3 and record.metrics[name] == by_moment[-1]
        weight = GRAPH_SMOOTHNESS.weight if arm.startswith("graph_smoothness") else 1.0
        expected = record.curves["train_loss"][-1] / weight
        assert record.metrics["final_train_loss"] == pytest.approx(expected)


def test_all_films_are_of_the_same_images(records):
    labels = [r.arrays["labels"].tolist() for r in records.values()]
    assert labels.count(labels[0]) == len(labels)


@pytest.mark.parametrize("arm", [arm.name for arm in EXPERIMENT.arms])
def test_a_film_begins_with_the_network_before_training_and_ends_with_the_trained_one(
    section, records, images, begun, arm
):
    depth = section.spec(arm).protocol.embedder.embedding_depth
    film = torch.from_numpy(records[arm, 0].arrays["embeddings"])
    for model, frame in ((begun(arm), film[0]), (section.network(arm), film[-1])):
        torch.testing.assert_close(frame_of(model, images, depth).half(), frame, rtol=1e-2, atol=1e-2)


def test_embeddings_are_normalised_as_their_arms_say(records, begun):
    films = {arm: r.arrays["embeddings"].astype(float) for (arm, seed), r in records.items() if not seed}
    np.testing.assert_allclose(np.linalg.norm(films["graph_smoothness_l2"], axis=2), 1, atol=2e-3)
    np.testing.assert_allclose(films["graph_smoothness"].mean(1), 0, atol=5e-3)
    np.testing.assert_allclose(films["graph_smoothness"].std(1), 1, atol=5e-3)
    assert not any(isinstance(module, nn.BatchNorm1d) for module in begun("cross_entropy").modules())
    assert any(isinstance(m, nn.BatchNorm1d) for m in begun("cross_entropy_batch_norm").modules())


def test_cross_entropy_is_filmed_at_its_bottleneck(section, images):
    """What the last linear layer makes of a frame are the logits."""
    model = section.network("cross_entropy")
    frame = frame_of(model, images, section.spec("cross_entropy").protocol.embedder.embedding_depth)
    with torch.no_grad():
        logits = model.train()(images.float() / 255)
        torch.testing.assert_close(model.model.classifier(frame), logits, rtol=1e-3, atol=1e-3)


def test_all_arms_start_from_the_same_network(begun):
    first, second = (
        dict(begun(arm).named_parameters()) for arm in ("graph_smoothness", "graph_smoothness_l2")
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_look_leaves_the_network_as_it_is(images, begun):
    model = begun("graph_smoothness").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    frame_of(model, images, "output")
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_frame_has_the_statistics_of_its_images(images, begun):
    model = begun("graph_smoothness").eval()
    frame = frame_of(model, images, "output")
    torch.testing.assert_close(frame.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(frame.std(0, correction=0), torch.ones(2), atol=1e-3, rtol=0)
    assert not model.training


def test_the_film_is_kept_with_the_network(section, records):
    """A study that was stopped between training and its record finds film and curves again."""
    (again,) = s42.measure([section.spec("graph_smoothness")], section.again())
    assert (again.arrays["embeddings"] == records["graph_smoothness", 0].arrays["embeddings"]).all()
    assert again.metrics == records["graph_smoothness", 0].metrics


def test_the_papers_protocol_is_the_papers():
    paper = EXPERIMENT.protocols["paper"]
    embedder = paper.embedder
    assert (embedder.dataset, embedder.network, embedder.width) == ("cifar10", "preact_resnet18", 64)
    assert embedder.own_dimension == 2
    training = embedder.own_training
    assert (training.epochs, training.batch_size, training.learning_rate) == (200, 100, 0.1)
    assert (training.nesterov, training.weight_decay) == (True, 1e-4)
    assert training.schedule.milestones == (100, 150) and training.schedule.gamma == 0.1
    arms = {a.name: EXPERIMENT.spec(a.name, "paper").protocol.embedder.normalization for a in EXPERIMENT.arms}
    assert arms == {
        "cross_entropy": None,
        "cross_entropy_batch_norm": "batch_norm",
        "graph_smoothness": "batch_norm",
        "graph_smoothness_l2": "l2",
    }


@pytest.mark.parametrize("moments", [(), (1, 200), (0, 100), (0, 150, 100, 200), (0, 100, 100, 200)])
def test_moments_must_span_the_training(moments):
    with pytest.raises(ValueError, match="rise from 0 to 200"):
        dataclasses.replace(EXPERIMENT.protocols["paper"], moments=moments)
