"""What the tests of regions share: networks of chosen widths, and a seed."""

from itertools import pairwise

import pytest
import torch
from torch import nn


def made(*widths):
    layers = []
    for i, (a, b) in enumerate(pairwise(widths)):
        layers += [nn.Linear(a, b)] + [nn.ReLU()] * (i < len(widths) - 2)
    return nn.Sequential(*layers).double()


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def mlp():
    """``mlp(2, 10, 1)``: a network of these widths in float64, with torch's random weights."""
    return made
