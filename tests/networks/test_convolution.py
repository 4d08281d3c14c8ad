"""Gradients of narrow and of strided convolutions, on this processor and as smaller ones compute them."""

import copy
import os
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from lggkit.networks import build, convolution
from lggkit.networks.blocks import ParsevalConv2d, conv1x1
from lggkit.networks.convolution import (
    GuardedConv2d,
    at_risk,
    layers_at_risk,
    oneDNN_overruns,
    strided_depthwise,
)

LIMITS = ("SSE41", "AVX2", "AVX2_VNNI", "AVX512_CORE")
GRADIENTS = """
import torch
from lggkit.networks.blocks import PostActivationBlock, PreActivationBlock, conv1x1
torch.manual_seed(0)
def compare(layer, x):
    exact, wide = layer(x), x.double()
    exact.backward(torch.ones_like(exact).tril())
    found = [p.grad.double() for p in layer.parameters()]
    layer.zero_grad()
    precise = layer.double()(wide)
    precise.backward(torch.ones_like(precise).tril())
    for one, p in zip(found, layer.parameters()):
        torch.testing.assert_close(one, p.grad, rtol=1e-3, atol=1e-3)
for layout in (torch.channels_last, torch.contiguous_format):
    for inputs in range(1, 10):
        for stride, side in ((2, 8), (2, 7), (3, 9), (1, 8)):
            x = torch.randn(4, inputs, side, side).contiguous(memory_format=layout)
            compare(conv1x1(inputs, 2 * inputs, stride).to(memory_format=layout), x)
            kept = [torch.empty(n) for n in range(1, 300, 7)]
"""


@pytest.fixture(params=[False, True], ids=["unaffected", "affected"])
def affected(monkeypatch, request):
    monkeypatch.setattr(convolution, "oneDNN_overruns", lambda: request.param)
    return request.param


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("limit", LIMITS)
def test_gradients_are_those_of_float64_on_smaller_processors(limit, threads):
    smaller = {"ONEDNN_MAX_CPU_ISA": limit, "OMP_NUM_THREADS": threads, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", GRADIENTS], env=os.environ | smaller, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", [GuardedConv2d, ParsevalConv2d])
@pytest.mark.parametrize("stride", [2, 3, (1, 2), (2, 1)])
@pytest.mark.parametrize("inputs", [1, 4, 7, 8])
def test_numbers_and_gradients_are_the_plain_layers(affected, kind, stride, inputs):
    torch.manual_seed(0)
    ours = kind(inputs, 5, 1, stride=stride).double()
    plain = nn.Conv2d(inputs, 5, 1, stride=stride).double()
    scale = 3**-0.5 if kind is ParsevalConv2d else 1.0
    plain.load_state_dict({"weight": scale * ours.weight, "bias": ours.bias})
    images = [torch.randn(2, inputs, 7, 6, dtype=torch.float64).requires_grad_() for _ in range(1)] * 2
    outputs = [layer(x) for layer, x in zip((ours, plain), images, strict=True)]
    torch.testing.assert_close(*outputs)
    slopes = [
        torch.autograd.grad(output.square().sum(), [images[0], layer.weight])
        for output, layer in zip(outputs, (ours, plain), strict=True)
    ]
    torch.testing.assert_close(slopes[0][0], slopes[1][0])
    torch.testing.assert_close(slopes[0][1], slopes[1][1] * scale)


def test_where_the_processor_is_unaffected_the_bits_are_the_plain_layers(monkeypatch):
    monkeypatch.setattr(convolution, "oneDNN_overruns", lambda: False)
    ours, plain = GuardedConv2d(9, 5, 1, stride=2), nn.Conv2d(9, 5, 1, stride=2)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, 9, 8, 8).to(memory_format=torch.channels_last)
    grads = []
    for layer in (ours, plain):
        output = layer(x)
        output.square().sum().backward()
        grads.append((output, layer.weight.grad, layer.bias.grad))
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))


@pytest.mark.parametrize(
    ("settings", "risky"),
    [
        ({}, True),
        ({"in_channels": 1}, True),
        ({"in_channels": 7}, True),
        ({"in_channels": 8}, False),
        ({"stride": 1}, False),
        ({"stride": (1, 2)}, True),
        ({"stride": (3, 1)}, True),
        ({"padding": "valid"}, True),
        ({"padding": 1}, False),
        ({"padding": 1, "padding_mode": "reflect"}, True),
        ({"kernel_size": 3}, False),
        ({"kernel_size": (1, 3)}, False),
        ({"groups": 2}, False),
    ],
    ids=str,
)
def test_the_shapes_of_the_fault(settings, risky):
    layer = nn.Conv2d(**{"in_channels": 4, "out_channels": 6, "kernel_size": 1, "stride": 2} | settings)
    assert at_risk(layer) == risky


@pytest.mark.parametrize("name", ["resnet18", "preact_resnet18", "wide_resnet28", "small_net"])
@pytest.mark.parametrize("width", [1, 2, 4, 5, 7, 8])
def test_every_layer_at_risk_in_the_networks_is_guarded(name, width):
    risky = list(layers_at_risk(build(name, seed=0, width=width)))
    assert bool(risky) == (width < 8) and all(isinstance(layer, GuardedConv2d) for layer in risky)


def test_parsevals_layers_are_guarded_too():
    risky = list(layers_at_risk(build("preact_resnet18", seed=0, width=4, parseval=True)))
    assert risky and all(isinstance(layer, ParsevalConv2d) for layer in risky)


def test_copies_and_pickles_settle_it_where_they_are_read(monkeypatch):
    monkeypatch.setattr(convolution, "oneDNN_overruns", lambda: False)
    layer = conv1x1(4, 8, 2)
    written = pickle.dumps(layer)
    monkeypatch.setattr(convolution, "oneDNN_overruns", lambda: True)
    assert not layer.overruns and pickle.loads(written).overruns and copy.deepcopy(layer).overruns


@pytest.mark.parametrize("autocast", [False, True], ids=["cast", "autocast"])
@pytest.mark.parametrize("bias", [False, True])
def test_strided_depthwise_in_bfloat16_is_float32s_rounded_once(autocast, bias):
    torch.manual_seed(0)
    ours = GuardedConv2d(6, 6, 3, stride=2, padding=1, groups=6, bias=bias)
    x = torch.randn(4, 6, 9, 9).bfloat16()
    with torch.no_grad():
        for p in ours.parameters():
            p.copy_(p.bfloat16())
    plain = nn.Conv2d(6, 6, 3, stride=2, padding=1, groups=6, bias=bias)
    plain.load_state_dict(ours.state_dict())
    layer = ours if autocast else copy.deepcopy(ours).bfloat16()
    images = [x.clone().float().requires_grad_() for _ in range(2)]
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        output = layer(images[0] if autocast else images[0].bfloat16())
    exact = plain(images[1])
    assert output.dtype is torch.bfloat16 and torch.equal(output, exact.bfloat16())
    output.sum().backward()
    exact.sum().backward()
    torch.testing.assert_close(images[0].grad, images[1].grad, rtol=0.01, atol=0.01)
    torch.testing.assert_close(layer.weight.grad.float(), plain.weight.grad, rtol=0.01, atol=0.01)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_strided_depthwise_in_other_types_has_the_plain_layers_bits(dtype):
    torch.manual_seed(0)
    ours, plain = (kind(6, 6, 3, stride=2, padding=1, groups=6) for kind in (GuardedConv2d, nn.Conv2d))
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(4, 6, 9, 9, dtype=dtype)
    assert torch.equal(ours.to(dtype)(x), plain.to(dtype)(x))


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet"])
def test_every_strided_depthwise_layer_of_the_networks_is_ours(name):
    layers = [m for m in build(name, seed=0, width=4).modules() if isinstance(m, nn.Conv2d)]
    strided = [layer for layer in layers if strided_depthwise(layer)]
    assert len(strided) == 3 and all(isinstance(layer, GuardedConv2d) for layer in strided)


CAPABLE = {"avx2": True, "avx512_f": True, "avx512_bw": True, "avx512_vl": True, "avx512_dq": True}


@pytest.mark.parametrize(
    ("capabilities", "limits", "overruns"),
    [
        (CAPABLE, {}, False),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, True),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": "avx2"}, True),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": "AVX2_VNNI_2"}, True),
        (CAPABLE, {"DNNL_MAX_CPU_ISA": "AVX2"}, True),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "DNNL_MAX_CPU_ISA": "AVX2"}, False),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": "SSE41"}, False),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": "AVX"}, False),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": "ALL"}, False),
        (CAPABLE, {"ONEDNN_MAX_CPU_ISA": ""}, False),
        (CAPABLE | {"avx512_bw": False}, {}, True),
        (CAPABLE | {"avx512_f": False}, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, True),
        ({"avx2": True}, {}, True),
        ({"avx2": True}, {"ONEDNN_MAX_CPU_ISA": "SSE41"}, False),
        ({"avx2": False, "sse4_1": True}, {}, False),
        ({"architecture": "aarch64", "sve": True}, {}, True),
    ],
    ids=str,
)
def test_what_onednn_uses_is_found_out(monkeypatch, capabilities, limits, overruns):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    assert oneDNN_overruns() == overruns
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not oneDNN_overruns()


@pytest.mark.parametrize(("told", "overruns"), [("AVX512", False), ("AVX2", True), ("DEFAULT", True)])
def test_without_a_list_of_capabilities_the_safe_way_is_taken(monkeypatch, told, overruns):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: told)
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    assert oneDNN_overruns() == overruns
