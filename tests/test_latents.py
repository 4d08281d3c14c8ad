import gc
import weakref

import pytest
import torch
from torch import nn

from lggkit.latents import Taps, latents, resolve_depths
from lggkit.networks import build, with_normalization

NAMES = ["input", "middle", "penultimate", "output"]


@pytest.fixture
def network():
    return build("small_net", seed=0, width=4).eval()


@pytest.fixture
def x():
    return torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_latents_are_the_intermediate_values(network, x):
    tapped = latents(network, x, ["output", "middle", "input", "stage1.relu1"])
    assert list(tapped) == ["output", "middle", "input", "stage1.relu1"]
    first = network.stage1
    stem = network.stem(x)
    assert tapped["input"] is x
    assert torch.equal(tapped["stage1.relu1"], first.relu1(first.bn1(first.conv1(stem))))
    assert torch.equal(tapped["middle"], network.stage2(first(stem)))
    assert torch.equal(tapped["output"], network(x))


def test_taps_change_neither_output_nor_model(network, x):
    plain = network(x)
    with Taps(network, NAMES) as taps:
        assert torch.equal(network(x), plain)
        assert hooks(network) > 0
    assert hooks(network) == 0
    assert taps.latents["output"].shape == (3, 10)


def test_gradients_flow_through_taps(network, x):
    tapped = latents(network, x, ["middle", "output"])
    assert torch.autograd.grad(tapped["output"].sum(), tapped["middle"])[0].abs().sum() > 0
    latents(network, x, ["middle"])["middle"].square().sum().backward()
    assert network.stage2.conv1.weight.grad.abs().sum() > 0
    assert network.stage3.conv1.weight.grad is None


def test_detach_cuts_the_graph_of_the_latents_only(network, x):
    with Taps(network, ["middle"], detach=True) as taps:
        assert network(x).requires_grad
    assert not taps.latents["middle"].requires_grad


def test_each_pass_replaces_the_latents_and_frees_the_old(network, x):
    with Taps(network, ["middle"], detach=True) as taps:
        network(x)
        old = weakref.ref(taps.latents["middle"])
        network(2 * x)
        gc.collect()
        assert old() is None
        expected = network.stage2(network.stage1(network.stem(2 * x)))
        assert torch.equal(taps.latents["middle"], expected)


def test_clear_frees_the_latents(network, x):
    with Taps(network, ["middle"], detach=True) as taps:
        network(x)
    reference = weakref.ref(taps.latents["middle"])
    taps.clear()
    gc.collect()
    assert reference() is None
    with pytest.raises(RuntimeError, match="the taps hold no latents; call the model"):
        _ = taps.latents


def test_the_old_latents_are_free_while_the_next_pass_runs():
    seen = []
    model = Chain(lambda m, x: seen.append(old()) or m.part(x), part=nn.Linear(2, 2))
    with Taps(model, ["part"], detach=True) as taps:
        old = weakref.ref(model)
        model(torch.rand(3, 2))
        old = weakref.ref(taps.latents["part"])
        model(torch.rand(3, 2))
    assert seen == [model, None]


def test_a_failed_pass_leaves_no_older_latents(network, x):
    with Taps(network, ["stage1"]) as taps:
        network(x)
        with pytest.raises(RuntimeError, match="channels"):
            network(torch.rand(3, 2, 8, 8))
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents


def test_no_pass_no_latents(network):
    with Taps(network, ["middle"]) as taps, pytest.raises(RuntimeError, match="hold no latents"):
        _ = taps.latents


def test_only_a_pass_of_the_whole_model_counts(network, x):
    with Taps(network, ["stage1"]) as taps:
        for _ in range(2):
            network.stage1(network.stem(x))
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents
        network(x)
        latent = taps.latents["stage1"]
        network.stage1(network.stem(2 * x))
        assert taps.latents["stage1"] is latent


def test_an_error_removes_hooks_and_latents(network, x):
    taps = Taps(network, ["stage1"])
    with pytest.raises(ZeroDivisionError), taps:
        network(x)
        _ = 1 / 0
    assert hooks(network) == 0
    with pytest.raises(RuntimeError, match="hold no latents"):
        _ = taps.latents


def test_nested_taps_do_not_disturb_each_other(network, x):
    with Taps(network, ["middle"]) as outer:
        network(x)
        latent = outer.latents["middle"]
        with Taps(network, ["stage1", "middle"]) as inner:
            network(2 * x)
        assert not torch.equal(inner.latents["middle"], latent)
        assert torch.equal(outer.latents["middle"], inner.latents["middle"])
        network(x)
        assert torch.equal(outer.latents["middle"], latent)
        with pytest.raises(RuntimeError, match="on already"), outer:
            pass
        assert hooks(network) > 0


def test_taps_can_be_used_again(network, x):
    taps = Taps(network, ["middle"])
    for scale in (1, 2):
        with taps:
            network(scale * x)
        assert taps.latents["middle"].shape == (3, 8, 4, 4)


def test_keyword_input(network, x):
    with Taps(network, ["input"]) as taps:
        network(x=x)
    assert taps.latents["input"] is x


def test_names_are_special_then_labels_then_paths():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.input, self.late, self.early = nn.Linear(2, 3), nn.Linear(3, 4), nn.Identity()
            self.depths = {"early": "late"}

        def forward(self, x):
            return self.early(self.late(self.input(x)))

    resolved = resolve_depths(Model(), ["early", "late", "input", "output"])
    assert resolved == {"early": "late", "late": "late", "input": "input", "output": "output"}
    assert latents(Model(), torch.rand(5, 2), ["input"])["input"].shape == (5, 2)


def test_relu_labels_resolve_in_a_wrapped_network():
    wrapped = with_normalization(build("preact_resnet18", width=4), [0.5] * 3, [0.2] * 3)
    resolved = resolve_depths(wrapped, ["relu2", "block8"])
    assert resolved == {"relu2": "model.blocks.0.relu2", "block8": "model.blocks.7"}


def test_a_submodule_with_two_paths_has_both():
    shared = nn.Linear(2, 2)
    assert resolve_depths(nn.ModuleDict({"a": shared, "b": shared}), ["b"]) == {"b": "b"}


def test_unknown_names_list_close_ones(network):
    with pytest.raises(ValueError, match=r"no depth 'penultimat'; did you mean one of penultimate"):
        Taps(network, ["middle", "penultimat"])
    with pytest.raises(ValueError, match="no depth ''"):
        Taps(network, [""])


def test_other_bad_names(network):
    with pytest.raises(TypeError, match="the string 'middle'; give a list"):
        Taps(network, "middle")
    with pytest.raises(ValueError, match="names one twice"):
        Taps(network, ["middle", "middle"])


class Chain(nn.Module):
    """A module whose forward pass is given as a function of it and the input."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


@pytest.mark.parametrize(
    ("run", "kind", "message"),
    [
        (lambda m, x: x, RuntimeError, "'part' did not run in this pass"),
        (
            lambda m, x: m.part(m.part(x)),
            RuntimeError,
            "'part' ran more than once in this pass; tap the module around it",
        ),
        (lambda m, x: m.part(x).add_(1), RuntimeError, "'part' was changed in place"),
        (lambda m, x: m.part(x).view(-1).add_(1), RuntimeError, "'part' was changed in place"),
    ],
)
def test_unclear_latents_are_refused(run, kind, message):
    model = Chain(run, part=nn.Linear(2, 2))
    taps = Taps(model, ["part"])
    with taps:
        with pytest.raises(kind, match=message):
            model(torch.rand(3, 2))
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents
    assert hooks(model) == 0


def test_a_depth_that_gives_no_tensor_is_refused():
    model = Chain(lambda m, x: m.part(x)[0], part=Chain(lambda m, x: (x, x)))
    with pytest.raises(TypeError, match="'part' gives a tuple; tap a module that gives one tensor"):
        latents(model, torch.rand(3, 2), ["part"])
    with pytest.raises(TypeError, match="'input' gives a list"):
        latents(Chain(lambda m, x: x[0]), [torch.rand(3, 2)], ["input"])


def test_an_in_place_relu_may_be_tapped_but_not_the_module_before_it():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True), nn.Linear(2, 2))
    x = torch.rand(3, 2)
    assert (latents(model, x, ["1"])["1"] >= 0).all()
    with pytest.raises(RuntimeError, match="'0' was changed in place; tap the module that changed it"):
        latents(model, x, ["0"])


def test_an_input_changed_in_place_is_refused():
    with pytest.raises(RuntimeError, match="'input' was changed in place"):
        latents(Chain(lambda m, x: x.mul_(2)), torch.rand(3, 2), ["input"])


def test_inference_mode(network, x):
    with torch.inference_mode():
        assert latents(network, x, ["middle"])["middle"].shape == (3, 8, 4, 4)


def test_recomputed_modules_are_seen_once(x):
    from torch.utils.checkpoint import checkpoint

    network = build("small_net", seed=0, width=4)
    model = Chain(lambda m, x: checkpoint(m.net, x, use_reentrant=False), net=network)
    with Taps(model, ["net.stage1"]) as taps:
        model(x).sum().backward()
        assert taps.latents["net.stage1"].shape == (3, 4, 8, 8)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_step_compiled_whole_reads_standing_taps(backend):
    torch._dynamo.reset()
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    with Taps(model, ["1", "output"]) as taps:

        def step(x):
            model(x)
            return taps.latents["1"].square().mean() + taps.latents["output"].square().mean()

        compiled = torch.compile(step, backend=backend, fullgraph=True)
        for _ in range(2):
            x = torch.rand(6, 4)
            loss = compiled(x)
            inside = taps.latents
            torch.testing.assert_close(loss, step(x))
            torch.testing.assert_close(inside, taps.latents)
        grad = torch.autograd.grad(loss, model[0].weight)
        torch.testing.assert_close(grad, torch.autograd.grad(step(x), model[0].weight))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # PyTorch's own
def test_the_function_works_in_a_compiled_step():
    torch._dynamo.reset()
    compiling = []

    def run(module, x):
        compiling.append(torch.compiler.is_compiling())
        return module.linear(x).relu()

    inner = Chain(run, linear=nn.Linear(4, 5))
    model = Chain(lambda m, x: m.inner(x) + 1, inner=inner)

    def step(x):
        return latents(model, x, ["inner"])["inner"].square().mean()

    compiled = torch.compile(step, backend="aot_eager")
    for _ in range(3):
        x = torch.rand(6, 4)
        loss = compiled(x)
        torch.testing.assert_close(loss, step(x))
    loss.backward()
    assert inner.linear.weight.grad.abs().sum() > 0
    assert hooks(model) == 0
    assert not any(compiling)


def test_compiled_models():
    torch._dynamo.reset()
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    x = torch.rand(6, 4)
    compiled = torch.compile(model, backend="eager")
    with Taps(compiled, ["1"]) as taps:
        compiled(x)
        assert torch.equal(taps.latents["1"], model[1](model[0](x)))
    assert torch.equal(latents(compiled, x, ["1"])["1"], model[1](model[0](x)))


def test_taps_that_come_after_compiling_are_refused():
    torch._dynamo.reset()
    inner = Chain(lambda m, x: m.linear(x).relu(), linear=nn.Linear(4, 5))
    compiled = torch.compile(Chain(lambda m, x: m.inner(x) + 1, inner=inner), backend="eager")
    compiled(torch.rand(6, 4))
    late = Taps(compiled, ["inner"])
    with late, pytest.raises(RuntimeError, match="enter the taps before the model is compiled"):
        compiled(torch.rand(6, 4))


def test_taps_inside_vmapped_ensembles():
    from torch.func import functional_call, stack_module_state, vmap

    models = [nn.Sequential(nn.Linear(4, 5), nn.ReLU()) for _ in range(3)]
    parameters, buffers = stack_module_state(models)

    def tapped(parameters, buffers, x):
        with Taps(models[0], ["0"]) as taps:
            functional_call(models[0], (parameters, buffers), (x,))
        return taps.latents["0"]

    x = torch.rand(6, 4)
    stacked = vmap(tapped, (0, 0, None))(parameters, buffers, x)
    torch.testing.assert_close(stacked, torch.stack([model[0](x) for model in models]))
