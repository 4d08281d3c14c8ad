import pytest
import torch

from lggkit.latents import Taps
from lggkit.training import Stream, Teacher, TrainConfig
from lggkit.training.processor import precision_for


def test_latents_are_constant_in_evaluation_mode_and_computed_once(data, make_net):
    model = make_net(dropout=0.5).train()
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    teacher = Teacher(model, ["maps", "output"])
    batch = Stream(data, TrainConfig(epochs=1, batch_size=8), 0).batch(0)
    taught = teacher(batch)
    assert teacher(batch)["maps"] is taught["maps"] and len(calls) == 1
    assert not taught["output"].requires_grad
    assert model.training
    with torch.no_grad():
        torch.testing.assert_close(taught["output"], model.eval()(batch.images))
    assert not model.head.weight.grad and torch.equal(model.norm.running_mean, torch.zeros(6))


def test_it_teaches_what_the_model_knew_when_it_was_made(data, make_net):
    batch = Stream(data, TrainConfig(epochs=1, batch_size=8), 0).batch(0)
    model = make_net()
    teacher, expected = Teacher(model, ["output"]), Teacher(model, ["output"])(batch)["output"]
    model.head.weight.data.zero_()
    assert torch.equal(teacher(batch)["output"], expected)


def test_an_unknown_depth_is_refused_before_any_batch(make_net):
    with pytest.raises(ValueError, match="has no depth 'map'"):
        Teacher(make_net(), ["map"])


@pytest.mark.parametrize("precision", ["float64", "fp32", None, torch.float32])
def test_an_unknown_precision_is_refused_before_any_batch(make_net, precision):
    with pytest.raises(ValueError, match=r"precision is .*; choose one of float32, bfloat16, auto"):
        Teacher(make_net(), ["output"], precision)
    with pytest.raises(ValueError, match=r"precision is .*; choose one of"):
        precision_for(precision, torch.device("cpu"))


def test_folding_loses_no_accuracy_in_bfloat16(data, make_net):
    batch = Stream(data, TrainConfig(epochs=1, batch_size=28), 0).batch(0)
    exact, rough = (Teacher(make_net(), ["maps"], p)(batch)["maps"] for p in ("float32", "bfloat16"))
    assert rough.dtype is torch.bfloat16
    assert 0 < (rough.float() - exact).norm() < 0.01 * exact.norm()


def test_another_batch_is_computed_anew(data, make_net):
    stream = Stream(data, TrainConfig(epochs=1, batch_size=8), 0)
    teacher = Teacher(make_net(), ["output"])
    first = teacher(stream.batch(0))["output"]
    assert not torch.equal(first, teacher(stream.batch(1))["output"])


def test_its_latents_can_enter_a_students_loss(data, make_net):
    batch = Stream(data, TrainConfig(epochs=1, batch_size=8), 0).batch(0)
    teacher, student = Teacher(make_net(), ["output"]), make_net(1)
    (student(batch.images) * teacher(batch)["output"]).sum().backward()
    assert student.conv.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("wrap", [torch.nn.DataParallel, torch.optim.swa_utils.AveragedModel])
def test_a_wrapped_network_teaches_like_the_network(data, make_net, wrap):
    batch = Stream(data, TrainConfig(epochs=1, batch_size=8), 0).batch(0)
    names, model = ["conv", "maps", "output"], make_net()
    taught, expected = (Teacher(m, names)(batch) for m in (wrap(model), model))
    for name in names:
        torch.testing.assert_close(taught[name], expected[name])


def test_a_network_that_is_tapped_teaches_without_the_taps(data, make_net):
    batch, model = Stream(data, TrainConfig(epochs=1, batch_size=8), 0).batch(0), make_net()
    with Taps(model, ["maps"]) as taps:
        teacher = Teacher(model, ["output"])
        teacher(batch)
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents
