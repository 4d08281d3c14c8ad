"""Attacks in inference mode and of tensors made in it: as in any other mode."""

from functools import partial

import pytest
import torch
from torch import nn

from lggkit.evaluation.deformation import input_margins
from lggkit.evaluation.descents import deepfool, pgd
from lggkit.evaluation.ensemble import strong, strong_images
from lggkit.evaluation.fast_gradient import crafted, fgsm, fgsm_direction
from lggkit.evaluation.gradients import vanished_gradients

ATTACKS = {
    "fgsm": fgsm,
    "direction": fgsm_direction,
    "crafted": partial(crafted, snr=30.0),
    "pgd": partial(pgd, steps=2),
    "deepfool": partial(deepfool, steps=2),
    "strong": partial(strong, epsilon=0.1, restarts=1, steps=2),
    "strong_images": partial(strong_images, epsilon=0.1, restarts=1, steps=2),
    "margins": input_margins,
    "vanished": vanished_gradients,
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("mode", ["tensors", "calls", "both"])
def test_attacks_are_the_same_in_inference_mode(attack, mode):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))
    images, labels = torch.rand(4, 3, 2, 2), torch.tensor([0, 1, 2, 0])
    expected = attack(model, images, labels)
    with torch.inference_mode(mode != "calls"):
        images, labels = images.clone(), labels.clone()
    with torch.inference_mode(mode != "tensors"):
        found = attack(model, images, labels)
    torch.testing.assert_close(found, expected, equal_nan=True)
