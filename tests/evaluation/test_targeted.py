"""The ensemble on a network that misleads untargeted losses, and Auto-PGD by its definition."""

import math

import pytest
import torch
from torch import nn

from lggkit.evaluation import misled, pgd, strong, strong_images
from lggkit.evaluation.targeted import _checkpoints, auto_pgd, targeted_descents

SHAPE, EPSILON = (1, 8, 8), 0.02


class Decoy(nn.Module):
    """Class 0, with class 1 next and never best, uphill of it; class 2 wins at the other end of the ball.

    Within ε = 0.02 of gray, ``b`` runs from -1 to 1 with the mean.
    """

    def forward(self, x):
        b = (x - 0.5).flatten(1).mean(1) / EPSILON
        return torch.stack([0 * b, -0.1 + 0.05 * b, -12 - 13 * b], 1)


def gray(n):
    """Images whose mean is one half, and that vary by a tenth."""
    x = 0.5 + 0.1 * torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(0))
    return x - x.mean((1, 2, 3), keepdim=True) + 0.5


def brute(model, x, y, epsilon, restarts=10, steps=60):
    """Who is misled by targeted descents of sign steps toward every class, from many points, in float64."""
    x, source = x.double(), torch.Generator().manual_seed(1)
    low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
    wrong = model(x).argmax(1) != y
    for target in range(model(x).shape[1]):
        for _ in range(restarts):
            noise = 2 * torch.rand(x.shape, generator=source, dtype=torch.float64) - 1
            moved = (x + epsilon * noise).clamp(0, 1)
            for count in range(steps):
                moved = moved.detach().requires_grad_()
                z = model(moved)
                gain = z[:, target] - z.gather(1, y[:, None]).squeeze(1)
                (gradient,) = torch.autograd.grad(gain.sum(), moved)
                step = epsilon * 0.5 ** (6 * count / steps)
                moved = torch.maximum(torch.minimum(moved + step * gradient.sign(), high), low)
                wrong = wrong | (model(moved.float().double()).argmax(1) != y)
    return wrong


def test_a_decoy_stops_untargeted_attacks_and_no_targeted_ones():
    x, y = gray(12), torch.zeros(12, dtype=torch.long)
    assert brute(Decoy(), x, y, EPSILON, restarts=1, steps=10).all()
    assert not strong(Decoy(), x, y, epsilon=EPSILON, restarts=2, steps=10, targeted=False).any()
    assert strong(Decoy(), x, y, epsilon=EPSILON, restarts=0, steps=10).all()


def test_the_ensemble_leaves_nothing_that_a_longer_search_finds():
    torch.manual_seed(3)
    curved = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 6)).eval()
    x = torch.rand(60, *SHAPE, generator=torch.Generator().manual_seed(2))
    y = curved(x).argmax(1)
    known = brute(curved.double(), x, y, 0.03, restarts=3, steps=30)
    by_ensemble = strong(curved.float(), x, y, epsilon=0.03)
    assert 5 < known.sum() < 55
    assert (known & ~by_ensemble).sum() <= 1


def test_images_of_the_ensemble_mislead_where_it_does_and_the_others_are_moved_by_descent():
    torch.manual_seed(3)
    curved = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 6)).eval()
    x = torch.rand(60, *SHAPE, generator=torch.Generator().manual_seed(2))
    y = curved(x).argmax(1)
    y[:5] = (y[:5] + 1) % 6
    moved = strong_images(curved, x, y, epsilon=0.03, restarts=1, steps=10)
    broken = strong(curved, x, y, epsilon=0.03, restarts=1, steps=10)
    assert torch.equal(misled(curved, moved, y), broken) and 5 < broken.sum() < 55
    assert (moved - x).abs().max() <= 0.03 + 1e-6 and moved.min() >= 0 and moved.max() <= 1
    descended = pgd(curved, x, y, 0.03, 0.03 / 4, 10)
    left = ~broken | (torch.arange(60) < 5)
    torch.testing.assert_close(moved[left], descended[left])
    decoys, first = gray(12), torch.zeros(12, dtype=torch.long)
    assert misled(Decoy(), strong_images(Decoy(), decoys, first, EPSILON, restarts=0, steps=10), first).all()


def test_what_is_found_lies_in_the_ball_and_misleads():
    x, y = gray(6), torch.zeros(6, dtype=torch.long)
    moved = targeted_descents(Decoy(), x, y, EPSILON, steps=10)
    assert (moved - x).abs().max() <= EPSILON + 1e-6 and moved.min() >= 0 and moved.max() <= 1
    assert misled(Decoy(), moved, y).all()
    assert torch.equal(targeted_descents(Decoy(), x, y, EPSILON / 10, steps=10), x)
    begun = targeted_descents(Decoy(), x, y, EPSILON, steps=10, seed=0)
    assert (begun - x).abs().max() <= EPSILON + 1e-6 and misled(Decoy(), begun, y).all()
    assert torch.equal(begun, targeted_descents(Decoy(), x, y, EPSILON, steps=10, seed=0))


def test_the_cost_is_bounded_and_two_classes_have_one_target():
    seen = []
    model = Decoy()
    model.register_forward_pre_hook(lambda *_: seen.append(1))
    targeted_descents(model, gray(3), torch.zeros(3, dtype=torch.long), EPSILON / 10, steps=7)
    assert len(seen) == 1 + 2 * 7
    seen.clear()
    targeted_descents(model, gray(3), torch.zeros(3, dtype=torch.long), EPSILON / 10, steps=7, targets=1)
    assert len(seen) == 1 + 7


def by_definition(gain_of, start, epsilon, steps):
    """Algorithm 1 of Croce and Hein for one number, with its running best; the visited points."""
    low, high = start - epsilon, start + epsilon
    size, x, before = 2 * epsilon, start, start
    gain, slope = gain_of(x)
    best, top, best_slope = x, gain, slope
    checkpoints, last, ups, top_then, halved = sorted(_checkpoints(steps)), 0, 0, gain, True
    visited = [x]
    for count in range(1, steps):
        ahead = min(max(x + size * math.copysign(1, slope), low), high)
        weight = 1.0 if count == 1 else 0.75
        x, before = min(max(x + weight * (ahead - x) + (1 - weight) * (x - before), low), high), x
        previous, (gain, slope) = gain, gain_of(x)
        visited.append(x)
        ups += gain > previous
        if gain > top:
            best, top, best_slope = x, gain, slope
        if count in checkpoints:
            if ups < 0.75 * (count - last) or (not halved and top == top_then):
                size, x, gain, slope, halved = size / 2, best, top, best_slope, True
            else:
                halved = False
            ups, top_then, last = 0, top, count
    return visited


def test_auto_pgd_is_its_algorithm():
    peak = 0.53

    def gain_of(value):
        return -((value - peak) ** 2), -2 * (value - peak)

    visited = []

    def step(x):
        visited.append(x[0, 0].item())
        value = x[:, 0]
        return -((value - peak) ** 2), -2 * (x - peak), torch.zeros(len(x), dtype=torch.bool)

    misleading, wrong = auto_pgd(step, torch.tensor([[0.5]], dtype=torch.float64), 0.1, 40)
    assert not wrong.any() and misleading.item() == 0.5
    assert visited == pytest.approx(by_definition(gain_of, 0.5, 0.1, 40))
    assert min(abs(value - peak) for value in visited) < 0.002


def test_auto_pgd_begins_at_a_random_point_of_the_ball_where_it_is_given_a_source():
    seen = []

    def step(x):
        seen.append(x)
        return x.flatten(1).sum(1), torch.ones_like(x), torch.zeros(len(x), dtype=torch.bool)

    x = torch.tensor([[0.5, 0.99, 0.01]])
    for seed in (0, 0, 1):
        auto_pgd(step, x, 0.05, 1, torch.Generator().manual_seed(seed))
    first, again, other = seen
    assert (first - x).abs().max() <= 0.05 and first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again) and not torch.equal(first, other) and not torch.equal(first, x)


def test_checkpoints_of_a_hundred_steps_are_those_of_the_paper():
    assert sorted(_checkpoints(100))[:6] == [22, 41, 57, 70, 80, 87]
