import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.latents import Taps
from lggkit.training import Batch, TrainConfig, cross_entropy, train
from lggkit.training.step import tapped, training_step, with_batch


def batch_of(data):
    return Batch(data.images[:8] / 255, data.labels[:8], torch.arange(8), 0, 0)


def test_one_step_is_gradient_descent_on_the_objective(data, make_net):
    model, by_hand, batch = make_net(), make_net(), batch_of(data)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    plain = torch.autocast("cpu", enabled=False)
    loss, logits = training_step(tapped(model, None), with_batch(cross_entropy()), optimizer, batch, plain)
    expected = F.cross_entropy(by_hand(batch.images), batch.labels)
    gradients = torch.autograd.grad(expected, list(by_hand.parameters()))
    torch.testing.assert_close(loss, expected.detach())
    assert not logits.requires_grad and logits.shape == (8, 3)
    for weight, before, gradient in zip(model.parameters(), by_hand.parameters(), gradients, strict=True):
        torch.testing.assert_close(weight, before - 0.1 * gradient)


def test_the_objective_is_given_latents_logits_and_labels(data, make_net):
    model, batch, seen = make_net(), batch_of(data), {}

    def objective(latents, logits, labels):
        seen.update(latents=latents, labels=labels)
        return latents["maps"].mean() + logits.mean()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Taps(model, ["maps", "output"]) as taps:
        forward = tapped(model, taps)
        training_step(forward, with_batch(objective), optimizer, batch, torch.autocast("cpu", enabled=False))
    assert list(seen["latents"]) == ["maps", "output"]
    assert seen["latents"]["maps"].shape == (8, 6, 6, 6)
    assert seen["labels"] is batch.labels
    assert model.conv.weight.grad.abs().sum() > 0


def test_under_autocast_latents_are_bfloat16_and_logits_float32(data, make_net):
    model, batch, seen = make_net(), batch_of(data), {}

    def objective(latents, logits, labels):
        seen.update(maps=latents["maps"].dtype, logits=logits.dtype, product=(logits @ logits.T).dtype)
        return F.cross_entropy(logits, labels)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Taps(model, ["maps"]) as taps:
        forward = tapped(model, taps)
        training_step(
            forward, with_batch(objective), optimizer, batch, torch.autocast("cpu", dtype=torch.bfloat16)
        )
    assert seen == {"maps": torch.bfloat16, "logits": torch.float32, "product": torch.float32}


def test_an_objective_that_asks_for_the_batch_gets_it(data):
    batch = batch_of(data)

    class Asking(nn.Module):
        def forward(self, latents, logits, labels, batch):
            return batch.images.sum()

    for objective in (lambda latents, logits, labels, *, batch: batch.images.sum(), Asking()):
        assert torch.equal(with_batch(objective)({}, torch.zeros(8, 3), batch), batch.images.sum())


def test_an_objective_with_parameters_is_refused_and_a_frozen_one_taken(data, make_net):
    class Proxies(nn.Module):
        def __init__(self):
            super().__init__()
            self.proxies = nn.Parameter(torch.zeros(3))

        def forward(self, latents, logits, labels):
            return F.cross_entropy(logits + self.proxies, labels)

    with pytest.raises(ValueError, match="has parameters, which nothing trains; put them into the model"):
        train(make_net(), data, TrainConfig(epochs=1), objective=Proxies())
    whole, decay = make_net(), Proxies()
    decay.proxies, decay.model = None, whole
    decay.forward = lambda latents, logits, labels: logits.mean() + whole.head.weight.square().sum()
    assert train(whole, data, TrainConfig(epochs=1), objective=decay).steps
    assert train(make_net(), data, TrainConfig(epochs=1), objective=Proxies().requires_grad_(False)).steps


@pytest.mark.parametrize(
    ("value", "named"), [(torch.zeros(8), r"shape \(8,\)"), (3.0, "float"), (None, "NoneType")]
)
def test_an_objective_that_gives_no_scalar_is_told_so(data, value, named):
    with pytest.raises(TypeError, match=named):
        with_batch(lambda latents, logits, labels: value)({}, torch.zeros(8, 3), batch_of(data))


def test_label_smoothing_is_torchs():
    logits, labels = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.arange(5) % 3
    expected = F.cross_entropy(logits, labels, label_smoothing=0.2)
    assert torch.equal(cross_entropy(0.2)({}, logits, labels), expected)
    assert not torch.equal(cross_entropy()({}, logits, labels), expected)
