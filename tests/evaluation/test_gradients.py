"""The directions of attacks where networks are very sure of themselves, and where there is none."""

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.evaluation import (
    VanishedGradients,
    deepfool,
    fgsm,
    fgsm_direction,
    misled,
    pgd,
    strong,
    vanished_gradients,
)
from lggkit.evaluation.fast_gradient import crafted
from lggkit.evaluation.gradients import log_odds, unwarned


def sure(factor, dtype=torch.float32):
    """A linear network of ten classes, its weights times a factor, 200 images and their classes."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).to(dtype)
    net[1].weight.data *= factor
    x = torch.rand(4000, 1, 8, 8).to(dtype)
    z = copy.deepcopy(net).double()(x.double()).detach()
    largest = z.topk(2).values
    surest = ((largest[:, 0] - largest[:, 1]) > 17 * factor / 40).nonzero().flatten()[:200]
    assert len(surest) == 200
    return net, x[surest], z.argmax(1)[surest]


def exact_signs(net, x, y):
    """Of the log odds in float64, by the weights themselves."""
    weight = net[1].weight.detach().double()
    z = copy.deepcopy(net).double()(x.double()).detach()
    share = z.scatter(1, y[:, None], -torch.inf).softmax(1)
    return (share @ weight - weight[y]).sign().view_as(x)


def test_log_odds_are_the_cross_entropy_before_its_softplus():
    z = torch.randn(50, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = torch.arange(50) % 7
    torch.testing.assert_close(F.softplus(log_odds(z, y)), F.cross_entropy(z, y, reduction="none"))


@pytest.mark.parametrize("factor", [1, 40, 400, 4e4, 4e8, 4e20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_directions_are_those_of_exact_arithmetic_at_any_size_of_logits(factor, dtype):
    net, x, y = sure(factor, dtype)
    wrong = fgsm_direction(net, x, y) != exact_signs(net, x, y)
    assert wrong.double().mean() < 1e-3
    assert not vanished_gradients(net, x, y).any()


def test_where_nothing_saturates_directions_are_those_of_the_cross_entropy():
    net, x, y = sure(1)
    x = x.requires_grad_()
    (gradient,) = torch.autograd.grad(F.cross_entropy(net(x), y), x)
    differ = fgsm_direction(net, x, y) != gradient.sign()
    assert differ.double().mean() < 1e-3


@pytest.mark.parametrize("power", [0, 2, 8, 30])
@pytest.mark.parametrize("loss", ["cross_entropy", "margin"])
def test_a_descent_does_as_much_whatever_the_size_of_the_logits(power, loss):
    net, x, y = sure(40)
    expected = misled(net, pgd(net, x, y, epsilon=0.1, step=0.02, steps=10, loss="margin"), y)
    assert 0 < expected.sum() < 200
    net[1].weight.data *= 10.0**power
    net[1].bias.data *= 10.0**power
    wrong = misled(net, pgd(net, x, y, epsilon=0.1, step=0.02, steps=10, loss=loss), y)
    assert (wrong != expected).double().mean() <= 0.05


def test_a_double_network_keeps_its_digits():
    class Fine(nn.Module):
        def forward(self, x):
            score = x.flatten(1).sum(1)
            return torch.stack([1e9 + score, 1e9 + 2 - score], 1)

    x = torch.full((2, 1, 1, 2), 0.4, dtype=torch.float64)
    x[1] = 0.6
    assert misled(Fine(), x, torch.tensor([1, 0])).tolist() == [False, False]
    moved = fgsm(Fine(), x, torch.tensor([1, 0]), epsilon=0.2)
    assert misled(Fine(), moved, torch.tensor([1, 0])).all() and moved.dtype == torch.float64


def test_logarithms_of_probabilities_are_logits_too():
    net, x, y = sure(40)
    logs = nn.Sequential(net, nn.LogSoftmax(1))
    assert (fgsm_direction(logs, x, y) != exact_signs(net, x, y)).double().mean() < 1e-3


class Flat(nn.Module):
    """Sure of class 1, with a gradient of ``slope`` where the mean is above one half and none elsewhere."""

    def __init__(self, slope=1.0, detached=False):
        super().__init__()
        self.slope, self.detached = slope, detached

    def forward(self, x):
        mean = x.flatten(1).mean(1)
        score = 1 - self.slope * (mean - 0.5).relu()
        logits = torch.stack([torch.zeros_like(score), score], 1)
        return logits.detach() if self.detached else logits


def half_flat(n=6):
    x = torch.full((n, 1, 2, 2), 0.3)
    x[n // 2 :] = 0.7
    return x, torch.ones(n, dtype=torch.long)


ATTACKS = {
    "fgsm": fgsm,
    "fgsm_direction": fgsm_direction,
    "pgd": pgd,
    "deepfool": deepfool,
    "strong": lambda *given: strong(*given, restarts=1, steps=3),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attacks_warn_of_images_that_they_could_not_move(attack):
    x, y = half_flat()
    assert vanished_gradients(Flat(), x, y).tolist() == [True] * 3 + [False] * 3
    with pytest.warns(VanishedGradients, match=r"0 or not finite for 3 of 6 images \(50 %\)"):
        attack(Flat(), x, y)
    with unwarned(), warnings.catch_warnings():
        attack(Flat(), x, y)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_network_without_any_gradient_is_told_and_breaks_nothing(attack):
    x, y = half_flat()
    with pytest.warns(VanishedGradients, match="for 6 of 6 images"):
        attack(Flat(detached=True), x, y)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_images_that_are_wrong_anyway_are_no_reason_to_warn(attack):
    x, y = half_flat()
    attack(Flat(), x, 1 - y)
    assert not vanished_gradients(Flat(), x, 1 - y).any()


class Nowhere(nn.Module):
    """Sure of class 1, its logits finite and their gradient NaN where the first pixel is 0."""

    def forward(self, x):
        score = 1 - x.flatten(1).mean(1) + 0 * x.flatten(1)[:, :1].sqrt().sum(1)
        return torch.stack([torch.zeros_like(score), score], 1)


def test_gradients_that_are_no_numbers_move_nothing_and_break_nothing():
    x = torch.full((2, 1, 2, 2), 0.5)
    x[0, 0, 0, 0] = 0.0
    y = torch.ones(2, dtype=torch.long)
    assert vanished_gradients(Nowhere(), x, y).tolist() == [True, False]
    with unwarned():
        for moved in (fgsm(Nowhere(), x, y), pgd(Nowhere(), x, y), pgd(Nowhere(), x, y, loss="margin")):
            assert moved.isfinite().all()
        assert fgsm_direction(Nowhere(), x, y)[0, 0, 0, 0] == 0
        assert not strong(Nowhere(), x, y, restarts=1, steps=3).any()
        assert deepfool(Nowhere(), x, y, steps=3)[0] == torch.inf


def test_attacks_work_where_the_caller_is_in_inference_mode():
    net, x, y = sure(1)
    expected = fgsm(net, x, y), pgd(net, x, y, steps=2), deepfool(net, x[:5], y[:5], steps=2)
    with torch.inference_mode():
        attacked = fgsm(net, x, y), pgd(net, x, y, steps=2), deepfool(net, x[:5], y[:5], steps=2)
    for one, other in zip(attacked, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("factor", [1, 4e8, 0])
def test_crafting_without_a_look_is_the_same_attack(factor):
    net, x, y = sure(1)
    net[1].weight.data *= factor
    x[0] = 0
    net.train()
    with unwarned():
        assert torch.equal(crafted(net, x, y, 20.0), fgsm(net, x, y, 20.0))
    assert net.training and net[1].weight.grad is None
