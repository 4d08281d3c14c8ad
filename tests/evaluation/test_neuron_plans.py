"""Plans between neurons whose answer is known: the same network, reordered, and one with other weights."""

import pytest
import torch
from torch import nn

from lggkit.evaluation.neuron_plans import layer_points, plan_between, swapped_share


@pytest.fixture
def images():
    return torch.randint(256, (30, 1, 6, 6), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(80, 4))


def test_a_neuron_is_its_mean_activation_on_every_image(model, images):
    points = layer_points(model.train(), images, ["2", "4"])
    assert model.training and {name: tuple(x.shape) for name, x in points.items()} == {
        "2": (5, 30),
        "4": (4, 30),
    }
    with torch.no_grad():
        expected = model.eval()[:3](images.float() / 255).mean((2, 3)).T
    torch.testing.assert_close(points["2"], expected.double(), rtol=1e-5, atol=1e-6)


def test_a_network_keeps_every_role_of_its_own(model, images):
    for x in layer_points(model, images, ["2", "4"]).values():
        plan = plan_between(x, x)
        assert float(plan.trace()) == pytest.approx(1) and swapped_share(plan) == 0


def test_a_reordered_layer_is_found_again(model, images):
    x = layer_points(model, images, ["2"])["2"]
    order = torch.tensor([1, 2, 0, 3, 4])
    plan = plan_between(x[order], x)
    assert (5 * plan).argmax(1).tolist() == order.tolist()
    assert float(plan.trace()) == pytest.approx(2 / 5) and swapped_share(plan) == pytest.approx(3 / 5)
