"""Convolutions with columns for channels against PyTorch's own."""

import copy

import pytest
import torch
from torch import nn

from lggkit.networks.convolution import GuardedConv2d
from lggkit.networks.narrow import as_channels, as_columns, columns_of, conv_by_columns
from lggkit.networks.own_kernels import own_kernels, wanted

SHAPES = {  # inputs, outputs, kernel, stride: columns that are taken together, of 32
    (8, 8, 3, 1): 8,
    (16, 8, 3, 1): 4,
    (8, 16, 3, 2): 4,
    (32, 32, 3, 1): 2,
    (16, 32, 1, 2): 2,
    (3, 16, 3, 1): 4,
    (4, 4, 5, 1): 16,
}


def layer_of(inputs, outputs, kernel, stride, **options):
    torch.manual_seed(0)
    options = {"padding": kernel // 2, **options}
    return GuardedConv2d(inputs, outputs, kernel, stride=stride, **options).double()


def images(channels, width=32, height=6):
    x = torch.randn(
        3, channels, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    return x.to(memory_format=torch.channels_last).requires_grad_()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("shape", "columns"), SHAPES.items())
def test_values_and_gradients_are_those_of_the_convolution(shape, columns, bias):
    layer, x = layer_of(*shape, bias=bias), images(shape[0])
    assert columns_of(layer, x) == columns
    ours, theirs = conv_by_columns(x, layer.weight, layer.bias, shape[3], columns), layer(x)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    gradient, inputs = torch.randn_like(theirs), [x, *layer.parameters()]
    found, expected = (torch.autograd.grad(y, inputs, gradient) for y in (ours, theirs))
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


def test_half_precision_under_autocast_is_the_convolution_to_its_rounding():
    layer, x = layer_of(8, 8, 3, 1, bias=False).float(), images(8).detach().float()
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = conv_by_columns(x, layer.weight, None, 1, 8), layer(x)
    assert ours.dtype is torch.bfloat16
    torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2)
    found, expected = (
        torch.autograd.grad(y.float().square().sum(), [x, layer.weight]) for y in (ours, theirs)
    )
    for own, plain in zip(found, expected, strict=True):
        assert own.dtype is torch.float32 and (own - plain).norm() < 2e-2 * plain.norm()


@pytest.mark.parametrize(
    ("shape", "options", "width"),
    [
        ((64, 64, 3, 1), {}, 32),  # wide enough
        ((8, 8, 3, 1), {"padding": 0}, 32),
        ((8, 8, 3, 1), {"dilation": 2}, 32),
        ((8, 8, 3, 1), {"groups": 2}, 32),
        ((8, 8, 3, 1), {"padding_mode": "circular"}, 32),
        ((8, 8, 4, 1), {}, 32),  # an even kernel
        ((8, 8, 3, 1), {}, 31),  # columns that fill no block
        ((8, 8, 3, 2), {}, 31),
        ((8, 8, 3, (1, 2)), {}, 32),
        ((1, 1, 17, 1), {"padding": "same"}, 32),
    ],
)
def test_what_cannot_be_taken_together_is_left_alone(shape, options, width):
    assert columns_of(layer_of(*shape, **options), images(shape[0], width)) == 1


def test_images_in_other_memory_are_left_alone():
    assert columns_of(layer_of(8, 8, 3, 1), images(8).detach().contiguous()) == 1


def test_columns_as_channels_are_a_view_and_back():
    x = images(8).detach()
    blocks = as_channels(x, 4)
    assert blocks.shape == (3, 32, 6, 8) and blocks.data_ptr() == x.data_ptr()
    assert torch.equal(as_columns(blocks, 4), x) and as_columns(blocks, 4).data_ptr() == x.data_ptr()
    assert torch.equal(blocks[:, 8:16, :, 0], x[..., 1])


def test_they_are_asked_for_inside_alone(monkeypatch):
    x = torch.zeros(1)
    assert not wanted(x)
    with own_kernels():
        assert wanted(x) and not wanted(nn.Parameter(x))
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
        assert not wanted(x)  # a compiler makes kernels of its own
        monkeypatch.undo()
        with own_kernels(False):
            assert not wanted(x)
    with pytest.raises(KeyError), own_kernels():
        raise KeyError
    assert not wanted(x)


def test_on_a_cpu_a_layer_does_without_them():
    layer, x = layer_of(8, 8, 3, 1).float(), images(8).detach().float()
    with own_kernels():
        ours = layer(x)
    assert torch.equal(ours, layer(x))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("shape", SHAPES)
def test_on_a_gpu_a_layer_takes_them_where_they_are_asked_for(shape):
    layer, plain = layer_of(*shape).cuda(), copy.deepcopy(layer_of(*shape)).cuda()
    x = images(shape[0]).detach().cuda().requires_grad_()
    with own_kernels():
        ours = layer(x)
    theirs = nn.Conv2d.forward(plain, x)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
