"""A data set and a network that train in milliseconds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lggkit.data import DataSet


def images_of(count: int = 28, classes: int = 3, seed: int = 0) -> DataSet:
    source = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=source)
    patterns = torch.randint(0, 160, (classes, 2, 6, 6), generator=torch.Generator().manual_seed(9))
    noise = torch.randint(0, 90, (count, 2, 6, 6), generator=source)
    images = (patterns[labels] + noise).to(torch.uint8)
    statistics = torch.full((2,), 0.5)
    return DataSet(images, labels, tuple("abc"[:classes]), statistics, statistics, "tiny", "train")


class Net(nn.Module):
    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(6 * 36, 3)
        self.depths = {"maps": "relu", "vector": "drop"}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.relu(self.norm(self.conv(x))).flatten(1)))


def net_of(seed: int = 0, dropout: float = 0.0) -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Net(dropout)


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def data() -> DataSet:
    return images_of()


@pytest.fixture
def make_net():
    return net_of


@pytest.fixture
def make_data():
    return images_of


@pytest.fixture
def equal():
    return same
