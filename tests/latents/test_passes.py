"""Passes that machinery runs otherwise: threads, tracing, scripting, other hooks, errors."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import fx, nn

from lggkit.latents import Taps, latents


class Chain(nn.Module):
    """A module whose forward pass is given as a function of it and the input."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


X = torch.linspace(-1, 1, 12).view(4, 3)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_what_the_model_itself_runs_without_gradients_is_given_so(mode):
    def run(m, x):
        with mode():
            frozen = m.part(x)
        return m.last(frozen.clone())

    model = Chain(run, part=nn.Linear(3, 3), last=nn.Linear(3, 2))
    tapped = latents(model, X, ["part", "output"])
    assert torch.equal(tapped["part"], model.part(X)) and not tapped["part"].requires_grad
    assert tapped["output"].requires_grad


def test_in_inference_mode_a_later_change_in_place_does_not_reach_the_latent():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True))
    with torch.inference_mode():
        tapped = latents(model, X, ["0", "1"])
    assert torch.equal(tapped["0"], nn.functional.linear(X, model[0].weight, model[0].bias))
    assert torch.equal(tapped["1"], tapped["0"].relu())


@pytest.mark.parametrize("early", [True, False])
def test_a_latent_is_what_the_next_module_is_given(early):
    """Hooks of others may change an output, whether they were put on before the taps or after."""
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    taps = Taps(model, ["0", "output"])

    def meddle():
        return [m.register_forward_hook(lambda m, x, y: y + 100) for m in (model[0], model)]

    others = meddle() if early else []
    with taps:
        others += [] if early else meddle()
        output = model(X)
        assert torch.equal(model[1](taps.latents["0"]) + 100, output) and taps.latents["output"] is output
    assert hooks(model) == len(others) == 2


def test_an_error_in_a_pass_leaves_nothing_of_it():
    def run(m, x):
        y = m.part(x)
        if x.sum() > 100:
            raise ZeroDivisionError
        return y

    model = Chain(run, part=nn.Linear(3, 3))
    with Taps(model, ["part"]) as taps:
        with pytest.raises(ZeroDivisionError):
            model(X + 100)
        for _ in range(2):
            model.part(X)
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents
        model(X)
        assert torch.equal(taps.latents["part"], model.part(X))


def test_a_pass_inside_a_pass_is_refused():
    model = Chain(lambda m, x: m.part(x) if x.sum() < 100 else m(x - 100) + 1, part=nn.Linear(3, 3))
    for names in (["part"], ["output"], ["input"]):
        with pytest.raises(RuntimeError, match="the pass of the model holds another of it"):
            latents(model, X + 100, names)
        assert latents(model, X, names)


def test_threads_do_not_see_each_others_passes():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    both = threading.Barrier(2)

    def own(scale):
        with Taps(model, ["0"]) as taps:
            for _ in range(20):
                both.wait(timeout=60)
                model(scale * X)
                both.wait(timeout=60)
                assert torch.equal(taps.latents["0"], model[0](scale * X))
            both.wait(timeout=60)
        return taps.latents["0"]

    with ThreadPoolExecutor(2) as pool:
        by_thread = list(pool.map(own, (1, 2)))
    assert [
        torch.equal(value, model[0](scale * X)) for value, scale in zip(by_thread, (1, 2), strict=True)
    ] == [True] * 2
    assert hooks(model) == 0


def test_a_pass_in_another_thread_is_none():
    model = nn.Sequential(nn.Linear(3, 3))
    with Taps(model, ["0"]) as taps, ThreadPoolExecutor(1) as pool:
        pool.submit(model, X).result()
        with pytest.raises(RuntimeError, match="in the same thread"):
            _ = taps.latents


def test_traced_graphs_are_told_apart_from_compiled_ones():
    torchvision = pytest.importorskip("torchvision")
    from torchvision.models.feature_extraction import create_feature_extractor

    network = torchvision.models.resnet18(weights=None)
    model, x = create_feature_extractor(network, {"layer1": "feature"}).eval(), torch.rand(1, 3, 16, 16)
    with pytest.raises(RuntimeError, match=r"'layer1' did not run .*torch\.fx traced .*'layer1\.1\.bn2'"):
        latents(model, x, ["layer1"])
    with pytest.raises(
        RuntimeError, match=r"'layer1\.1\.relu' ran more than once .*tap the network that was"
    ):
        latents(model, x, ["layer1.1.relu"])
    with pytest.raises(ValueError, match=r"no depth 'layer4'; .*torch\.fx kept only"):
        latents(model, x, ["layer4"])
    with pytest.raises(TypeError, match=r"'output' gives a dict; .*name 'output\[feature\]'"):
        latents(model, x, ["output"])
    names = ["layer1.1.conv2", "output[feature]"]
    ours = latents(model, x, names)
    theirs = latents(network.eval(), x, ["layer1.1.conv2", "layer1"])
    for one, other in zip(ours.values(), theirs.values(), strict=True):
        torch.testing.assert_close(one, other)


def test_attention_that_calls_no_projection_says_what_to_tap():
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
    with pytest.raises(RuntimeError, match=r"reads its parts and calls none; .*'0\.self_attn\[0\]'"):
        latents(model, torch.rand(2, 5, 8), ["0.self_attn.out_proj"])


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning", "ignore:.torch.jit:FutureWarning")
def test_scripted_networks_say_what_to_tap():
    plain = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    scripted, traced = torch.jit.script(plain), torch.jit.trace(plain, X)
    mixed = nn.Sequential(nn.Linear(3, 3), scripted)
    for model, name in ((scripted, "1"), (scripted, "output"), (mixed, "1")):
        with pytest.raises(ValueError, match=r"tap the network that torch\.jit made this one from"):
            latents(model, X, [name])
        assert hooks(mixed) == 0
    with pytest.raises(RuntimeError, match=r"torch\.jit runs no hooks inside"):
        latents(traced, X, ["1"])
    assert torch.equal(latents(traced, X, ["output"])["output"], plain(X))
    assert torch.equal(latents(mixed, X, ["0"])["0"], mixed[0](X))


def test_a_module_under_two_names_is_tapped_under_each():
    shared = nn.Linear(3, 3)
    model = Chain(lambda m, x: m.b(x), a=shared, b=shared)
    tapped = latents(model, X, ["a", "b"])
    assert tapped["a"] is tapped["b"]
    model.run = lambda m, x: m.b(m.a(x))
    with pytest.raises(RuntimeError, match="'a' ran more than once in this pass"):
        latents(model, X, ["a"])


def test_a_label_may_lead_to_a_module_called_like_an_end():
    model = Chain(lambda m, x: m.input(x), input=nn.Linear(3, 2))
    model.depths = {"first": "input"}
    tapped = latents(model, X, ["input", "first"])
    assert tapped["input"] is X and torch.equal(tapped["first"], model.input(X))


def test_parameters_that_are_given_to_a_call_are_those_of_its_latents():
    model = nn.Sequential(nn.Linear(3, 3), fx.symbolic_trace(nn.ReLU()))
    given = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    with Taps(model, ["0"]) as taps:
        torch.func.functional_call(model, given, (X,))
    assert not taps.latents["0"].any()
