"""What does not fit is refused in one sentence that names the value, alike in all functions."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.evaluation import (
    deepfool,
    fgsm,
    fgsm_direction,
    gaussian_noise,
    input_margins,
    misled,
    moved_along,
    noise_at,
    pgd,
    strong,
    strong_images,
    vanished_gradients,
)

BOXED = {
    "fgsm": partial(fgsm, epsilon=0.05),
    "pgd": partial(pgd, steps=2),
    "deepfool": partial(deepfool, steps=2),
    "strong": partial(strong, restarts=1, steps=2, epsilon=0.02),
    "strong_images": partial(strong_images, restarts=1, steps=2, epsilon=0.02),
}
LABELLED = BOXED | {
    "fgsm_direction": fgsm_direction,
    "misled": misled,
    "vanished_gradients": vanished_gradients,
    "input_margins": input_margins,
}
boxed = pytest.mark.parametrize("attack", BOXED.values(), ids=BOXED)
labelled = pytest.mark.parametrize("function", LABELLED.values(), ids=LABELLED)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


def batch():
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    return x, network()(x).argmax(1)


def noise():
    return torch.Generator().manual_seed(0)


NOISY = {
    "gaussian_noise": lambda x: gaussian_noise(x, 0.1, noise()),
    "noise_at": lambda x: noise_at(x, 20.0, noise()),
    "moved_along": lambda x: moved_along(x, torch.ones(np.shape(x), dtype=torch.int8), 20.0),
}
noisy = pytest.mark.parametrize("change", NOISY.values(), ids=NOISY)


@boxed
def test_a_rounding_beyond_the_bounds_is_within_them(attack):
    x, y = batch()
    x[0, 0, 0, 0], x[1, 0, 0, 0] = 1.0, 0.0
    over = x.clone()
    over[0, 0, 0, 0] = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    over[1, 0, 0, 0] = -1e-7
    assert torch.equal(attack(network(), over, y), attack(network(), x, y))
    over[0, 0, 0, 0] = 1 + 1e-5
    with pytest.raises(
        ValueError, match=r"images run from -1.00000001e-07 to 1.0000100\d, outside the bounds"
    ):
        attack(network(), over, y)


@noisy
def test_a_rounding_beyond_the_bounds_is_no_noise(change):
    x = batch()[0]
    x[0, 0, 0, 0] = 1.0
    over = x.clone()
    over[0, 0, 0, 0] = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    torch.testing.assert_close(change(over), change(x))
    with pytest.raises(ValueError, match=r"images run from .* to 255"):
        change(torch.full((1, 1, 4, 4), 255.0))


@noisy
def test_noise_needs_floats(change):
    for given in (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), np.zeros((2, 1, 4, 4)), [[0.5]]):
        with pytest.raises(TypeError, match=r"images are .*[;:] give"):
            change(given)
    with pytest.raises(ValueError, match=r"images have shape \(0, 1, 4, 4\)"):
        change(torch.zeros(0, 1, 4, 4))
    with pytest.raises(ValueError, match="1 of 16 entries of the images are not finite"):
        change(torch.zeros(1, 1, 4, 4).put_(torch.tensor(3), torch.tensor(float("nan"))))


@labelled
@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32, torch.uint64]
)
def test_labels_are_integers_of_any_width(function, dtype):
    x, y = batch()
    assert torch.equal(function(network(), x, y.to(dtype)), function(network(), x, y))


@labelled
def test_labels_and_images_are_tensors_that_fit(function):
    x, y = batch()
    for wrong in (y.tolist(), y.numpy()):
        with pytest.raises(TypeError, match=r"labels are a (list|ndarray): give a tensor"):
            function(network(), x, wrong)
    for wrong in (x.tolist(), x.numpy()):
        with pytest.raises(TypeError, match=r"images are a (list|ndarray): give a tensor"):
            function(network(), wrong, y)
    for wrong in (y.float(), y.bool()):
        with pytest.raises(TypeError, match=r"labels are torch.*; give integers, as of labels.long\(\)"):
            function(network(), x, wrong)
    with pytest.raises(TypeError, match=r"images are torch.uint8; give floats"):
        function(network(), (255 * x).byte(), y)
    with pytest.raises(ValueError, match="at least one"):
        function(network(), x[:0], y[:0])
    with pytest.raises(ValueError, match=r"images have shape \(\)"):
        function(network(), torch.tensor(0.5), y)
    with pytest.raises(ValueError, match="give one label an image"):
        function(network(), x, y[:3])


@labelled
def test_labels_that_are_no_class_and_images_that_are_no_numbers(function):
    x, y = batch()
    for bad in (3, 255, 10**9):
        with pytest.raises(ValueError, match=f"a label is {bad}; give classes from 0 to 2"):
            function(network(), x, y.index_fill(0, torch.tensor([2]), bad))
    with pytest.raises(ValueError, match="a label is -1; give classes from 0 on"):
        function(network(), x, y.index_fill(0, torch.tensor([2]), -1))
    for bad in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="1 of 128 entries of the images are not finite"):
            function(network(), x.index_put((torch.tensor(0),) * 4, torch.tensor(bad)), y)


@labelled
def test_images_on_another_device_than_the_network_are_refused(function):
    with pytest.raises(ValueError, match="images are on cpu and the network on meta"):
        function(network().to("meta"), *batch())


@labelled
def test_images_of_another_type_than_the_weights(function):
    x, y = batch()
    with pytest.raises(TypeError, match=r"the input is torch.float64 and the network's weights are torch.fl"):
        function(network(), x.double(), y)
    with pytest.raises(TypeError, match=r"the input is torch.float16|images are torch.float16"):
        function(network(), x.half(), y)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_floats_where_a_step_rounds_away(dtype):
    x, y = batch()
    model, x = network().to(dtype), x.to(dtype)
    assert fgsm(model, x, y, epsilon=0.05).dtype == dtype
    with pytest.raises(ValueError, match=r"epsilon is 0.0001, which torch.* rounds away"):
        fgsm(model, x, y, epsilon=1e-4)
    for attack in (pgd, deepfool, strong, strong_images):
        with pytest.raises(TypeError, match=r"images are torch.*whose rounding is as large as a step"):
            attack(model, x, y)
