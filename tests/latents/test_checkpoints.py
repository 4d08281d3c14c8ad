"""Modules that run again in the backward pass, or that keep no graph in the forward pass."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

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


def checkpointed(reentrant):
    return Chain(
        lambda m, x: m.last(checkpoint(m.part, m.first(x), use_reentrant=reentrant)),
        first=nn.Linear(3, 3),
        part=nn.Sequential(nn.Linear(3, 3), nn.ReLU()),
        last=nn.Linear(3, 2),
    )


X = torch.linspace(-1, 1, 12).view(4, 3)


def test_a_checkpoint_that_keeps_no_graph_is_refused():
    model = checkpointed(reentrant=True)
    for name in ("part", "part.0", "part.1"):
        with pytest.raises(RuntimeError, match=f"'{name}' would have no gradient; .*use_reentrant=False"):
            latents(model, X, [name])
    assert hooks(model) == 0
    assert all(value.requires_grad for value in latents(model, X, ["first", "last", "output"]).values())


@pytest.mark.parametrize("call", [lambda model, x: model, lambda model, x: lambda given: model(given)])
def test_a_model_that_is_itself_in_such_a_checkpoint_is_refused(call):
    model, x = nn.Sequential(nn.Linear(3, 3), nn.ReLU()), X.clone().requires_grad_()
    with Taps(model, ["0"]) as taps:
        with pytest.raises(RuntimeError, match="'0' would have no gradient"):
            checkpoint(call(model, x), x, use_reentrant=True)
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents
        with torch.no_grad():
            checkpoint(model, x, use_reentrant=True)
        assert torch.equal(taps.latents["0"], model[0](X))


def test_a_checkpoint_around_the_taps_computes_their_latents_again_with_a_graph():
    model, x = nn.Sequential(nn.Linear(3, 3), nn.ReLU()), X.clone().requires_grad_()

    def term(x):
        return latents(model, x, ["0"])["0"].square().sum()

    checkpoint(term, x, use_reentrant=True).backward()
    recomputed, model[0].weight.grad = model[0].weight.grad, None
    term(x).backward()
    torch.testing.assert_close(recomputed, model[0].weight.grad)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_where_no_gradient_is_meant_such_a_checkpoint_is_no_harm():
    model = checkpointed(reentrant=True)
    expected = model.part(model.first(X))
    with Taps(model, ["part"], detach=True) as taps:
        model(X).sum().backward()
        assert torch.equal(taps.latents["part"], expected)
    with torch.no_grad():
        assert torch.equal(latents(model, X, ["part"])["part"], expected)
    model.requires_grad_(False)
    assert torch.equal(latents(model, X, ["part"])["part"], expected)


@pytest.mark.parametrize("whole", [False, True])
def test_a_checkpoint_with_a_graph_gives_the_gradients_of_none(whole):
    model = checkpointed(reentrant=False)

    def gradients(run):
        model.zero_grad()
        with Taps(model, ["part", "part.0"]) as taps:
            output = run(X)
            latent = taps.latents["part.0"]
            (output.sum() + taps.latents["part"].square().sum() + latent.sum()).backward()
            assert taps.latents["part.0"] is latent
        return [p.grad.clone() for p in model.parameters()]

    checkpointed_gradients = gradients(
        (lambda x: checkpoint(model, x, use_reentrant=False)) if whole else model
    )
    model.run = lambda m, x: m.last(m.part(m.first(x)))
    for ours, expected in zip(checkpointed_gradients, gradients(model), strict=True):
        torch.testing.assert_close(ours, expected)


def test_a_recomputation_inside_the_pass_is_seen_once():
    def run(m, x):
        energy = checkpoint(m.part, x, use_reentrant=False).square().sum()
        return torch.autograd.grad(energy, x, create_graph=True)[0]

    model = Chain(run, part=nn.Linear(3, 3))
    x = X.clone().requires_grad_()
    assert torch.equal(latents(model, x, ["part"])["part"], model.part(x))


def test_an_autograd_function_that_runs_a_module_without_a_graph_is_refused():
    class Hidden(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, module):
            return module(x)

    model = Chain(lambda m, x: Hidden.apply(m.first(x), m.part), first=nn.Linear(3, 3), part=nn.Linear(3, 3))
    with pytest.raises(RuntimeError, match="'part' would have no gradient"):
        latents(model, X, ["part"])
