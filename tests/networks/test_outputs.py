"""Where the logits are in what a classifier returns."""

import re
from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from lggkit.networks.outputs import logits_of

LOGITS = torch.arange(6.0).view(2, 3)
OTHER = torch.zeros(2, 8)
Scores = namedtuple("Scores", "hidden logits")
Pair = namedtuple("Pair", "scores hidden")


@dataclass
class Output:
    hidden: Any = field(default_factory=lambda: OTHER)
    logits: Any = None


class Mapped(OrderedDict):
    """Both a mapping and an object with attributes, as some libraries return it."""

    def __getattr__(self, name):
        return self[name]


@pytest.mark.parametrize(
    "output",
    [
        LOGITS,
        (LOGITS,),
        (LOGITS, OTHER),
        [LOGITS, OTHER],
        (LOGITS, None),
        Pair(LOGITS, OTHER),
        Scores(OTHER, LOGITS),
        {"logits": LOGITS, "out": OTHER},
        {"hidden": OTHER, "logits": LOGITS},
        {"out": LOGITS, "aux": OTHER},
        {"logits": None, "out": LOGITS},
        UserDict(out=LOGITS),
        Mapped(logits=LOGITS, hidden=OTHER),
        Output(logits=LOGITS),
    ],
    ids=lambda output: type(output).__name__,
)
def test_the_logits_are_found_and_given_as_they_are(output):
    assert logits_of(output) is LOGITS


@pytest.mark.parametrize("logits", [LOGITS.half(), torch.zeros(0, 3), torch.zeros(()), LOGITS.double()])
def test_shape_and_dtype_are_left_to_who_asks(logits):
    assert logits_of((logits,)) is logits


@pytest.mark.parametrize(
    ("output", "seen"),
    [
        (None, "NoneType"),
        (1.5, "float"),
        ("logits", "str"),
        (LOGITS.numpy(), "ndarray"),
        ((), "an empty tuple"),
        ([], "an empty list"),
        ((None, LOGITS), "a tuple that begins with NoneType"),
        (((LOGITS,), OTHER), "a tuple that begins with tuple"),
        ([[1.0, 2.0]], "a list that begins with list"),
        ({}, "a dict with the keys none"),
        ({"hidden": OTHER, 0: LOGITS}, "a dict with the keys 'hidden', 0"),
        ({"logits": [1.0, 2.0]}, "a dict with the keys 'logits'"),
        (Output(), "Output"),
        (Output(logits=[1.0]), "Output"),
    ],
    ids=str,
)
def test_other_outputs_are_named_with_the_remedy(output, seen):
    with pytest.raises(TypeError, match=rf"^the model returned {re.escape(seen)}, .*return a tensor \(n, "):
        logits_of(output)


def test_gradients_pass():
    images = torch.randn(2, 3, requires_grad=True)
    logits_of({"out": 2 * images}).sum().backward()
    assert torch.equal(images.grad, torch.full((2, 3), 2.0))
