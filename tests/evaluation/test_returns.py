"""Whatever holds the logits in what a network returns, every function that takes a network finds them."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.evaluation import (
    deepfool,
    fgsm,
    fgsm_direction,
    input_margins,
    misled,
    model_error,
    pgd,
    predict,
    strong,
    strong_images,
    vanished_gradients,
)

WAYS = {
    "tuple": lambda z: (z, torch.zeros(1)),
    "list": lambda z: [z],
    "logits": lambda z: {"loss": torch.zeros(1), "logits": z},
    "out": lambda z: {"out": z, "aux": z + 1},
    "object": lambda z: SimpleNamespace(logits=z),
}
FUNCTIONS = {
    "predict": lambda model, x, y: predict(model, x),
    "misled": misled,
    "fgsm": lambda model, x, y: fgsm(model, x, y, epsilon=0.05),
    "fgsm_direction": fgsm_direction,
    "pgd": lambda model, x, y: pgd(model, x, y, steps=3),
    "pgd by margin": lambda model, x, y: pgd(model, x, y, steps=3, loss="margin"),
    "strong": lambda model, x, y: strong(model, x, y, epsilon=0.02, restarts=1, steps=3),
    "strong_images": lambda model, x, y: strong_images(model, x, y, epsilon=0.02, restarts=1, steps=3),
    "deepfool": lambda model, x, y: deepfool(model, x, y, steps=3),
    "vanished_gradients": vanished_gradients,
    "input_margins": input_margins,
}


class Returns(nn.Module):
    def __init__(self, way):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
        self.way = way

    def forward(self, x):
        return self.way(self.net(x))


def batch():
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    return x, Returns(lambda z: z)(x).argmax(1)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_logits_are_found(way, function):
    assert torch.equal(function(Returns(way), *batch()), function(Returns(lambda z: z), *batch()))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_error_on_a_data_set_too(way):
    x, y = batch()
    data = DataSet((255 * x).byte(), y, tuple("abc"), torch.zeros(1), torch.ones(1), "x", "test")
    assert model_error(Returns(way), data) == model_error(Returns(lambda z: z), data)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("way", [lambda z: None, lambda z: {"features": z}, lambda z: ([z],)])
def test_what_has_no_logits_is_named(way, function):
    with pytest.raises(TypeError, match=r"the model returned .*, which has no logits; return a tensor"):
        function(Returns(way), *batch())


@pytest.mark.parametrize("function", list(FUNCTIONS.values())[1:], ids=list(FUNCTIONS)[1:])
@pytest.mark.parametrize("way", [lambda z: z[:, 0], lambda z: z[:, :1], lambda z: z[:, :, None]])
def test_what_is_no_logits_is_refused_where_classes_are_needed(way, function):
    with pytest.raises((ValueError, TypeError), match=r"two classes|answers .*; give|one row for each"):
        function(Returns(way), *batch())


def test_a_row_for_each_image_is_needed_everywhere():
    assert predict(Returns(lambda z: z[:, :1]), batch()[0]).shape == (8, 1)
    for way in (lambda z: z.sum(), lambda z: z[:3], lambda z: z.T):
        with pytest.raises(ValueError, match="for 8 images; return one row for each"):
            predict(Returns(way), batch()[0])
