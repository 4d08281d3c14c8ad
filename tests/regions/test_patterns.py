"""Patterns of any architecture against a plain loop, Hamming distances against SciPy's, refusals by name."""

import pytest
import torch
import torch.nn.functional as F
from scipy.spatial.distance import cdist
from torch import nn

from lggkit.networks import resnet18, small_net
from lggkit.regions import Cells, activation_patterns, hamming, local_affine_maps


def test_bits_of_a_layered_network_are_the_signs_of_its_inputs(mlp):
    network, x = mlp(3, 5, 4, 2), torch.randn(20, 3, dtype=torch.float64)
    first = network[0](x)
    second = network[2](first.relu())
    expected = torch.cat([first > 0, second > 0], dim=1)
    assert torch.equal(activation_patterns(network, x, batch=7), expected)
    assert torch.equal(Cells(network, (3,)).patterns(x), expected)


def test_a_unit_at_zero_is_off():
    network = nn.Sequential(nn.Linear(1, 2), nn.ReLU())
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[0].bias.copy_(torch.tensor([0.0, 1.0]))
    assert activation_patterns(network, torch.zeros(1, 1)).tolist() == [[False, True]]


class Functional(nn.Module):
    def __init__(self, bend):
        super().__init__()
        self.linear, self.bend = nn.Linear(3, 4), bend

    def forward(self, x):
        return self.bend(self.linear(x))


@pytest.mark.parametrize("bend", [F.relu, torch.relu, torch.Tensor.relu, lambda x: F.relu(x, inplace=True)])
def test_functions_count_like_modules(bend):
    network, x = Functional(bend), torch.randn(6, 3)
    assert torch.equal(activation_patterns(network, x), network.linear(x) > 0)


@pytest.mark.parametrize("network", [small_net(width=4), resnet18(width=4, channels=1)])
def test_residual_networks_are_affine_on_the_cell(network):
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(), part.running_var.uniform_(0.5, 2)
    x = torch.rand(2, 1, 6, 6, dtype=torch.float64)
    assert network.training
    patterns = activation_patterns(network.double(), x)
    weight, bias = local_affine_maps(network, x)
    assert network.training
    cell = Cells(network, (1, 6, 6)).at(x[0])
    assert torch.equal(cell.pattern, patterns[0]) and cell.contains(x[0].flatten())
    outputs = network.eval()(x)
    torch.testing.assert_close((weight @ x.flatten(1)[..., None])[..., 0] + bias, outputs)
    torch.testing.assert_close(cell.weight @ x[0].flatten() + cell.bias, outputs[0])
    torch.testing.assert_close(cell.weight, weight[0])


def test_affine_maps_are_the_jacobians(mlp):
    network, x = mlp(4, 6, 5, 3), torch.randn(9, 4, dtype=torch.float64)
    weight, _ = local_affine_maps(network, x, batch=4)
    expected = torch.func.vmap(torch.func.jacrev(network))(x)
    torch.testing.assert_close(weight, expected)


def test_permuting_units_permutes_bits_and_scaling_changes_nothing(mlp):
    network, x = mlp(3, 5, 4, 2), torch.randn(30, 3, dtype=torch.float64)
    before = activation_patterns(network, x)
    order, size = torch.randperm(5), torch.rand(5, dtype=torch.float64) + 0.5
    with torch.no_grad():
        network[0].weight.mul_(size[:, None])
        network[0].bias.mul_(size)
        network[2].weight.div_(size)
        network[-1].weight.normal_()
    assert torch.equal(activation_patterns(network, x), before)
    with torch.no_grad():
        network[0].weight.copy_(network[0].weight[order])
        network[0].bias.copy_(network[0].bias[order])
    assert torch.equal(activation_patterns(network, x)[:, :5], before[:, :5][:, order])


@pytest.mark.parametrize("shape", [(7, 5, 13), (1500, 3, 40)])
def test_hamming_is_scipys(shape):
    n, k, h = shape
    s, t = torch.rand(n, h) < 0.5, torch.rand(k, h) < 0.3
    expected = torch.from_numpy(cdist(s, t, "hamming") * h).round().int()
    assert torch.equal(hamming(s, t), expected)
    assert torch.equal(hamming(s)[:3].diagonal(), torch.zeros(3, dtype=torch.int32))


@pytest.mark.parametrize(
    ("part", "name"),
    [(nn.GELU(), "1 is GELU"), (nn.LayerNorm(4), "1 is LayerNorm"), (nn.Sigmoid(), "1 is Sigmoid")],
)
def test_what_bends_otherwise_is_named(part, name):
    with pytest.raises(TypeError, match=f"{name}, which is not piecewise linear"):
        activation_patterns(nn.Sequential(nn.Linear(3, 4), part), torch.rand(2, 3))


@pytest.mark.parametrize("bend", [F.gelu, torch.tanh, torch.sigmoid])
def test_functions_that_bend_otherwise_are_named(bend):
    with pytest.raises(TypeError, match=f"the network calls {bend.__name__}"):
        activation_patterns(Functional(bend), torch.rand(2, 3))


def test_other_bad_input():
    linear = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(ValueError, match="the network calls no ReLU"):
        activation_patterns(linear, torch.rand(2, 3))
    with pytest.raises(ValueError, match=r"x has shape \(3,\); give at least one"):
        activation_patterns(linear, torch.rand(3))
    with pytest.raises(TypeError, match="the network is a function"):
        activation_patterns(F.relu, torch.rand(2, 3))
    with pytest.raises(TypeError, match=r"s is torch.float32 \(2, 3\)"):
        hamming(torch.rand(2, 3))
    with pytest.raises(ValueError, match="patterns have 3 and 4 bits"):
        hamming(torch.rand(2, 3) > 0, torch.rand(2, 4) > 0)
    with pytest.raises(ValueError, match="running statistics"):
        activation_patterns(nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False)), torch.rand(2, 3))
    pooled = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    assert activation_patterns(pooled, torch.rand(2, 1, 6, 6)).shape == (2, 32)
    with pytest.raises(TypeError, match="max-pooling"):
        Cells(pooled, (1, 6, 6)).at(torch.rand(1, 6, 6))
    with pytest.raises(ValueError, match=r"takes no input of shape \(5,\)"):
        Cells(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), (5,))
    with pytest.raises(ValueError, match="a pattern has 3 bits; the network has 2"):
        Cells(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), (3,)).of(torch.ones(3, dtype=torch.bool))
