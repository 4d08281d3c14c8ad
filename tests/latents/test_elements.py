"""Outputs that are not one tensor, and the names of what they hold."""

import dataclasses
from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lggkit.latents import Taps, latents, resolve_depths
from lggkit.latents.elements import split

Pair = namedtuple("Pair", ["left", "right"])


@dataclasses.dataclass
class Answer:
    logits: torch.Tensor
    hidden: tuple


class Giving(nn.Module):
    """Gives what a function makes of its input."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x)


class Model(nn.Module):
    def __init__(self, make):
        super().__init__()
        self.part = Giving(make)
        self.depths = {"label": "part"}

    def forward(self, x):
        self.part(x)
        return x


X = torch.arange(6.0).view(3, 2)
FOUND = [
    ("part[0]", lambda x: (x, 2 * x), 1),
    ("part[1]", lambda x: [x, 2 * x], 2),
    ("part[-1]", lambda x: (x, 2 * x), 2),
    ("part[1][0]", lambda x: (x, (2 * x, 3 * x)), 2),
    ("part[logits]", lambda x: {"logits": 2 * x, "other": x}, 2),
    ("part['logits']", lambda x: {"logits": 2 * x}, 2),
    ('part["logits"]', lambda x: {"logits": 2 * x}, 2),
    ("part[3]", lambda x: {3: 2 * x}, 2),
    ("part[a b.c]", lambda x: {"a b.c": 2 * x}, 2),
    ("part[keys]", lambda x: {"keys": 2 * x}, 2),
    ("part[logits]", lambda x: Answer(2 * x, ()), 2),
    ("part[hidden][1]", lambda x: Answer(x, (x, 3 * x)), 3),
    ("part[logits]", lambda x: SimpleNamespace(logits=2 * x), 2),
    ("part[right]", lambda x: Pair(x, 2 * x), 2),
    ("part[1]", lambda x: Pair(x, 2 * x), 2),
    ("part[values]", lambda x: (2 * x[:, None]).max(1), 2),
    ("label[0]", lambda x: (2 * x,), 2),
    ("part", lambda x: 2 * x, 2),
]


@pytest.mark.parametrize(("name", "make", "factor"), FOUND, ids=lambda v: v if isinstance(v, str) else "")
def test_an_element_is_tapped_by_its_key(name, make, factor):
    assert torch.equal(latents(Model(make), X, [name])[name], factor * X)
    assert resolve_depths(Model(make), [name]) == {name: "part"}


def test_elements_of_one_module_and_of_both_ends():
    model = Giving(lambda x: {"out": x[0] + x[1], "more": (3 * x[0],)})
    names = ["input[0]", "input[1]", "output[out]", "output[more][0]"]
    elements = latents(model, (X, 2 * X), names)
    assert [float(elements[name][0, 1]) for name in names] == [1, 2, 3, 3]


def test_gradients_flow_and_states_of_recurrent_networks_are_reached():
    lstm = nn.LSTM(2, 4, batch_first=True)
    model = nn.Sequential(lstm, Giving(lambda output: output[0][:, -1]))
    states = latents(model, torch.rand(3, 5, 2), ["0[0]", "0[1][0]", "output"])
    torch.testing.assert_close(states["0[0]"][:, -1], states["0[1][0]"][0])
    assert torch.autograd.grad(states["output"].sum(), states["0[0]"])[0][:, -1].eq(1).all()


def test_attention_is_tapped_with_and_without_gradients():
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    names = ["self_attn[0]", "linear1", "output"]
    x = torch.rand(2, 5, 8)
    taped = latents(model, x, names)
    with torch.no_grad():
        fast = latents(model, x, names)
    for name in names:
        torch.testing.assert_close(fast[name], taped[name])


ERRORS = [
    ("part", lambda x: (x, [x]), TypeError, r"'part' gives a tuple; .*one of 'part\[0\]', 'part\[1\]\[0\]'"),
    ("part", lambda x: {"a": x}, TypeError, r"'part' gives a dict; .*name 'part\[a\]'"),
    (
        "part",
        lambda x: Answer(x, (x,)),
        TypeError,
        r"gives a Answer; .*'part\[logits\]', 'part\[hidden\]\[0\]'",
    ),
    ("part", lambda x: None, TypeError, "'part' gives a NoneType; tap a module that gives one tensor$"),
    ("part", lambda x: (1, "a"), TypeError, "'part' gives a tuple; tap a module that gives one tensor$"),
    ("part[1]", lambda x: (x, (x, x)), TypeError, r"'part\[1\]' gives a tuple; .*'part\[1\]\[0\]'"),
    ("part[2]", lambda x: (x, x), ValueError, r"the tuple has no '2'; name one of 'part\[0\]', 'part\[1\]'"),
    ("part[-3]", lambda x: (x, x), ValueError, r"the tuple has no '-3'"),
    ("part[logit]", lambda x: {"logits": x}, ValueError, r"the dict has no 'logit'; name 'part\[logits\]'"),
    ("part[keys]", lambda x: {"logits": x}, ValueError, r"the dict has no 'keys'"),
    ("part[count]", lambda x: (x,), ValueError, r"the tuple has no 'count'"),
    ("part[0]", lambda x: {}, ValueError, r"the dict has no '0'; tap a module that gives a tensor"),
    ("part[0]", lambda x: x, ValueError, r"'part\[0\]' asks for a part of one tensor; name it 'part'"),
    ("part[0][1]", lambda x: (x,), ValueError, r"asks for a part of one tensor; name it 'part\[0\]'"),
]


@pytest.mark.parametrize(("name", "make", "kind", "said"), ERRORS)
def test_what_is_not_there_is_refused_with_what_is(name, make, kind, said):
    model = Model(make)
    with Taps(model, [name]) as taps:
        with pytest.raises(kind, match=said):
            model(X)
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents


def test_a_module_whose_name_has_brackets_is_found_by_it():
    model = nn.Sequential()
    model.add_module("a[0]", nn.Identity())
    assert resolve_depths(model, ["a[0]"]) == {"a[0]": "a[0]"}
    assert torch.equal(latents(model, X, ["a[0]"])["a[0]"], X)


@pytest.mark.parametrize("name", ["part[]", "part[0", "part]0[", "[0]", "port[0]"])
def test_names_that_are_no_names_are_unknown(name):
    with pytest.raises(ValueError, match="the network has no depth"):
        resolve_depths(Model(lambda x: x), [name])


def test_split():
    assert split("a.b[1][key]") == ("a.b", ("1", "key")) and split("a.b") == ("a.b", ())


def test_an_element_changed_in_place_is_refused_and_the_others_are_not():
    def run(x):
        first, second = model.part(x)
        return first.add_(1) + second

    model = Model(lambda x: (x.clone(), 2 * x))
    model.forward = run
    with pytest.raises(RuntimeError, match=r"'part\[0\]' was changed in place"):
        latents(model, X, ["part[0]"])
    assert torch.equal(latents(model, X, ["part[1]"])["part[1]"], 2 * X)


def test_elements_in_a_step_that_is_compiled_whole():
    torch._dynamo.reset()
    model = Model(lambda x: (x, {"twice": 2 * x}))
    with Taps(model, ["part[0]", "part[1][twice]"]) as taps:

        def step(x):
            model(x)
            return taps.latents["part[1][twice]"] - taps.latents["part[0]"]

        assert torch.equal(torch.compile(step, backend="eager", fullgraph=True)(X), X)
