"""Noise and failing units: against slow references, and nothing of the network is left changed."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from lggkit.evaluation.perturbations import gaussian_noise, noise_at, with_dropout
from lggkit.latents import latents
from lggkit.networks import build, with_normalization

BLOCKS = [f"block{i}" for i in range(1, 9)]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def gray(value, count=4):
    return torch.full((count, 3, 16, 16), value)


@pytest.fixture
def network():
    return with_normalization(build("preact_resnet18", seed=0, width=2), [0.5] * 3, [0.25] * 3)


class Chain(nn.Module):
    """Two identity depths; the second one doubles."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Identity(), nn.Identity()

    def forward(self, x):
        return 2 * self.second(self.first(x))


# Noise


def test_noise_is_normal_of_the_given_spread_and_each_image_has_its_own():
    noise = gaussian_noise(gray(0.5, 40), 0.05, generator()) - 0.5
    assert noise.std().item() == pytest.approx(0.05, rel=0.02) and abs(noise.mean().item()) < 1e-3
    assert (noise.abs() < 0.05).double().mean().item() == pytest.approx(0.683, abs=0.01)
    assert not torch.equal(noise[0], noise[1])


def test_noise_is_added_to_the_image_and_clamped():
    x = torch.rand(4, 3, 16, 16, generator=generator(1))
    drawn = torch.randn(x.shape, generator=generator())
    torch.testing.assert_close(gaussian_noise(x, generator=generator()), (x + 0.1 * drawn).clamp(0, 1))
    loud = gaussian_noise(x, 5.0, generator())
    assert loud.min() == 0 and loud.max() == 1
    assert torch.equal(gaussian_noise(x, 0.0), x)


@pytest.mark.parametrize("snr", [25.0, 40.0])
def test_each_image_gets_the_noise_of_its_own_ratio(snr):
    levels = torch.tensor([0.2, 0.4, 0.8]).view(3, 1, 1, 1)
    x = levels + 0.05 * torch.rand(3, 3, 64, 64, generator=generator(1))
    noised = noise_at(x, snr, generator())
    for clean, noisy in zip(x, noised, strict=True):
        signal, noise = clean.norm().item(), (noisy - clean).norm().item()
        assert 20 * math.log10(signal / noise) == pytest.approx(snr, abs=0.2)


def test_noise_at_a_ratio_by_hand_and_clamped():
    x, drawn = torch.rand(3, 1, 6, 6, generator=generator(1)), torch.randn(3, 1, 6, 6, generator=generator())
    spread = x.square().mean((1, 2, 3), keepdim=True).sqrt() / 10**0.5
    torch.testing.assert_close(noise_at(x, 10.0, generator()), (x + spread * drawn).clamp(0, 1))


def test_a_negative_spread_is_refused():
    with pytest.raises(ValueError, match=r"sd is -0\.1"):
        gaussian_noise(gray(0.5), -0.1)


# Dropout


def test_entries_are_dropped_with_probability_p_and_the_rest_is_scaled():
    x = torch.ones(50, 4, 10, 10)
    with with_dropout(Chain(), 0.4, ["second"]) as model:
        y = model(x) / 2
    undropped = y > 0
    assert undropped.double().mean().item() == pytest.approx(0.6, abs=0.01)
    torch.testing.assert_close(y[undropped], torch.full((int(undropped.sum()),), 1 / 0.6))
    assert not torch.equal(undropped[0], undropped[1]) and not torch.equal(undropped[:, 0], undropped[:, 1])


def test_depths_drop_independently_of_each_other():
    with with_dropout(Chain(), 0.5, ["first", "second"]) as model:
        survived = (model(torch.ones(20_000)) > 0).double().mean().item()
    assert survived == pytest.approx(0.25, abs=0.02)


def test_the_seed_decides_and_the_global_state_has_no_part(network):
    x = torch.rand(4, 3, 16, 16, generator=generator(1))

    def answers(seed):
        with with_dropout(network, 0.25, BLOCKS, seed), torch.no_grad():
            return network(x), network(x)

    state = torch.get_rng_state()
    one, again = answers(3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(9)
    assert torch.equal(answers(3)[0], one) and torch.equal(answers(3)[1], again)
    assert not torch.equal(one, again) and not torch.equal(answers(4)[0], one)


def test_every_block_of_the_network_drops_and_nothing_else_does(network):
    x = torch.rand(8, 3, 16, 16, generator=generator(1))
    names = ["model.stem", *BLOCKS, "penultimate"]
    whole = latents(network.eval(), x, names)
    with with_dropout(network, 0.5, BLOCKS):
        broken = latents(network, x, names)
    for name in BLOCKS:
        assert (whole[name] == 0).double().mean() < 0.02
        assert (broken[name] == 0).double().mean().item() == pytest.approx(0.5, abs=0.13)
    torch.testing.assert_close(broken["model.stem"], whole["model.stem"])
    torch.testing.assert_close(broken["penultimate"], broken["block8"].relu().mean((2, 3)))


def test_the_rest_is_in_evaluation_mode_and_all_is_as_before_afterwards(network):
    x = torch.rand(4, 3, 16, 16, generator=generator(1))
    expected = network.eval()(x)
    network.train()
    network.model.stem.eval()
    statistics = {name: value.clone() for name, value in network.named_buffers()}
    with with_dropout(network, 0.0, BLOCKS):
        torch.testing.assert_close(network(x), expected)
    assert network.training and not network.model.stem.training
    assert all(torch.equal(value, statistics[name]) for name, value in network.named_buffers())
    assert torch.equal(network.eval()(x), expected)


def test_the_hooks_are_gone_after_an_error(network):
    x = torch.rand(2, 3, 16, 16, generator=generator(1))
    expected = network.eval()(x)
    with pytest.raises(RuntimeError, match="stop"), with_dropout(network, 0.9, BLOCKS):
        raise RuntimeError("stop")
    assert torch.equal(network(x), expected)


def test_dropout_keeps_the_type_and_carries_gradients():
    x = torch.rand(6, 8, dtype=torch.float64, requires_grad=True)
    with with_dropout(Chain(), 0.5, ["first"]) as model:
        y = model(x)
        y.sum().backward()
    assert y.dtype is torch.float64 and torch.equal(x.grad, torch.where(y > 0, 4.0, 0.0))


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5])
def test_probabilities_out_of_range_are_refused(network, p):
    with pytest.raises(ValueError, match="p is"), with_dropout(network, p, BLOCKS):
        pass


def test_depths_must_be_inside_the_network(network):
    with pytest.raises(TypeError, match="p is 'a'; give a number"), with_dropout(network, "a", BLOCKS):
        pass
    with pytest.raises(ValueError, match="no depth 'block9'"), with_dropout(network, 0.1, ["block9"]):
        pass
    with pytest.raises(ValueError, match="'output' is not inside"), with_dropout(network, 0.1, ["output"]):
        pass


def test_a_compiled_network_is_refused_rather_than_left_whole(network):
    chain = Chain()
    chain.compile(backend="eager")
    compiled = torch.compile(network, backend="eager")
    for model in (compiled, chain, nn.DataParallel(compiled), nn.Sequential(compiled)):
        with pytest.raises(ValueError, match="compiled"), with_dropout(model, 0.1, []):
            pass


@pytest.mark.parametrize("wrap", [nn.DataParallel, AveragedModel])
def test_a_wrapped_network_drops_like_the_network(network, wrap):
    x, wrapped = torch.rand(4, 3, 16, 16, generator=generator(1)), wrap(network)
    with with_dropout(network, 0.5, BLOCKS):
        expected = network(x)
    with with_dropout(wrapped, 0.5, BLOCKS) as model:
        torch.testing.assert_close(model(x), expected)


def test_a_copy_of_a_dropping_network_is_whole(network):
    x = torch.rand(4, 3, 16, 16, generator=generator(1))
    with with_dropout(network, 0.5, BLOCKS):
        broken, whole = network(x), copy.deepcopy(network)(x)
    assert torch.equal(whole, network.eval()(x)) and not torch.equal(whole, broken)


def test_a_part_of_an_output_is_refused():
    model = nn.Sequential(nn.LSTM(2, 2))
    with (
        pytest.raises(ValueError, match=r"'0\[0\]' is part of an output"),
        with_dropout(model, 0.1, ["0[0]"]),
    ):
        pass
    with with_dropout(model, 0.1, ["0"]), pytest.raises(TypeError, match="to drop returns a tuple"):
        model(torch.rand(2, 3, 2))
