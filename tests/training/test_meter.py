import pytest
import torch

from lggkit.training.meter import Meter


def filled():
    meter = Meter(torch.tensor([4.0, 2.0]).double(), torch.device("cpu"))
    labels, right = torch.tensor([0, 1, 2, 0]), torch.eye(3)[[0, 1, 2, 0]]
    meter.add(0, torch.tensor(1.0), right, labels)
    meter.add(1, torch.tensor(4.0), right[:2].flip(1), labels[:2])
    return meter


def test_the_loss_is_the_mean_over_images_not_over_batches():
    loss, accuracy = filled().summary()
    assert loss == pytest.approx((4 * 1.0 + 2 * 4.0) / 6)
    assert accuracy == pytest.approx(5 / 6)


def test_the_first_bad_step_is_found():
    meter = filled()
    assert meter.first_bad(2) is None
    meter.losses[1] = float("inf")
    assert meter.first_bad(2) == 1
    assert meter.first_bad(1) is None
    meter.losses[0] = float("nan")
    assert meter.first_bad(2) == 0


def test_state_is_carried_over_and_reset_forgets():
    meter, other = filled(), Meter(torch.tensor([4.0, 2.0]).double(), torch.device("cpu"))
    other.load(meter.state())
    assert other.summary() == meter.summary()
    meter.reset()
    assert meter.summary() == (0, 0)
