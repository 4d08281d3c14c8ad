"""A data set and a network that train in milliseconds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.training import capture, train


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


def nearly_same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in pairs)


class Lane:
    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass

    def wait_stream(self, other):
        pass

    def synchronize(self):
        pass


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


@pytest.fixture
def close():
    return nearly_same


@pytest.fixture
def lane():
    return Lane


@pytest.fixture
def pretend(monkeypatch):
    """Runs the path of a GPU on the CPU: the recorded step is the step's own body."""
    replays = []

    def record(body, lane):
        for _ in range(4):
            body()
        return lambda: (replays.append(1), body())

    monkeypatch.setattr(capture, "worth_capturing", lambda run: (True, ""))
    monkeypatch.setattr(capture, "record", record)
    monkeypatch.setattr(capture, "new_lane", Lane)
    monkeypatch.setattr(torch.cuda, "stream", lambda lane: lane)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: None)
    return replays


@pytest.fixture
def eager(monkeypatch):
    """Training without the pretence."""

    def training(*arguments, **settings):
        with monkeypatch.context() as patch:
            patch.setattr(capture, "worth_capturing", lambda run: (False, ""))
            return train(*arguments, **settings)

    return training
