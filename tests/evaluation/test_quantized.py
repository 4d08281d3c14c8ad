"""Weights of few bits: against a slow reference, and nothing of the network is left changed."""

import math

import pytest
import torch
from torch import nn

from lggkit.evaluation.perturbations import quantized
from lggkit.networks import build, with_normalization


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def network():
    return with_normalization(build("preact_resnet18", seed=0, width=2), [0.5] * 3, [0.25] * 3)


def fixed_point(entries, bits):
    """Signed numbers of that many bits, toward zero; the step fits the largest of them, found by trial."""
    step, largest = 2.0**20, max(abs(entry) for entry in entries)
    while largest / step < 2 ** (bits - 2):
        step /= 2
    return [math.copysign(int(abs(entry) / step) * step, entry) for entry in entries]


@pytest.mark.parametrize("scale", [0.003, 0.11, 0.9999, 1.0, 1.7])
@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_weights_become_fixed_point_numbers(scale, bits):
    layer = nn.Linear(7, 9)
    weight = torch.randn(9, 7, generator=generator())
    layer.weight.data = scale * weight / weight.abs().max()
    before = layer.weight.detach().clone()
    with quantized(layer, bits):
        expected = torch.tensor(fixed_point(before.flatten().tolist(), bits)).view(9, 7)
        assert torch.equal(layer.weight, expected)
        assert len(layer.weight.unique()) <= 2**bits - 1
    assert torch.equal(layer.weight, before)


def test_five_bits_by_hand():
    layer = nn.Linear(6, 1, bias=False)
    layer.weight.data = torch.tensor([[0.99, -0.99, 0.5, 0.062, -0.0626, 0.1]])
    with quantized(layer, 5):
        assert layer.weight.tolist() == [[0.9375, -0.9375, 0.5, 0.0, -0.0625, 0.0625]]
    with quantized(layer, 5, "nearest"):
        assert layer.weight.tolist() == [[0.9375, -0.9375, 0.5, 0.0625, -0.0625, 0.125]]


def test_nearest_is_at_most_half_a_step_off_and_closer_than_toward_zero():
    layer = nn.Linear(50, 50)
    before = layer.weight.detach().clone()
    errors = {}
    for rounding in ("zero", "nearest"):
        with quantized(layer, 5, rounding):
            errors[rounding] = (layer.weight - before).abs()
    step = 2.0 ** (math.floor(math.log2(before.abs().max())) - 3)
    assert errors["zero"].max() < step and errors["nearest"].max() <= step / 2
    assert errors["nearest"].mean() < 0.6 * errors["zero"].mean()


def test_entries_next_to_the_power_of_two_are_at_most_a_step_off():
    layer = nn.Linear(2001, 1, bias=False)
    layer.weight.data = torch.linspace(-1, 1, 2001)[None] * (1 - 1e-6)
    before = layer.weight.detach().clone()
    with quantized(layer, 5, "nearest"):
        steps = 16 * (layer.weight - before).abs()
    edge = before.abs() > 1 - 0.5 / 16
    assert steps[~edge].max() <= 0.5 + 1e-5 < steps[edge].max() <= 1


def test_all_matrices_and_kernels_change_and_nothing_else(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with quantized(network):
        now = {name: value.clone() for name, value in network.state_dict().items()}
    for name, value in before.items():
        assert torch.equal(value, now[name]) != (name.endswith("weight") and value.dim() > 1), name
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_every_tensor_has_a_step_of_its_own():
    pair = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    pair[1].weight.data = pair[0].weight.data / 1024
    with quantized(pair):
        assert torch.equal(1024 * pair[1].weight, pair[0].weight) and pair[1].weight.abs().max() > 0


def test_many_bits_change_nothing_and_zeros_stay():
    layer = nn.Linear(4, 4)
    before = layer.weight.detach().clone()
    with quantized(layer, 24 + 8):
        torch.testing.assert_close(layer.weight, before, rtol=0, atol=1e-7)
    layer.weight.data.zero_()
    with quantized(layer):
        assert torch.equal(layer.weight, torch.zeros(4, 4))


def test_the_weights_are_back_after_an_error(network):
    before = [p.detach().clone() for p in network.parameters()]
    with pytest.raises(RuntimeError, match="stop"), quantized(network):
        raise RuntimeError("stop")
    assert all(torch.equal(p, old) for p, old in zip(network.parameters(), before, strict=True))
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


def test_bits_and_roundings_that_there_are_not_are_refused(network):
    with pytest.raises(ValueError, match="bits is 1"), quantized(network, 1):
        pass
    with pytest.raises(ValueError, match="rounding is 'up'"), quantized(network, rounding="up"):
        pass
