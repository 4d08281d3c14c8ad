"""Batch norm, sum and ReLU by kernels of our own: in Triton's interpreter, and on a GPU."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from lggkit.networks import norm_relu as module
from lggkit.networks.norm_relu import fused, norm_relu, suits
from lggkit.networks.own_kernels import own_kernels

SHAPES = [(3, 1, 8, 8), (2, 16, 4, 4), (3, 128, 3, 2), (80, 8, 8, 16)]


@pytest.fixture
def interpreted():
    """The kernels, run number by number on the CPU."""
    triton = pytest.importorskip("triton")
    if torch.cuda.is_available() or not triton.knobs.runtime.interpret:
        pytest.skip("Triton is not set to interpret")


def maps(shape, seed, dtype=torch.float32):
    source = torch.Generator().manual_seed(seed)
    x = 2 * torch.randn(shape, generator=source) + 1.5
    return x.to(dtype).to(memory_format=torch.channels_last).requires_grad_()


def norm_of(channels):
    norm = nn.BatchNorm2d(channels, momentum=0.2)
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2)
        norm.bias.uniform_(-1, 1)
    return norm


def outcome(norm, relu, x, other, compute):
    """Values, gradients and buffers."""
    values = compute(norm, relu, x, other)
    inputs = [x, norm.weight, norm.bias, *([] if other is None else [other])]
    gradient = maps(values.shape, 9).detach().to(values)
    return [values, *torch.autograd.grad(values, inputs, gradient), *norm.buffers()]


def exact(norm, relu, x, other):
    """The same in float64."""
    values = norm(x) if other is None else norm(x) + other
    return values if relu is None else relu(values)


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("bent", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_gradients_and_buffers_are_those_of_the_modules(interpreted, shape, bent, summed):
    norm, relu = norm_of(shape[1]), nn.ReLU() if bent else None
    x, other = maps(shape, 0), maps(shape, 1) if summed else None
    assert suits(norm, relu, x, other)
    twin = copy.deepcopy(norm).double()
    doubled = [None if one is None else one.detach().double().requires_grad_() for one in (x, other)]
    ours = outcome(norm, relu, x, other, lambda n, r, a, b: fused(n, a, b, r is not None))
    theirs = outcome(twin, relu, *doubled, exact)
    for found, expected in zip(ours, theirs, strict=True):
        scale = expected.detach().double().abs().max().clamp_min(1e-3)
        assert float(((found.double() - expected).abs().max() / scale).detach()) < 1e-4


def test_bfloat16_is_read_and_written_with_sums_in_float32(interpreted):
    norm, x = norm_of(8), maps((4, 8, 8, 8), 0, torch.bfloat16)
    y = fused(norm, x, None, True)
    assert y.dtype is torch.bfloat16 and y.is_contiguous(memory_format=torch.channels_last)
    expected = nn.functional.batch_norm(x.float(), None, None, norm.weight, norm.bias, training=True).relu()
    torch.testing.assert_close(y.float(), expected, rtol=2**-7, atol=2**-7)
    (gradient,) = torch.autograd.grad(y.float().sum(), x)
    assert gradient.dtype is torch.bfloat16


def test_a_mean_far_from_zero_costs_no_digits(interpreted):
    x = (1000 + maps((4, 8, 8, 8), 0).detach()).contiguous(memory_format=torch.channels_last)
    norm = nn.BatchNorm2d(8)
    y = fused(norm, x, None, False).double()
    spread = x.double() - x.double().mean((0, 2, 3), keepdim=True)
    expected = spread / spread.square().mean((0, 2, 3), keepdim=True).add(1e-5).sqrt()
    assert (y - expected).abs().max() < 1e-3


@pytest.mark.slow
def test_the_kernels_compile_for_a_gpu_that_is_not_there():
    pytest.importorskip("triton")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    script = Path(__file__).with_name("compile_kernels.py")
    told = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    sizes = [int(line.split()[1]) for line in told.stdout.splitlines()]
    assert len(sizes) == 4 + 4 * 4 * 3 + 4 and min(sizes) > 0


def test_without_a_compiler_the_modules_are_called(monkeypatch):
    monkeypatch.setattr(module, "library", lambda: "no C++ compiler found")
    norm, x = norm_of(8), maps((2, 8, 4, 4), 0)
    twin = copy.deepcopy(norm)
    with own_kernels():
        ours = norm_relu(norm, nn.ReLU(), x, x)
    assert torch.equal(ours, nn.ReLU()(twin(x) + x)) and norm.num_batches_tracked == 1
    assert torch.equal(norm_relu(norm, None, x), twin(x))


def changed(**settings):
    norm = norm_of(8)
    for name, value in settings.items():
        setattr(norm, name, value)
    return norm


def heard():
    norm = norm_of(8)
    norm.register_forward_hook(lambda *_: None)
    return norm


@pytest.mark.parametrize(
    ("norm", "relu", "x", "other"),
    [
        (norm_of(8).eval(), nn.ReLU(), maps((2, 8, 4, 4), 0), None),
        (nn.Identity(), nn.ReLU(), maps((2, 8, 4, 4), 0), None),
        (nn.BatchNorm2d(8, affine=False), None, maps((2, 8, 4, 4), 0), None),
        (nn.BatchNorm2d(8, track_running_stats=False), None, maps((2, 8, 4, 4), 0), None),
        (changed(momentum=None), None, maps((2, 8, 4, 4), 0), None),
        (heard(), None, maps((2, 8, 4, 4), 0), None),
        (norm_of(8), nn.GELU(), maps((2, 8, 4, 4), 0), None),
        (norm_of(8), None, maps((2, 8, 4, 4), 0).detach().contiguous(), None),
        (norm_of(8), None, maps((2, 8, 4, 4), 0, torch.float64), None),
        (norm_of(8), None, maps((2, 8, 3, 3), 0), None),  # pixels that fill no row
        (norm_of(12), None, maps((2, 12, 3, 3), 0), None),
        (norm_of(8).bfloat16(), None, maps((2, 8, 4, 4), 0, torch.bfloat16), None),
        (norm_of(8), None, maps((2, 8, 4, 4), 0), maps((1, 8, 4, 4), 0)),
        (norm_of(64), None, maps((1, 64, 1, 1), 0), None),  # one value a channel, which the module refuses
    ],
)
def test_what_the_kernels_do_not_compute_is_left_to_the_modules(norm, relu, x, other):
    assert not suits(norm, relu, x, other)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("shape", [*SHAPES, (128, 8, 32, 32), (128, 512, 4, 4)])
def test_on_a_gpu_the_kernels_are_taken_where_they_are_asked_for(shape, monkeypatch):
    norm, x, other = norm_of(shape[1]).cuda(), maps(shape, 0).detach().cuda(), maps(shape, 1).detach().cuda()
    given = [one.contiguous(memory_format=torch.channels_last).requires_grad_() for one in (x, other)]
    twin, called, plain = copy.deepcopy(norm), [], module.fused
    monkeypatch.setattr(module, "fused", lambda *arguments: called.append(1) or plain(*arguments))
    with own_kernels():
        ours = outcome(norm, nn.ReLU(), *given, norm_relu)
    theirs = outcome(twin, nn.ReLU(), *given, exact)
    assert called == [1]
    for found, expected in zip(ours, theirs, strict=True):
        found, expected = found.detach().float(), expected.detach().float()
        assert float((found - expected).norm() / expected.norm()) < 1e-4
