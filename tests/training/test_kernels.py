"""Whether a training takes kernels of our own: tried, timed, and no more than that."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from lggkit.networks import own_kernels
from lggkit.networks.blocks import ConvNorm, conv3x3
from lggkit.networks.convolution import GuardedConv2d
from lggkit.networks.wide_resnet import wide_resnet28
from lggkit.training import TrainConfig, capture, kernels, processor, train, train_many


@pytest.fixture
def net():
    """A function that makes the smallest network with parts for the kernels."""

    def make(seed=0, dropout=0.0):
        torch.manual_seed(seed)
        parts = [GuardedConv2d(2, 6, 3, padding=1, bias=False), torch.nn.BatchNorm2d(6), torch.nn.ReLU()]
        pooled = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Dropout(dropout)]
        return torch.nn.Sequential(*parts, *pooled, torch.nn.Linear(6, 3))

    return make


@pytest.fixture
def timed(pretend, lane, monkeypatch):
    """The path of a GPU: a replay takes as many milliseconds as is said, plain and own in turn."""
    said, seen = [2.0, 1.0], []

    def milliseconds(replay, where):
        replay()
        seen.append(own_kernels._on)
        return said[(len(seen) - 1) % 2]

    monkeypatch.setattr(kernels, "worth_capturing", lambda run: capture.worth_capturing(run))
    monkeypatch.setattr(kernels, "new_lane", lane)
    monkeypatch.setattr(kernels, "record", lambda body, where: body)
    monkeypatch.setattr(kernels, "milliseconds", milliseconds)
    return said


SETTINGS = TrainConfig(epochs=2, batch_size=8, pad=1)


def test_kernels_that_replay_faster_are_taken(data, net, timed, eager, close):
    result = train(net(), data, SETTINGS)
    assert "own kernels are 2.00x PyTorch's over 20 replays" in str(result.path) and result.path.captured
    assert close(result.model, eager(net(), data, SETTINGS).model)


def test_kernels_that_are_no_faster_are_left(data, net, timed):
    timed[:] = [1.0, 1.25]
    assert "own kernels are no faster (0.80x PyTorch's over 20 replays)" in str(
        train(net(), data, SETTINGS).path
    )


def test_steps_are_made_with_the_kernels_that_were_chosen(data, net, timed, monkeypatch):
    seen, plain = [], GuardedConv2d._conv_forward

    def watched(layer, *arguments):
        seen.append(own_kernels._on)
        return plain(layer, *arguments)

    monkeypatch.setattr(GuardedConv2d, "_conv_forward", watched)
    train(net(), data, SETTINGS)
    assert all(seen[-5:]) and not own_kernels._on
    seen.clear()
    timed[:] = [1.0, 2.0]
    train(net(), data, SETTINGS)
    assert not any(seen[-5:])


def test_kernels_with_other_gradients_are_not_trusted(data, net, timed, monkeypatch):
    plain = GuardedConv2d._conv_forward

    def wrong(layer, *arguments):
        return plain(layer, *arguments) * (1.5 if own_kernels._on else 1)

    monkeypatch.setattr(torch.nn.BatchNorm2d, "forward", lambda norm, x: x)
    monkeypatch.setattr(GuardedConv2d, "_conv_forward", wrong)
    assert "gradients of own kernels differ by" in str(train(net(), data, SETTINGS).path)


def test_kernels_that_fail_cost_nothing_but_the_trial(data, net, timed, eager, close, monkeypatch):
    plain = GuardedConv2d._conv_forward

    def failing(layer, *arguments):
        if own_kernels._on:
            raise RuntimeError("no kernel image is available\nmore")
        return plain(layer, *arguments)

    monkeypatch.setattr(GuardedConv2d, "_conv_forward", failing)
    result = train(net(), data, SETTINGS)
    assert "own kernels failed (no kernel image is available)" in str(result.path) and result.path.captured
    assert close(result.model, eager(net(), data, SETTINGS).model)


def test_what_was_tried_leaves_no_trace(data, net, timed, monkeypatch):
    model, kept = net(), []
    before = {name: value.clone() for name, value in model.state_dict().items()}
    monkeypatch.setattr(capture, "capture_all", lambda runs: None)
    from lggkit.training import begin

    def looked(runs):
        kept.extend((name, torch.equal(value, before[name])) for name, value in model.state_dict().items())
        kept.extend(("gradient", p.grad is None) for p in model.parameters())

    monkeypatch.setattr(begin, "capture_all", looked)
    train(model, data, SETTINGS)
    assert kept and all(same for _, same in kept)


def test_networks_of_a_kind_follow_the_first(data, net, timed, monkeypatch):
    tried, plain = [], kernels.try_kernels
    monkeypatch.setattr(kernels, "try_kernels", lambda run: tried.append(run) or plain(run))
    results = train_many([net(seed) for seed in range(3)], data, SETTINGS, seeds=[0, 1, 1])
    assert len(tried) == 1 and all("own kernels are 2.00x" in str(result.path) for result in results)


@pytest.mark.parametrize("why", ["dropout", "eager", "other parts", "contiguous"])
def test_nothing_is_tried_where_nothing_can_be_gained(data, net, make_net, timed, monkeypatch, why):
    settings, model = SETTINGS, net(dropout=0.5) if why == "dropout" else net()
    if why == "eager":
        monkeypatch.setattr(capture, "worth_capturing", lambda run: (False, ""))
    if why == "other parts":
        model = make_net()
    if why == "contiguous":
        settings = TrainConfig(epochs=2, batch_size=8, pad=1, channels_last=False)
    assert "own kernels" not in str(train(model, data, settings).path)


def test_an_objective_that_asks_for_the_step_is_told_of_and_not_tried(data, net, timed):
    def objective(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) / (1 + batch.step)

    result = train(net(), data, SETTINGS, objective=objective)
    assert "own kernels failed (the objective reads batch.step" in str(result.path)


@pytest.fixture
def on_host(monkeypatch):
    """A CPU on which any training is long enough, and a step takes as long as is said, own and plain."""
    said, asked = [1.0, 2.0], []

    def turns(run, paths, batch):
        asked.append([path.kernels for path in paths])
        return [said] * 3

    for module in (kernels, processor):
        monkeypatch.setattr(module, "IMAGES_WORTH_COMPILING", 1)
        monkeypatch.setattr(module, "has_compiler", lambda: True)
    monkeypatch.setattr(kernels, "turns", turns)
    if isinstance(kernels.library(), str):
        pytest.skip(kernels.library())
    return said


@pytest.fixture
def narrow():
    """A function that makes a network with parts for the kernels of a CPU."""

    def make(seed=0):
        torch.manual_seed(seed)
        return torch.nn.Sequential(
            ConvNorm(conv3x3(2, 8), torch.nn.BatchNorm2d(8), torch.nn.ReLU()),
            *(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 3)),
        )

    return make


def test_on_a_cpu_kernels_that_are_faster_take_the_place_of_compilation(data, narrow, on_host, close):
    told = str(train(narrow(), data, SETTINGS).path)
    assert "eager: float32 was asked for; own kernels are 2.00x PyTorch's over 3 steps" in told, told
    slower = train(narrow(), data, replace(SETTINGS, compile=False))
    on_host[:] = [1.0, 1.02]
    plain = train(narrow(), data, replace(SETTINGS, compile=False))
    assert "own kernels gain too little (1.02x PyTorch's over 3 steps)" in str(plain.path)
    assert close(slower.model, plain.model)


def test_on_a_cpu_steps_are_made_with_them(data, narrow, on_host, monkeypatch):
    from lggkit.networks import norm_relu as module

    calls, plain = [], module.fused_on_host
    monkeypatch.setattr(module, "fused_on_host", lambda *given: calls.append(1) or plain(*given))
    result = train(narrow(), data, replace(SETTINGS, compile=False))
    full = 2 * (len(data) // SETTINGS.batch_size)
    assert len(calls) >= full and "own kernels are" in str(result.path)


def test_on_a_cpu_wrong_gradients_are_not_trusted(data, narrow, on_host, monkeypatch):
    from lggkit.networks import norm_relu as module

    plain = module.fused_on_host
    monkeypatch.setattr(module, "fused_on_host", lambda *given: 1.5 * plain(*given))
    assert "gradients of own kernels differ by" in str(train(narrow(), data, SETTINGS).path)


def test_on_a_cpu_a_compiler_that_fails_is_told_of(data, narrow, on_host, monkeypatch):
    monkeypatch.setattr(kernels, "library", lambda: "c++ built no kernels (OSError)")
    assert "own kernels failed (c++ built no kernels (OSError))" in str(train(narrow(), data, SETTINGS).path)


@pytest.mark.parametrize("why", ["short", "compiler", "asked"])
def test_on_a_cpu_nothing_is_tried_without_need(data, narrow, on_host, monkeypatch, why):
    if why == "short":
        monkeypatch.setattr(kernels, "IMAGES_WORTH_COMPILING", 10 * len(data))
    if why == "compiler":
        monkeypatch.setattr(kernels, "has_compiler", lambda: False)
    settings = replace(SETTINGS, compile=True) if why == "asked" else SETTINGS
    assert "own kernels" not in str(train(narrow(), data, settings).path)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_on_a_gpu_a_narrow_network_is_trained_with_them(make_data):
    import lggkit.data as sets

    images = torch.randint(0, 256, (512, 3, 32, 32), dtype=torch.uint8)
    data = sets.DataSet.from_tensors(images, torch.arange(512) % 10, name="noise", split="train")
    settings = TrainConfig(epochs=2, capture=True, learning_rate=0.01)
    torch.manual_seed(0)
    result = train(wide_resnet28(0.5), data, settings, device="cuda")
    assert result.path.captured and "own kernels" in str(result.path) and result.diverged is None
