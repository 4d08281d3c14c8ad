"""Errors under attack of a network whose answers are known."""

import pytest
import torch
from torch import nn

from lggkit.evaluation.attacks import fgsm_direction
from lggkit.experiments import robust_runs
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
    found = robust_runs._attacked(model, x, y, direction, steps=20)
    assert found == {"fgsm_before": 37.5, "fgsm_after": 0.0, "pgd": 37.5}
    by_level = robust_runs._by_level(model, x, y, direction, (10.0, 33.0))
    assert by_level["accuracy_fgsm_by_snr"] == [25.0, 62.5] and by_level["snr_levels"] == [10.0, 33.0]
