"""Parseval's PreActResNet-18 beside the plain one: same weights, other use of them."""

import math

import pytest
import torch
from torch import nn

from lggkit.latents import latents
from lggkit.networks import build, load_weights, mac_count, parameter_count, save_weights
from lggkit.networks.blocks import ParsevalConv2d
from lggkit.training.teacher import folded

IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def network(parseval=True, **settings):
    return build("preact_resnet18", seed=0, **{"width": 4, "parseval": parseval} | settings)


def as_if_trained(model):
    source = torch.Generator().manual_seed(2)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.running_mean, part.running_var, part.weight.data, part.bias.data):
                tensor.copy_(torch.rand(tensor.shape, generator=source) + 0.1)
    return model.eval()


def scaled(conv, x):
    """The authors' convolution, its weight and its image by hand."""
    divisor = {1: math.sqrt(3), 3: math.sqrt(19)}[conv.kernel_size[0]]
    return nn.functional.conv2d(x, conv.weight / divisor, None, conv.stride, conv.padding)


def test_weights_are_drawn_alike_and_fit_both(tmp_path):
    ours, plain = network(), network(False)
    assert list(ours.state_dict()) == list(plain.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), plain.parameters(), strict=True))
    assert (ours.depths, ours.relu_depths) == (plain.depths, plain.relu_depths)
    other = build("preact_resnet18", seed=5, width=4, parseval=True)
    load_weights(plain, save_weights(other, tmp_path / "weights.pt"))
    assert torch.equal(plain.stem.weight, other.stem.weight)


def test_it_costs_what_the_plain_one_does():
    with torch.device("meta"):
        models = [build("preact_resnet18", parseval=parseval) for parseval in (True, False)]
        assert [parameter_count(m) for m in models] == [11_171_146] * 2
        assert mac_count(models[0], (3, 32, 32)) == mac_count(models[1], (3, 32, 32)) > 0


def test_the_default_is_the_plain_one():
    plain = build("preact_resnet18", seed=0, width=4).eval()
    assert not any(isinstance(part, ParsevalConv2d) for part in plain.modules())
    assert torch.equal(plain(IMAGES), network(False).eval()(IMAGES))


def test_every_convolution_is_scaled():
    convolutions = [part for part in network().modules() if isinstance(part, nn.Conv2d)]
    assert len(convolutions) == 1 + 16 + 3
    assert {type(part) for part in convolutions} == {ParsevalConv2d}


@pytest.mark.parametrize("index", [0, 2])
def test_a_block_by_hand(index):
    model = as_if_trained(network())
    block, x = model.blocks[index], torch.randn(2, 4, 6, 6)
    first = torch.relu(block.bn1(x))
    second = torch.relu(block.bn2(scaled(block.conv1, first)))
    skip = x if index == 0 else scaled(block.shortcut, first)
    torch.testing.assert_close(block(x), 0.5 * scaled(block.conv2, second) + 0.5 * skip)
    torch.testing.assert_close(model.stem(IMAGES), scaled(model.stem, IMAGES))


@pytest.mark.parametrize("side", [1, 3])
def test_orthonormal_weights_lengthen_nothing(side):
    conv = ParsevalConv2d(2, 5, side, padding=side // 2, bias=False)
    nn.init.orthogonal_(conv.weight)
    # All of a map's images at once: the largest stretch is the spectral norm of the whole linear map.
    basis = torch.eye(2 * 7 * 7).view(-1, 2, 7, 7)
    stretch = torch.linalg.matrix_norm(conv(basis).flatten(1), 2)
    assert 0.3 < stretch <= 1


def test_a_bias_is_not_scaled():
    conv = ParsevalConv2d(2, 3, 3)
    torch.testing.assert_close(conv(torch.zeros(1, 2, 3, 3)).flatten(), conv.bias)


@pytest.mark.parametrize("attribute", ["depths", "relu_depths"])
def test_folding_changes_nothing(attribute):
    model = as_if_trained(network())
    paths = getattr(model, attribute)
    names = [*paths, "output"]
    ours = latents(folded(model, paths.values()), IMAGES, names)
    for name, expected in latents(model, IMAGES, names).items():
        torch.testing.assert_close(ours[name], expected, rtol=1e-4, atol=1e-5)


def test_channels_last_and_gradients():
    models = [network(), network().to(memory_format=torch.channels_last)]
    outputs = [
        m(x) for m, x in zip(models, (IMAGES, IMAGES.to(memory_format=torch.channels_last)), strict=True)
    ]
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
    for output in outputs:
        output.square().sum().backward()
    for a, b in zip(*(m.parameters() for m in models), strict=True):
        assert a.grad.any()
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-4)
    assert models[1].blocks[3].conv1.weight.grad.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.filterwarnings("default")
def test_it_compiles_as_one_graph():
    model = network().eval()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(IMAGES), model(IMAGES))
