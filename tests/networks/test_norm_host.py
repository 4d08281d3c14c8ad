"""Batch norm, sum and ReLU on a CPU by kernels that are compiled here."""

import copy
import os

import pytest
import torch
from torch import nn

from lggkit.networks import build, norm_host
from lggkit.networks.norm_host import fused_on_host, library
from lggkit.networks.norm_relu import norm_relu, suits
from lggkit.networks.own_kernels import own_kernels

SHAPES = [(3, 1, 8, 8), (2, 16, 4, 4), (3, 128, 3, 2), (7, 24, 8, 8), (4, 72, 4, 4), (5, 8, 33, 8)]
NETWORKS = ("preact_resnet18", "resnet18", "vgg", "mobilenet_v2", "efficientnet", "googlenet")


@pytest.fixture(autouse=True)
def compiled():
    if isinstance(library(), str):
        pytest.skip(library())


@pytest.fixture(params=[1, 3])
def threads(request):
    """As many threads as PyTorch is set to."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def maps(shape, seed, dtype=torch.float32, shift=1.5):
    source = torch.Generator().manual_seed(seed)
    x = 2 * torch.randn(shape, generator=source) + shift
    return x.to(dtype).to(memory_format=torch.channels_last).requires_grad_()


def norm_of(channels):
    norm = nn.BatchNorm2d(channels, momentum=0.2)
    source = torch.Generator().manual_seed(channels)
    with torch.no_grad():
        norm.weight.copy_(torch.randn(channels, generator=source))
        norm.bias.copy_(torch.randn(channels, generator=source))
    return norm


def outcome(norm, x, other, compute):
    """Values, gradients and buffers."""
    values = compute(norm, x, other)
    inputs = [x, norm.weight, norm.bias, *([] if other is None else [other])]
    gradient = maps(values.shape, 9).detach().to(values)
    return [values, *torch.autograd.grad(values, inputs, gradient), *norm.buffers()]


def double(x):
    return None if x is None else x.detach().double().requires_grad_()


def exact(relu):
    def compute(norm, x, other):
        values = norm(x) if other is None else norm(x) + other
        return values.relu() if relu else values

    return compute


def farthest(ours, theirs):
    """The largest difference, relative to the largest value of each tensor."""
    pairs = zip(ours, theirs, strict=True)
    return max(
        float(((a.double() - b).abs().max() / b.abs().max().clamp_min(1e-3)).detach()) for a, b in pairs
    )


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_gradients_and_buffers_are_those_of_the_modules(threads, shape, relu, summed):
    norm, x, other = norm_of(shape[1]), maps(shape, 0), maps(shape, 1) if summed else None
    assert suits(norm, nn.ReLU() if relu else None, x, other)
    twin = copy.deepcopy(norm).double()
    ours = outcome(norm, x, other, lambda n, a, b: fused_on_host(n, a, b, relu))
    assert farthest(ours, outcome(twin, double(x), double(other), exact(relu))) < 2e-6
    assert ours[0].is_contiguous(memory_format=torch.channels_last) and norm.num_batches_tracked == 1


@pytest.mark.parametrize("summed", [False, True])
def test_bfloat16_is_rounded_once(summed):
    norm, x = norm_of(8), maps((4, 8, 8, 8), 0, torch.bfloat16)
    other = maps((4, 8, 8, 8), 1, torch.bfloat16) if summed else None
    twin = copy.deepcopy(norm)
    wide = [None if one is None else one.detach().float().requires_grad_() for one in (x, other)]
    values = fused_on_host(norm, x, other, True)
    expected = exact(True)(twin, *wide)
    assert values.dtype is torch.bfloat16
    torch.testing.assert_close(values.float(), expected, rtol=2**-8, atol=1e-6)
    given = [one for one in (x, other) if one is not None]
    ours = torch.autograd.grad(values.float().square().sum(), given)
    theirs = torch.autograd.grad(expected.square().sum(), [one for one in wide if one is not None])
    for found, right in zip(ours, theirs, strict=True):
        assert found.dtype is torch.bfloat16
        torch.testing.assert_close(found.float(), right, rtol=0.05, atol=0.05)


def test_a_mean_far_from_zero_costs_no_digits():
    norm, x = nn.BatchNorm2d(8), maps((4, 8, 8, 8), 0, shift=1000.0)
    y = fused_on_host(norm, x, None, False).double()
    spread = x.double() - x.double().mean((0, 2, 3), keepdim=True)
    expected = spread / spread.square().mean((0, 2, 3), keepdim=True).add(1e-5).sqrt()
    assert (y - expected).abs().max() < 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_stays_so_in_its_channel(dtype, bad):
    norm, x = nn.BatchNorm2d(8), maps((4, 8, 8, 8), 0, dtype).detach().clone()
    x[1, 3, 2, 2] = bad
    y = fused_on_host(norm, x.requires_grad_(), None, True)
    assert y[:, 3].isnan().all() and y[:, [0, 1, 2, 4, 5, 6, 7]].isfinite().all()


def test_rounding_of_values_between_zero_and_the_least_normal_is_left_on():
    fused_on_host(nn.BatchNorm2d(8), maps((4, 8, 8, 8), 0), None, True)
    assert torch.tensor(1e-40) * 1 == torch.tensor(1e-40) and 1e-310 * 1.0 > 0


def test_a_gradient_of_a_gradient_is_refused_not_wrong():
    norm, x = norm_of(8), maps((4, 8, 8, 8), 0)
    (slope,) = torch.autograd.grad(fused_on_host(norm, x, None, True).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        slope.sum().backward()


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_take_them_where_they_are_asked_for(name, monkeypatch):
    """Rounding is amplified by untrained weights, hence the tolerance."""
    import lggkit.networks.norm_relu as module

    calls, plain = [], module.fused_on_host
    monkeypatch.setattr(module, "fused_on_host", lambda *given: calls.append(1) or plain(*given))
    model = build(name, seed=0, width=8).to(memory_format=torch.channels_last)
    x = torch.rand(8, 3, 32, 32).to(memory_format=torch.channels_last)
    found = []
    for on in (False, True):
        model.zero_grad()
        with own_kernels(on):
            model(x).square().sum().backward()
        found.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    norms = sum(isinstance(part, nn.BatchNorm2d) for part in model.modules())
    assert len(calls) == norms and (found[1] - found[0]).norm() < 0.03 * found[0].norm()


def test_a_compiled_network_does_without(monkeypatch):
    import lggkit.networks.norm_relu as module

    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    monkeypatch.setattr(module, "fused_on_host", lambda *given: pytest.fail("called"))
    with own_kernels():
        norm_relu(norm_of(8), nn.ReLU(), maps((4, 8, 8, 8), 0))


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler"])
def test_a_compiler_that_fails_is_named(compiler, monkeypatch):
    monkeypatch.setenv("CXX", compiler)
    monkeypatch.setenv("PATH", os.environ["PATH"] if compiler == "false" else "")
    told = norm_host.library.__wrapped__()
    assert told == (
        "false built no kernels (CalledProcessError)" if compiler == "false" else "no C++ compiler found"
    )
