"""Heads on vectors: each as if it were trained alone, and the plan of batches and rates."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from lggkit.training.vectors import (
    VectorTraining,
    minimise,
    shuffled_batches,
    stacked_cross_entropy,
    train_heads,
)


@pytest.fixture
def source():
    return torch.Generator().manual_seed(0)


def test_an_epoch_has_every_place_at_most_once(source):
    batches = shuffled_batches(10, 4, source)
    assert [len(b) for b in batches] == [4, 4] and torch.cat(batches).unique().numel() == 8
    assert [len(b) for b in shuffled_batches(3, 4, source)] == [3]


def test_the_loss_is_the_sum_over_encoders(source):
    logits, labels = torch.randn(3, 7, 4, generator=source), torch.randint(4, (7,), generator=source)
    expected = sum(F.cross_entropy(one, labels) for one in logits)
    torch.testing.assert_close(stacked_cross_entropy(logits, labels), expected)


def test_the_rate_falls_to_zero_and_curves_are_means_of_epochs(source):
    weight = nn.Parameter(torch.zeros(1))
    plan, rates, done = VectorTraining(epochs=2, batch_size=2, learning_rate=1.0), [], []
    values = iter((1.0, 3.0, 5.0, 7.0))
    watch = register_optimizer_step_pre_hook(lambda one, *_: rates.append(one.param_groups[0]["lr"]))
    batches, loss = lambda: shuffled_batches(4, 2, source), lambda places: weight.sum() * 0 + next(values)
    curve = minimise([weight], batches, loss, plan, done.append)
    watch.remove()
    assert curve == [2.0, 6.0] and done == [1, 2, 3, 4]
    assert rates == [1.0, 0.75, 0.5, 0.25]


def test_separable_classes_are_learned_and_heads_do_not_mix(source):
    labels = torch.arange(40) % 2
    clear = (2.0 * labels - 1)[:, None] * torch.ones(40, 3)
    inputs = torch.stack([clear, torch.zeros(40, 3)])
    plan = VectorTraining(epochs=40, batch_size=10, learning_rate=0.05)
    heads = train_heads(inputs, labels, 2, plan, source)
    right = (heads(inputs).argmax(-1) == labels).double().mean(1)
    assert right[0] == 1 and right[1] == 0.5 and not any(p.requires_grad for p in heads.parameters())
