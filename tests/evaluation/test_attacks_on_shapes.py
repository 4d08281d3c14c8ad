"""Attacks on networks that are curved, flat, or wrong in thin places only."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.evaluation.attacks import VanishedGradients, deepfool, fgsm, misled, pgd, snr_epsilon, strong
from lggkit.networks import build, with_normalization

SHAPE = (1, 4, 4)


def images(n, low=0.2, high=0.8):
    source = torch.Generator().manual_seed(0)
    return low + (high - low) * torch.rand(n, *SHAPE, generator=source)


class Plateau(nn.Module):
    """Right, and flat, where images are nearly gray; wrong further off."""

    def forward(self, x):
        away = ((x - 0.5).abs() - 0.003).relu().flatten(1).sum(1)
        return torch.stack([torch.full_like(away, 0.05), away], 1)


class Thin(nn.Module):
    """Wrong where the mean is 0.0012 above that of gray, give or take 0.001."""

    def forward(self, x):
        wrong = 0.001 - ((x - 0.5).flatten(1).mean(1) - 0.0012).abs()
        return torch.stack([torch.zeros_like(wrong), wrong], 1)


@pytest.fixture
def network():
    return with_normalization(build("small_net", seed=0, classes=3, width=2, channels=1), [0.5], [0.3])


def test_strong_leaves_places_without_any_gradient_by_random_starts():
    x, y = torch.full((4, *SHAPE), 0.5), torch.zeros(4, dtype=torch.long)
    with pytest.warns(VanishedGradients, match="for 4 of 4 images"):
        assert not strong(Plateau(), x, y, restarts=0, steps=5).any()
    assert strong(Plateau(), x, y, restarts=1, steps=5).all()


def test_strong_finds_thin_places_that_steps_of_descent_leap_over():
    x, y = images(20, 0.45, 0.55), torch.zeros(20, dtype=torch.long)
    x = x - x.mean((1, 2, 3), keepdim=True) + 0.5
    for loss in ("cross_entropy", "margin"):
        assert not misled(Thin(), pgd(Thin(), x, y, step=0.0025, loss=loss), y).any()
    assert strong(Thin(), x, y, restarts=0, steps=20).sum() > 10


def descended(model, x, y, epsilon, step, steps):
    """PGD of one image at a time, by its definition."""
    moved = x.clone()
    for _ in range(steps):
        for place in range(len(x)):
            image = moved[place : place + 1].clone().requires_grad_()
            F.cross_entropy(model(image), y[place : place + 1]).backward()
            moved[place] += step * image.grad[0].sign()
        moved = torch.maximum(torch.minimum(moved, x + epsilon), x - epsilon).clamp(0, 1)
    return moved


def test_attacks_on_a_curved_network_are_those_of_a_loop_over_images(network):
    x, y = images(5, low=0.0, high=1.0), torch.arange(5) % 3
    network.eval()
    expected = descended(network, x, y, epsilon=0.05, step=0.02, steps=4)
    assert not torch.equal(expected, descended(network, x, y, epsilon=0.05, step=0.05, steps=1))
    assert torch.allclose(pgd(network, x, y, epsilon=0.05, step=0.02, steps=4), expected, atol=1e-6)
    single = [
        descended(network, x[i : i + 1], y[i : i + 1], 1.0, snr_epsilon(x, 20.0)[i], 1) for i in range(5)
    ]
    assert torch.allclose(fgsm(network, x, y, snr=20.0), torch.cat(single), atol=1e-6)


def test_stronger_attacks_break_what_weaker_ones_do(network):
    x = images(30)
    network.eval()
    y = network(x).argmax(1)
    epsilon = deepfool(network, x, y).median().item() / 16**0.5
    broken = misled(network, pgd(network, x, y, epsilon=epsilon, step=epsilon / 5), y)
    assert 0 < broken.sum() < len(x)
    assert strong(network, x, y, epsilon=epsilon, restarts=1, steps=20)[broken].all()
