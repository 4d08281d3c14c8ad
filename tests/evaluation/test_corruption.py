"""Corruption errors by examples that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, corrupt
from lggkit.evaluation import (
    corruption_error,
    corruption_errors,
    mean_corrupted_error,
    mean_corruption_error,
    relative_corruption_error,
    relative_mean_corruption_error,
)

OURS = {"fog": (10.0, 20.0), "snow": (30.0, 60.0)}
REFERENCE = {"snow": (40.0, 80.0), "fog": (20.0, 20.0)}


@pytest.fixture
def data(tmp_path, monkeypatch) -> DataSet:
    monkeypatch.setenv("LGGKIT_DATA", str(tmp_path))
    images = torch.randint(256, (8, 3, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    half = torch.full((3,), 0.5)
    return DataSet(images, torch.arange(8) % 2, ("a", "b"), half, half, "cifar10", "test")


def test_corruption_error_is_a_ratio_of_sums():
    assert corruption_error(OURS, REFERENCE) == pytest.approx({"fog": 75.0, "snow": 75.0})
    assert corruption_error({"fog": (1.0, 5.0)}, {"fog": (2.0, 1.0)}) == pytest.approx({"fog": 200.0})


def test_mean_corruption_error_is_the_mean_of_ratios():
    ours = {"fog": (10.0, 20.0), "snow": (60.0, 60.0)}
    assert mean_corruption_error(ours, REFERENCE) == pytest.approx((75 + 100) / 2)
    assert mean_corruption_error(REFERENCE, REFERENCE) == pytest.approx(100)


def test_relative_errors_are_beyond_the_clean_ones():
    table = relative_corruption_error(OURS, 5.0, REFERENCE, 10.0)
    assert table == pytest.approx({"fog": 100 * 20 / 20, "snow": 100 * 80 / 100})
    assert relative_mean_corruption_error(OURS, 5.0, REFERENCE, 10.0) == pytest.approx(90)
    assert relative_mean_corruption_error(REFERENCE, 10.0, REFERENCE, 10.0) == pytest.approx(100)


def test_the_plain_mean_has_no_reference():
    assert mean_corrupted_error(OURS) == pytest.approx(30)


def test_errors_are_counted_for_every_corruption_and_severity(data):
    seen = []

    def images(name, severity):
        seen.append((name, severity))
        return data.images.roll(severity, 0)

    def predict(x):
        assert x.dtype == torch.uint8
        first = x[:, 0, 0, 0].tolist()
        places = [data.images[:, 0, 0, 0].tolist().index(level) for level in first]
        return torch.tensor(places) % 2

    errors = corruption_errors(predict, data, images, severities=(1, 2, 3), names=("fog", "snow"))
    assert errors == {"fog": (100.0, 0.0, 100.0), "snow": (100.0, 0.0, 100.0)}
    assert seen == [(name, s) for name in ("fog", "snow") for s in (1, 2, 3)]


def test_arrays_choose_corruptions_and_severities(data):
    seen = []

    def images(name, severity):
        seen.append((name, severity, type(name), type(severity)))
        return data.images

    corruption_errors(lambda x: x[:, 0, 0, 0], data, images, np.array([2, 5]), np.array(["fog"]))
    assert seen == [("fog", 2, str, int), ("fog", 5, str, int)]


@pytest.mark.parametrize(
    ("severities", "names", "said"),
    [
        ((), ("fog",), "1 corruptions and 0 severities"),
        ((1,), (), "0 corruptions and 1 severities"),
        ((1,), "fog", "give a sequence of names"),
        ((1.5,), ("fog",), "give whole numbers"),
    ],
)
def test_choices_that_choose_nothing_are_refused(data, severities, names, said):
    with pytest.raises(ValueError, match=said):
        corruption_errors(lambda x: x[:, 0, 0, 0], data, severities=severities, names=names)


def test_by_default_all_are_of_our_making(data):
    taken = []

    def predict(x):
        taken.append(x)
        return torch.nn.functional.one_hot(torch.zeros(len(x), dtype=torch.long), 2)

    errors = corruption_errors(predict, data, severities=(2, 5))
    assert tuple(errors) == CORRUPTIONS and set(errors.values()) == {(50.0, 50.0)}
    assert torch.equal(taken[1], corrupt(data.images, CORRUPTIONS[0], 5))
    assert torch.equal(taken[18], corrupt(data.images, CORRUPTIONS[9], 2))
    assert len(taken) == 30


def test_a_network_gets_floats_in_evaluation_mode(data):
    class Network(nn.Module):
        def forward(self, x):
            assert x.dtype == torch.float32 and x.max() <= 1 and not self.training
            return torch.stack((x[:, 0, 0, 0], x[:, 1, 0, 0]), 1)

    network = Network().train()
    (row,) = corruption_errors(network, data, severities=(1,), names=("contrast",)).values()
    corrupted = corrupt(data.images, "contrast", 1)
    wrong = (corrupted[:, 1, 0, 0] > corrupted[:, 0, 0, 0]).long() != data.labels
    assert row == (100 * float(wrong.double().mean()),) and network.training


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: corruption_error(OURS, OURS | {"fog": (0.0, 0.0)}), "no error under fog: leave"),
        (
            lambda: relative_corruption_error(OURS, 5.0, OURS | {"fog": (4.0, 6.0)}, 5.0),
            "no error beyond its clean error under fog",
        ),
        (
            lambda: mean_corruption_error(OURS, {"fog": (1.0, 2.0)}),
            "only one of the two .* under snow: measure",
        ),
        (lambda: mean_corruption_error({"fog": (1.0, 2.0)}, OURS), "only one of the two .* under snow"),
        (lambda: corruption_error({"fog": (1.0,)}, {"fog": (1.0, 2.0)}), "numbers of severities are 1, 2"),
        (lambda: mean_corrupted_error({}), "there are no errors"),
        (lambda: mean_corrupted_error({"fog": ()}), "numbers of severities are 0"),
        (lambda: mean_corrupted_error({"fog": 3.0}), "errors under fog are 3.0: give a sequence"),
        (lambda: mean_corrupted_error({"fog": (1.0,), "snow": (1.0, 2.0)}), "numbers of severities are 1, 2"),
    ],
)
def test_what_cannot_be_divided_is_one_sentence(call, said):
    with pytest.raises(ValueError, match=said) as refusal:
        call()
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")
