"""Attacks against what they mean on networks whose gradients can be written down."""

import math
import os
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn

from lggkit.evaluation import (
    VanishedGradients,
    deepfool,
    fgsm,
    fgsm_direction,
    misled,
    moved_along,
    pgd,
    snr_epsilon,
    strong,
)
from lggkit.networks import build, with_normalization

SHAPE = (1, 4, 4)
EACH = pytest.mark.parametrize("attack", [fgsm, pgd, deepfool, partial(strong, restarts=1, steps=5)])


def images(n=40, seed=0, low=0.2, high=0.8):
    source = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(n, *SHAPE, generator=source)


class Linear(nn.Module):
    """Two classes by the sign of w·x + b; every logit times ``scale``."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.w = nn.Parameter(torch.linspace(-1, 1, 16) + 0.03)
        self.scale = scale

    def forward(self, x):
        score = (x - 0.5).flatten(1) @ self.w
        return self.scale * torch.stack([-score, score], 1)

    def distances(self, x):
        """From the plane, Euclidean (n,)."""
        return ((x - 0.5).flatten(1) @ self.w).abs() / self.w.norm()


@pytest.fixture
def network():
    return with_normalization(build("small_net", seed=0, classes=3, width=2, channels=1), [0.5], [0.3])


def right(model, x):
    return model(x).argmax(1)


def test_epsilon_has_the_ratio_of_signal_to_noise_asked_for():
    x = images(5)
    for snr in (10.0, 33.0):
        epsilon = snr_epsilon(x, snr)
        assert epsilon.shape == (5, 1, 1, 1)
        for image, size in zip(x, epsilon, strict=True):
            noise = size * torch.ones(SHAPE)
            assert 20 * torch.log10(image.norm() / noise.norm()) == pytest.approx(snr, abs=1e-4)
    assert snr_epsilon(torch.zeros(1, *SHAPE), 33.0).item() == 0


def test_fgsm_moves_every_pixel_against_the_true_class():
    model, x = Linear(), images()
    y = right(model, x)
    moved = fgsm(model, x, y, snr=20.0)
    direction = torch.where(y == 1, -1.0, 1.0).view(-1, 1, 1, 1) * model.w.detach().sign().view(SHAPE)
    expected = (x + snr_epsilon(x, 20.0) * direction).clamp(0, 1)
    assert torch.allclose(moved, expected, atol=1e-6)
    assert not torch.equal(moved, x)


def test_fgsm_stays_within_its_bounds_and_without_bounds_does_not():
    model, x = Linear(), images(low=0.0, high=1.0)
    y = right(model, x)
    inside, free = fgsm(model, x, y, snr=3.0), fgsm(model, x, y, snr=3.0, bounds=None)
    assert inside.min() >= 0 and inside.max() <= 1
    assert free.min() < 0 and free.max() > 1
    assert torch.equal(free.clamp(0, 1), inside)


def test_one_direction_serves_every_ratio():
    model, x = Linear(), images(low=0.0, high=1.0)
    y = right(model, x)
    direction = fgsm_direction(model, x, y)
    assert direction.dtype == torch.int8 and direction.shape == x.shape
    for snr in (3.0, 20.0, 33.0):
        assert torch.equal(moved_along(x, direction, snr), fgsm(model, x, y, snr=snr))
    assert torch.equal(moved_along(x, direction, 3.0, bounds=None), fgsm(model, x, y, snr=3.0, bounds=None))


def test_pgd_stays_in_its_ball_and_finds_what_is_in_it():
    model, x = Linear(), images()
    y, epsilon = right(model, x), 0.02
    moved = pgd(model, x, y, epsilon=epsilon, step=0.005, steps=20)
    assert (moved - x).abs().max() <= epsilon + 1e-6 and moved.min() >= 0 and moved.max() <= 1
    within = model.distances(x) * model.w.norm() / model.w.abs().sum() < epsilon
    assert 0 < within.sum() < len(x)
    assert torch.equal(misled(model, moved, y), within)


def test_pgd_begins_at_a_random_point_where_a_seed_is_given():
    model, x = Linear(), images()
    y = right(model, x)
    once = {"epsilon": 0.1, "step": 1e-6, "steps": 1}
    assert (pgd(model, x, y, **once) - x).abs().max() <= 2e-6
    first, again, other = (pgd(model, x, y, **once, seed=seed) for seed in (1, 1, 2))
    assert (first - x).abs().max() > 0.05 and torch.equal(first, again) and not torch.equal(first, other)


def test_attacks_leave_the_global_random_state_as_it_was():
    model, x = Linear(), images(4)
    before = torch.get_rng_state()
    pgd(model, x, right(model, x), seed=3)
    strong(model, x, right(model, x), restarts=1, steps=2)
    assert torch.equal(torch.get_rng_state(), before)


def test_deepfool_finds_the_distance_from_the_plane():
    model, x = Linear(), images(low=0.4, high=0.6)
    y = right(model, x)
    distances = deepfool(model, x, y)
    assert distances == pytest.approx(model.distances(x).detach(), rel=0.05, abs=1e-3)
    y[:3] = 1 - y[:3]
    assert deepfool(model, x, y)[:3].tolist() == [0, 0, 0]


def test_where_deepfool_misleads_nobody_it_has_found_no_distance():
    class Constant(nn.Module):
        def forward(self, x):
            return 0 * x.flatten(1)[:, :2] + torch.tensor([1.0, 0.0])

    with pytest.warns(VanishedGradients, match="for 2 of 3 images"):
        distances = deepfool(Constant(), images(3), torch.tensor([0, 0, 1]))
    assert distances.tolist() == [math.inf, math.inf, 0]


def test_strong_breaks_what_can_be_broken_and_nothing_else():
    model, x = Linear(), images()
    y, epsilon = right(model, x), 0.02
    y[0] = 1 - y[0]
    size = model.distances(x) * model.w.norm() / model.w.abs().sum()
    within = size < epsilon
    within[0] = True
    sure = (size - epsilon).abs() > 1e-4
    assert torch.equal(strong(model, x, y, epsilon=epsilon, restarts=1, steps=20)[sure], within[sure])


def test_the_size_of_logits_hides_nothing_from_attacks():
    """Large logits saturate: the cross-entropy of the very same decisions has no gradient in float32."""
    plain, saturated, x = Linear(), Linear(1e4), images()
    y, epsilon = right(plain, x), 0.02
    descend = partial(pgd, epsilon=epsilon, step=0.005)
    breakable = misled(plain, descend(plain, x, y), y)
    assert breakable.any() and torch.equal(misled(saturated, descend(saturated, x, y), y), breakable)
    assert torch.equal(misled(saturated, descend(saturated, x, y, loss="margin"), y), breakable)
    assert torch.equal(strong(saturated, x, y, epsilon=epsilon, restarts=0, steps=20), breakable)


def test_strong_spends_nothing_on_what_is_broken():
    model, x = Linear(), images(8)
    y, seen = right(model, x), []
    model.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    assert strong(model, x, 1 - y, restarts=2, steps=5).all() and sum(seen) == 8
    seen.clear()
    y[0] = 1 - y[0]
    assert strong(model, x, y, epsilon=1e-6, restarts=1, steps=5).tolist() == [True] + 7 * [False]
    assert seen[0] == 8 and set(seen[1:]) == {7}


@EACH
def test_callers_without_gradients_get_the_same(attack):
    model, x = Linear(), images(6)
    y = right(model, x)
    expected = attack(model, x, y)
    with torch.no_grad():
        assert torch.equal(attack(model, x, y), expected)


@EACH
def test_networks_are_attacked_in_evaluation_mode_and_left_as_they_were(attack, network):
    model = network.train()
    model.model.stage1.eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    x, y = images(6), torch.arange(6) % 3
    result = attack(model, x, y)
    assert not result.requires_grad
    assert model.training and model.model.stage2.training and not model.model.stage1.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert torch.equal(result, attack(model.eval(), x, y))


@pytest.mark.parametrize("attack", [fgsm, pgd, deepfool])
def test_batches_change_nothing(attack, monkeypatch):
    model, x = Linear(), images()
    y = right(model, x)
    whole = attack(model, x, y)
    monkeypatch.setattr("lggkit.evaluation._attackable.BATCH", 7)
    assert torch.allclose(attack(model, x, y), whole, atol=1e-6)


@EACH
def test_images_without_labels_are_refused(attack):
    for shape in ((2,), (3, 1), (1,)):
        with pytest.raises(ValueError, match=r"there are 3 images and labels of shape \("):
            attack(Linear(), images(3), torch.zeros(shape, dtype=torch.long))
    with pytest.raises(ValueError, match="at least one"):
        attack(Linear(), images(0), torch.zeros(0, dtype=torch.long))


@EACH
def test_images_of_another_type_or_range_are_refused(attack):
    y = torch.zeros(3, dtype=torch.long)
    with pytest.raises(TypeError, match=r"images are torch.uint8; give floats"):
        attack(Linear(), (255 * images(3)).to(torch.uint8), y)
    for labels in (y.float(), y.bool()):
        with pytest.raises(TypeError, match=r"labels are torch.*; give integers"):
            attack(Linear(), images(3), labels)
    with pytest.raises(ValueError, match=r"images run from .*, outside the bounds \(0.0, 1.0\)"):
        attack(Linear(), 255 * images(3), y)


def test_who_is_misled_is_one_answer_an_image():
    model, x = Linear(), images(3)
    assert misled(model, x, right(model, x)).tolist() == [False] * 3
    for shape in ((3, 1), (1,), (2,)):
        with pytest.raises(ValueError, match="give one label an image"):
            misled(model, x, torch.zeros(shape, dtype=torch.long))


def test_fgsm_takes_a_size_as_well_as_a_ratio():
    model, x = Linear(), images(low=0.0, high=1.0)
    y = right(model, x)
    direction = fgsm_direction(model, x, y)
    assert torch.equal(fgsm(model, x, y, epsilon=8 / 255), (x + 8 / 255 * direction).clamp(0, 1))
    assert torch.equal(fgsm(model, x, y, epsilon=0.5, bounds=None), x + 0.5 * direction)
    half = fgsm(model.half(), x.half(), y, epsilon=8 / 255)
    assert half.dtype == torch.float16
    with pytest.raises(ValueError, match="epsilon is 0; give a positive number"):
        fgsm(model, x, y, epsilon=0)


@pytest.mark.parametrize("options", [{"epsilon": 0.0}, {"step": -1.0}, {"steps": 0}, {"loss": "hinge"}])
def test_a_descent_that_goes_nowhere_is_refused(options):
    with pytest.raises(ValueError, match=r"give a positive number|give an integer from 1 on|loss is 'hinge'"):
        pgd(Linear(), images(2), torch.zeros(2, dtype=torch.long), **options)


def test_foolbox_needs_no_git_and_waits_until_an_attack_is_made():
    code = """
import sys, torch
from lggkit.evaluation import pgd
assert not {"foolbox", "git", "eagerpy"} & set(sys.modules)
linear = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
pgd(linear, torch.rand(2, 1, 2, 2), torch.tensor([0, 1]))
"""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("GIT_PYTHON")}
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=bare | {"PATH": ""}, check=True)
