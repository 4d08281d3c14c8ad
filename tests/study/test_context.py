import dataclasses

import pytest
import torch

from lggkit import experiments
from lggkit.evaluation import predict
from lggkit.experiments import Arm, Experiment
from lggkit.networks import build
from lggkit.record import Protocol
from lggkit.study.context import StudyContext
from lggkit.training import Stream, Teacher, TrainConfig, TrainResult, train

NAME = "lgg/s00_toy"


@pytest.fixture
def calls(monkeypatch):
    """A toy experiment whose network is one weight, its seed once trained; what was trained together."""
    made = []

    def train(specs, context):
        made.append([spec.seed for spec in specs])
        results = []
        for spec in specs:
            model = toy.build(spec, context)
            with torch.no_grad():
                model.weight.fill_(spec.seed)
            lost = "the loss was nan" if spec.seed == 9 else None
            results.append(TrainResult(model, {"train_loss": [1.0]}, lost, 2.0, "cpu", 3))
        return results

    toy = Experiment(
        name=NAME,
        title="toy",
        protocols=dict.fromkeys(("smoke", "reduced", "paper"), Protocol()),
        arms=(Arm("base", "b"),),
        seeds={"smoke": 1, "reduced": 3, "paper": 5},
        measure=lambda specs, context: iter(()),
        build=lambda spec, context: torch.nn.Linear(1, 1, bias=False),
        train=train,
    )
    monkeypatch.setattr(experiments, "get", lambda name: toy)
    return made


@pytest.fixture
def context(tmp_path):
    return StudyContext(weights=tmp_path, commit="abc")


def specs(*seeds):
    return [experiments.get(NAME).spec("base", "smoke", seed) for seed in seeds]


def test_missing_networks_are_trained_together_and_kept(calls, context):
    results = context.trainings(specs(0, 1))
    assert calls == [[0, 1]] and [r.model.weight.item() for r in results] == [0.0, 1.0]
    again = context.trainings(specs(2, 1, 0))
    assert calls == [[0, 1], [2]]
    assert [r.model.weight.item() for r in again] == [2.0, 1.0, 0.0]
    assert dataclasses.replace(again[1], model=None) == dataclasses.replace(results[1], model=None)


def test_a_network_is_found_again_by_another_process(calls, context, tmp_path):
    context.trained(specs(4)[0])
    other = StudyContext(weights=tmp_path, commit="abc")
    assert other.trained(specs(4)[0]).weight.item() == 4.0 and calls == [[4]]


def test_asked_for_twice_it_is_trained_once(calls, context):
    first, second = context.trainings(specs(3, 3))
    assert calls == [[3]] and first.model is second.model


def test_a_diverged_network_is_told_and_not_kept(calls, context, tmp_path):
    assert context.trainings(specs(9))[0].diverged == "the loss was nan"
    assert list(tmp_path.iterdir()) == []
    context.trainings(specs(9))
    assert calls == [[9], [9]]


def test_weights_without_their_history_are_trained_anew(calls, context, tmp_path):
    context.trained(specs(5)[0])
    next(tmp_path.glob("*.json")).unlink()
    context.trained(specs(5)[0])
    assert calls == [[5], [5]]


def test_data_is_loaded_once(context, monkeypatch):
    first = context.data("digits")
    assert context.data("digits") is first and context.data("digits", train=False) is not first


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_kept_network_is_measured_to_the_bit_as_a_fresh_one(monkeypatch, tmp_path, last, precision):
    """A study that was interrupted between training and measuring writes what an uninterrupted one does."""
    settings = TrainConfig(epochs=1, batch_size=300, channels_last=last, precision=precision)

    def made(spec, context):
        return build("small_net", seed=spec.seed, width=5)

    def trained(specs, context):
        return [train(made(spec, context), context.data("digits"), settings) for spec in specs]

    experiment = Experiment(
        name=NAME,
        title="toy",
        protocols=dict.fromkeys(("smoke", "reduced", "paper"), Protocol()),
        arms=(Arm("base", "b"),),
        seeds={"smoke": 1, "reduced": 3, "paper": 5},
        measure=lambda specs, context: iter(()),
        build=made,
        train=trained,
    )
    monkeypatch.setattr(experiments, "get", lambda name: experiment)
    fresh, kept = (StudyContext(weights=tmp_path, commit="abc").trained(specs(0)[0]) for _ in range(2))
    assert fresh is not kept and fresh.training == kept.training is False
    images = StudyContext(commit="abc").data("digits", train=False).images
    for dtype in (torch.float32, torch.bfloat16):
        assert torch.equal(*(predict(model, images, dtype=dtype) for model in (fresh, kept)))
    teachers = [Teacher(model, ["middle"]) for model in (fresh, kept)]
    batch = Stream(StudyContext(commit="abc").data("digits"), settings, 0).batch(0)
    assert torch.equal(*(teacher(batch)["middle"] for teacher in teachers))
    assert torch.equal(*(input_gradient(model, batch) for model in (fresh, kept)))


def input_gradient(model, batch):
    images = batch.images.clone().requires_grad_()
    return torch.autograd.grad(model(images).logsumexp(1).sum(), images)[0]
