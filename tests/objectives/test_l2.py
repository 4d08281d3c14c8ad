"""L2 and L2-SP against sums, and against the weight decay of SGD."""

import pytest
import torch
from torch import nn

from lggkit.objectives import l2, l2_sp


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).double()


def started(model):
    return {name: w.detach().clone() for name, w in model.named_parameters()}


def test_l2_is_half_the_sum_of_squares_and_weight_decay_by_its_gradient():
    model, twin = net(), net()
    twin.load_state_dict(model.state_dict())
    flat = torch.cat([w.flatten() for w in model.parameters()])
    torch.testing.assert_close(l2(model.parameters()), flat.square().sum() / 2)
    x = torch.rand(5, 3, dtype=torch.float64)
    (model(x).sum() + 0.1 * l2(model.parameters())).backward()
    torch.optim.SGD(model.parameters(), lr=0.5).step()
    twin(x).sum().backward()
    torch.optim.SGD(twin.parameters(), lr=0.5, weight_decay=0.1).step()
    for ours, expected in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)


def test_l2_sp_is_half_the_squared_distance_from_the_start():
    model, start = net(), started(net())
    weights = dict(model.named_parameters())
    expected = sum((weights[name] - start[name]).square().sum() for name in start) / 2
    penalty = l2_sp(weights, start)
    torch.testing.assert_close(penalty, expected)
    slopes = torch.autograd.grad(penalty, list(weights.values()))
    for name, slope in zip(weights, slopes, strict=True):
        torch.testing.assert_close(slope, weights[name].detach() - start[name])


def test_at_the_start_it_is_zero_with_gradient_zero():
    model = net()
    penalty = l2_sp(dict(model.named_parameters()), started(model))
    assert penalty == 0 and all((g == 0).all() for g in torch.autograd.grad(penalty, model.parameters()))


def test_a_new_last_layer_has_no_start():
    model = net()
    weights, start = dict(model.named_parameters()), started(net())
    first = {name: w for name, w in start.items() if name.startswith("0.")}
    near = l2_sp({name: weights[name] for name in first}, first)
    torch.testing.assert_close(l2_sp(weights, first), near)
    new = l2(w for name, w in weights.items() if name.startswith("1."))
    torch.testing.assert_close(l2_sp(weights, first, fresh=0.3), near + 0.3 * new)


def test_no_gradient_reaches_the_start_and_halves_are_accumulated_in_float32():
    start = {"w": torch.rand(3, requires_grad=True)}
    l2_sp({"w": torch.rand(3, requires_grad=True)}, start).backward()
    assert start["w"].grad is None
    assert l2([torch.ones(70000, dtype=torch.float16)]).item() == 35000


WEIGHT = torch.rand(2, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: l2([]), r"there are 0 parameters; model\.parameters\(\) can be read once"),
        (lambda: l2_sp({"w": WEIGHT}, {}), r"start has 0 weights, \[\] are none of the model's"),
        (lambda: l2_sp({"w": WEIGHT}, {"v": WEIGHT}), r"\['v'\] are none of the model's; give its own names"),
        (
            lambda: l2_sp({"w": WEIGHT}, {"w": WEIGHT.T}),
            r"w is \(2, 3\) and started as \(3, 2\); leave it out",
        ),
        (lambda: l2_sp({"w": WEIGHT}, {"w": WEIGHT}), "w is its own start; copy the weights before training"),
        (lambda: l2_sp({"w": WEIGHT}, {"w": WEIGHT + 1}, fresh=-1), "fresh is -1; give a weight from 0 on"),
    ],
)
def test_what_cannot_be_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("share", [torch.nn.Module.state_dict, lambda m: {"weight": m.weight.data}])
def test_a_start_in_the_memory_of_the_parameter_is_refused(share):
    model = torch.nn.Linear(3, 2, bias=False)
    with pytest.raises(ValueError, match="weight is its own start; copy the weights before training"):
        l2_sp(dict(model.named_parameters()), share(model))


def test_what_is_no_tensor_is_told():
    with pytest.raises(TypeError, match="must be a tensor"):
        l2([1.0])
    with pytest.raises(TypeError, match=r"must be floating point, got torch\.int64"):
        l2([torch.arange(3)])
