"""Every loss of an embedding moves the network that it is given."""

import pytest
import torch

from lggkit.data import DataSet
from lggkit.experiments.recipes.embedding import OPTIONS, EmbeddingLoss
from lggkit.networks import build, with_normalization
from lggkit.training import TrainConfig, train


def value(outputs, labels, loss, **options):
    return EmbeddingLoss(loss, **options).of_batch(outputs, labels)


@pytest.fixture
def batch():
    source = torch.Generator().manual_seed(0)
    outputs = torch.randn(40, 5, generator=source, dtype=torch.float64)
    return outputs, torch.randint(4, (40,), generator=source)


@pytest.mark.parametrize("loss", OPTIONS)
def test_every_loss_trains_a_network(loss):
    source = torch.Generator().manual_seed(0)
    labels = torch.arange(64) % 4
    images = 40 * torch.randint(2, (64, 1, 8, 8), generator=source) + 50 * labels[:, None, None, None]
    half = torch.full((1,), 0.5)
    data = DataSet(images.byte(), labels, ("a", "b", "c", "d"), half, half, "toy", "train")
    model = with_normalization(build("small_net", seed=0, classes=4, channels=1, width=4), half, half)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    config = TrainConfig(epochs=1, batch_size=32, learning_rate=0.01, weight_decay=0.0, augment=False)
    result = train(model, data, config, objective=lambda _, x, y: EmbeddingLoss(loss).of_batch(x, y))
    assert result.diverged is None
    assert all(not torch.equal(p, before[name]) for name, p in model.named_parameters() if p.dim() > 1)


@pytest.mark.parametrize("loss", OPTIONS)
def test_every_loss_falls_along_its_gradient(batch, loss):
    outputs, labels = batch
    outputs.requires_grad_()
    here = value(outputs, labels, loss)
    (gradient,) = torch.autograd.grad(here, outputs)
    size, step = gradient.square().sum().item(), 1e-6
    fallen = here.item() - value((outputs - step * gradient).detach(), labels, loss).item()
    assert size > 0 and fallen == pytest.approx(step * size, rel=1e-2)
