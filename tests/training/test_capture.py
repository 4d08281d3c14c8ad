import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.training import MultiStep, Restart, Teacher, TrainConfig, capture, train, train_many
from lggkit.training.stream import StillBatch


def config(**settings):
    return TrainConfig(**{"epochs": 4, "batch_size": 8, "pad": 1, "learning_rate": 0.05, **settings})


@pytest.mark.parametrize("schedule", [MultiStep((2,), 0.3), Restart((1, 3), 0.5)])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_steps_from_device_memory_equal_eager_steps(
    data, make_net, pretend, eager, optimizer, schedule, close
):
    settings = config(schedule=schedule, optimizer=optimizer, learning_rate=0.01)
    captured = train(make_net(), data, settings, taps=["maps"], evaluate=data)
    assert captured.path.captured
    assert len(pretend) == 3 + 4 * 3
    plain = eager(make_net(), data, settings, evaluate=data)
    assert close(captured.model, plain.model)
    for name, values in plain.curves.items():
        assert captured.curves[name] == pytest.approx(values, rel=1e-4)


def test_the_step_that_is_replayed_equals_the_eager_one(data, make_net, pretend, eager, close):
    ours, theirs = train(make_net(dropout=0.4), data, config()), eager(make_net(dropout=0.4), data, config())
    assert ours.path.captured and ", eager" in str(theirs.path)
    assert close(ours.model, theirs.model)


def test_a_captured_training_continues_from_its_checkpoint(data, make_net, pretend, eager, tmp_path, close):
    def dies(model):
        dies.steps += 1
        if dies.steps == 22:
            raise KeyboardInterrupt

    dies.steps, file = 0, tmp_path / "run.pt"
    with pytest.raises(KeyboardInterrupt):
        train(make_net(), data, config(), after_step=dies, checkpoint=file, checkpoint_every=3)
    resumed = train(make_net(8), data, config(), checkpoint=file, checkpoint_every=3)
    assert resumed.steps == 16 and close(resumed.model, eager(make_net(), data, config()).model)
    assert "begun as" not in str(resumed.path)


def test_several_captured_together_equal_eager_alone(data, make_net, pretend, eager, close):
    together = train_many([make_net(0), make_net(1), make_net(2)], data, config(), seeds=[0, 1, 1])
    for network, seed, result in zip((0, 1, 2), (0, 1, 1), together, strict=True):
        assert close(result.model, eager(make_net(network), data, config(), seed=seed).model)


def test_a_teacher_is_asked_inside_the_step(data, make_net, pretend, eager, close):
    teacher = Teacher(make_net(5), ["output"])

    def objective(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) + (logits - teacher(batch)["output"]).square().mean()

    ours = train(make_net(), data, config(), objective=objective)
    assert ours.path.captured
    assert close(ours.model, eager(make_net(), data, config(), objective=objective).model)


def test_a_recording_that_fails_falls_back_and_says_so(data, make_net, pretend, eager, equal, monkeypatch):
    def record(body, lane):
        body()
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(capture, "record", record)
    result = train(make_net(), data, config())
    assert str(result.path).endswith("; capture failed (operation not permitted when stream is capturing)")
    assert equal(result.model, eager(make_net(), data, config()).model)


def test_a_recording_that_fails_once_is_tried_again(data, make_net, pretend, eager, close, monkeypatch):
    plain, tried = capture.record, []

    def record(body, lane):
        tried.append(lane)
        if len(tried) == 1:
            body()
            raise RuntimeError("operation failed due to a previous error during capture")
        return plain(body, lane)

    monkeypatch.setattr(capture, "record", record)
    result = train(make_net(), data, config())
    assert result.path.captured and len(set(tried)) == 2
    assert close(result.model, eager(make_net(), data, config()).model)


def test_a_replay_with_other_numbers_is_not_trusted(data, make_net, pretend, eager, equal, monkeypatch):
    monkeypatch.setattr(capture, "record", lambda body, lane: lambda: None)
    result = train(make_net(), data, config())
    assert "captured and eager losses differ" in str(result.path) and ", eager" in str(result.path)
    assert equal(result.model, eager(make_net(), data, config()).model)


def test_an_objective_that_reads_the_step_is_not_captured(data, make_net, pretend):
    def objective(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) / (1 + batch.step)

    result = train(make_net(), data, config(), objective=objective)
    assert "reads batch.step" in str(result.path) and result.steps == 16
    with pytest.raises(RuntimeError, match=r"reads batch\.epoch"):
        _ = StillBatch(data.images, data.labels, data.labels).epoch


@pytest.mark.parametrize("draw", [random.random, np.random.rand])
def test_a_step_that_draws_on_the_host_is_not_captured(data, make_net, pretend, draw):
    def objective(latents, logits, labels):
        return F.cross_entropy(logits, labels) * (1 + 1e-3 * float(draw()))

    result = train(make_net(), data, config(), objective=objective)
    assert "the step draws random numbers on the host" in str(result.path) and result.steps == 16


def test_trials_leave_the_buffers_of_an_objective_as_they_were(data, make_net, pretend):
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("made", torch.zeros(()), persistent=False)

        def forward(self, latents, logits, labels):
            self.made += 1
            return F.cross_entropy(logits, labels)

    objective = Counting()
    result = train(make_net(), data, config(), objective=objective)
    assert result.path.captured and float(objective.made) == result.steps == 16


def test_buffers_that_steps_replace_or_make_are_not_captured(data, make_net, pretend, eager, equal):
    class Average(nn.Module):
        def __init__(self, begins):
            super().__init__()
            self.register_buffer("mean", torch.zeros(()) if begins else None)

        def forward(self, latents, logits, labels):
            loss = F.cross_entropy(logits, labels)
            before = loss.detach() if self.mean is None else self.mean
            self.mean = 0.5 * before + 0.5 * loss.detach()
            return loss * (1 + self.mean)

    for begins in (True, False):
        result = train(make_net(), data, config(), objective=Average(begins))
        assert "the step puts new tensors in the place of buffers" in str(result.path)
        assert equal(result.model, eager(make_net(), data, config(), objective=Average(begins)).model)


def test_a_model_that_evaluate_moves_is_not_trained_at_its_old_place(data, make_net, pretend):
    def moving(model):
        for parameter in model.parameters():
            parameter.data = parameter.data.clone()
        return 0.0

    with pytest.raises(RuntimeError, match="evaluate moved the model"):
        train(make_net(), data, config(), evaluate=moving, evaluate_every=1)


def test_it_is_tried_on_a_gpu_only(data, make_net):
    assert "capture needs an NVIDIA GPU" in str(train(make_net(), data, config(capture=True)).path)
    assert "capture" not in str(train(make_net(), data, config()).path)
    with pytest.raises(ValueError, match="capture is 'maybe'"):
        config(capture="maybe")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_on_a_gpu_the_graph_equals_the_eager_step(data, make_net):
    ours = train(make_net(), data, config(capture=True), device="cuda")
    theirs = train(make_net(), data, config(capture=False), device="cuda")
    assert ours.path.captured
    assert ours.curves["train_loss"] == pytest.approx(theirs.curves["train_loss"], rel=1e-3)
