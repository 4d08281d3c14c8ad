"""Errors under attack of a network whose answers are known."""

import inspect

import pytest
import torch
from torch import nn

from lggkit import networks
from lggkit.data import DataSet
from lggkit.evaluation import fgsm_direction, robustness, strong
from lggkit.evaluation.robustness import RobustnessSuite
from lggkit.networks import InputNormalization


class Grays(nn.Module):
    """Says 0 of images above mean gray and 1 of those below."""

    def __init__(self):
        super().__init__()
        self.normalization, self.model = InputNormalization([0.5], [0.25]), Sign()

    def forward(self, x):
        return self.model(self.normalization(x))


class Sign(nn.Module):
    def forward(self, z):
        total = z.flatten(1).sum(1)
        return torch.stack([total, -total], 1)


@pytest.fixture
def grays():
    """Even images and their classes; ε is 0.022 of the gray at 33 dB, 0.32 at 10 dB, and 0.01 in PGD."""
    levels = torch.tensor([0.503, 0.507, 0.493, 0.52, 0.48, 0.7, 0.3, 0.9])
    return levels.view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous(), (levels < 0.5).long()


def test_attacks_are_tried_before_and_after_the_normalisation(grays):
    """Behind it ε is a share of the distance to mean gray itself, which no attack of 33 dB can cross."""
    model, (x, y) = Grays(), grays
    direction = fgsm_direction(model, x, y)
    errors = robustness._attacked(model, x, y, direction, steps=20)
    assert errors == {"fgsm_before": 37.5, "fgsm_after": 0.0, "pgd": 37.5}
    by_level = robustness._by_level(model, x, y, direction, (10.0, 33.0))
    assert by_level["accuracy_fgsm_by_snr"] == [25.0, 62.5] and by_level["snr_levels"] == [10.0, 33.0]


@pytest.mark.parametrize(("version", "targeted"), [(1, False), (2, True)])
def test_the_version_chooses_the_members_of_the_ensemble(version, targeted):
    """What the first records were measured with stays what it was."""
    suite = RobustnessSuite(attack_version=version)
    assert suite.ensemble == {"restarts": 5, "steps": 40, "targeted": targeted}
    assert set(suite.ensemble) <= set(inspect.signature(strong).parameters)
    assert RobustnessSuite().attack_version == 1


def test_only_the_first_images_are_attacked():
    images = torch.randint(256, (9, 1, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    one = torch.full((1,), 0.5)
    test = DataSet(images, torch.arange(9) % 2, ("a", "b"), one, one, "toy", "test")
    x, y = RobustnessSuite(attacked_images=4).images(test)
    assert torch.equal(x, images[:4] / 255) and torch.equal(y, test.labels[:4])
    assert len(RobustnessSuite().images(test)[0]) == 9


def test_images_crafted_on_another_network_are_tried(grays):
    """Directions that lighten every image mislead on the dark ones next to mean gray only."""
    model, (x, y) = Grays(), grays
    one = torch.full((1,), 0.5)
    test = DataSet((255 * x).round().byte(), y, ("a", "b"), one, one, "toy", "test")
    suite = RobustnessSuite()
    assert suite.transferred(model, test, torch.ones_like(x)) == 12.5
    assert suite.transferred(model, test, suite.directions(model, test)) == 37.5
    assert suite.transferred(model, test, torch.zeros_like(x)) == 0


def test_gradients_that_vanish_are_counted_and_not_warned_of():
    """A network of zeros has no gradient; the image that it gets wrong needs no moving."""
    model = networks.build("preact_resnet18", seed=0, classes=2, width=2, channels=1)
    model = networks.with_normalization(model, [0.5], [0.25]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    images = torch.full((3, 1, 8, 8), 90, dtype=torch.uint8)
    one = torch.full((1,), 0.5)
    test = DataSet(images, torch.tensor([0, 1, 0]), ("a", "b"), one, one, "toy", "test")
    suite = RobustnessSuite(strong_images=2, pgd_steps=1, strong_steps=1, restarts=1, deepfool_steps=1)
    metrics = suite.metrics(model, test, suite.directions(model, test))
    assert metrics["vanished_gradients"] == pytest.approx(200 / 3)
    assert metrics["snr_levels"] == list(suite.levels) and len(metrics["accuracy_fgsm_by_snr"]) == 10
