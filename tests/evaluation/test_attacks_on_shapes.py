"""Attacks on networks that are curved, flat, or wrong in thin places only."""

import pytest
import torch
from torch import nn

from lggkit.evaluation import (
    VanishedGradients,
    deepfool,
    fgsm,
    fgsm_direction,
    input_margins,
    misled,
    moved_along,
    pgd,
    snr_epsilon,
    strong,
)
from lggkit.evaluation.fast_gradient import crafted

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


class Hill(nn.Module):
    """Wrong near a top, pixel by pixel, with a slope that turns over there."""

    top = 0.5 + 0.1 * torch.linspace(-1, 1, 16).view(SHAPE)

    def forward(self, x):
        height = -(x - self.top).square().flatten(1).sum(1)
        return torch.stack([torch.zeros_like(height), height], 1)


class Bright(nn.Module):
    """Says 1 of images that are brighter than mean gray."""

    def forward(self, x):
        above = (x - 0.5).flatten(1).sum(1)
        return torch.stack([-above, above], 1)


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


def test_descent_on_a_curved_network_goes_the_way_that_is_known():
    """From 0.03 beside the top in steps of 0.02: back and forth across it, or off to the edge of the ball."""
    start = torch.where(torch.arange(16).view(SHAPE) % 2 == 0, -0.03, 0.03)
    x = (Hill.top + start).repeat(4, 1, 1, 1)
    y = torch.tensor([0, 1, 0, 1])
    for steps, (toward, off) in {
        1: (0.02, -0.02),
        2: (0.04, -0.04),
        3: (0.02, -0.05),
        4: (0.04, -0.05),
    }.items():
        attacked = pgd(Hill(), x, y, epsilon=0.05, step=0.02, steps=steps)
        way = torch.where(y == 0, toward, off).view(-1, 1, 1, 1)
        torch.testing.assert_close(attacked, x - way * start.sign(), atol=1e-5, rtol=0)
    way = torch.where(y == 0, 1.0, -1.0).view(-1, 1, 1, 1) * snr_epsilon(x, 30.0)
    torch.testing.assert_close(fgsm(Hill(), x, y, snr=30.0), x - way * start.sign(), atol=1e-5, rtol=0)


def test_each_image_is_attacked_for_itself():
    x, y = images(5), torch.arange(5) % 2
    attacked = pgd(Bright(), x, y, epsilon=0.05, step=0.02, steps=4)
    alone = [pgd(Bright(), x[i : i + 1], y[i : i + 1], epsilon=0.05, step=0.02, steps=4) for i in range(5)]
    torch.testing.assert_close(attacked, torch.cat(alone))
    torch.testing.assert_close(attacked, x + 0.05 * (1 - 2.0 * y).view(-1, 1, 1, 1))


def test_attacks_break_what_is_nearer_than_the_ball_is_wide_and_no_more():
    levels = torch.tensor([0.41, 0.47, 0.48, 0.52, 0.53, 0.59])
    x = levels.view(-1, 1, 1, 1).expand(-1, *SHAPE).contiguous()
    y = (levels > 0.5).long()
    for epsilon in (0.01, 0.025, 0.05):
        near = (levels - 0.5).abs() < epsilon
        assert torch.equal(misled(Bright(), pgd(Bright(), x, y, epsilon=epsilon, step=epsilon / 5), y), near)
        assert torch.equal(strong(Bright(), x, y, epsilon=epsilon, restarts=1, steps=20), near)
    torch.testing.assert_close(deepfool(Bright(), x, y), 4 * (levels - 0.5).abs(), rtol=0.05, atol=0)


@pytest.mark.parametrize(
    "attack",
    [
        fgsm,
        lambda model, x, y: fgsm(model, x, y, bounds=None),
        lambda model, x, y: crafted(model, x, y, 33.0),
        lambda model, x, y: moved_along(x, fgsm_direction(model, x, y), 33.0),
        pgd,
        lambda model, x, y: pgd(model, x, y, seed=0, steps=3),
        deepfool,
        lambda model, x, y: strong(model, x, y, restarts=1, steps=3),
        input_margins,
    ],
)
def test_images_that_carry_a_gradient_are_attacked_as_they_are(attack):
    x, y = images(6), torch.zeros(6, dtype=torch.long)
    expected, leaf = attack(Bright(), x, y), x.clone().requires_grad_()
    for given in (leaf, leaf * 1.0):
        found = attack(Bright(), given, y)
        assert torch.equal(found, expected) and not found.requires_grad
    assert leaf.grad is None
