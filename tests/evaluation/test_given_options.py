"""Numbers, counts and answers that do not fit are refused in one sentence; those that do are taken."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.evaluation import (
    deepfool,
    fgsm,
    gaussian_noise,
    input_margins,
    moved_along,
    noise_at,
    pgd,
    predict,
    quantized,
    snr_epsilon,
    strong,
    with_dropout,
)
from lggkit.evaluation import influence as shares


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


def batch():
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    return x, network()(x).argmax(1)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 0.0, -1.0, "a lot", None, 10**400, torch.ones(2)]
)
@pytest.mark.parametrize("name", ["epsilon", "step"])
def test_sizes_are_positive_numbers(name, value):
    with pytest.raises((ValueError, TypeError), match=f"{name} is .*; give a positive number"):
        pgd(network(), *batch(), **{name: value})
    if name == "epsilon" and value is not None:  # None is FGSM's way to ask for a ratio
        for attack in (fgsm, strong):
            with pytest.raises((ValueError, TypeError), match=r"epsilon is .*; give a positive number"):
                attack(network(), *batch(), epsilon=value)


def test_sizes_that_round_to_nothing_are_refused():
    x, y = batch()
    for attack in (fgsm, pgd, strong):
        with pytest.raises(ValueError, match=r"epsilon is 1e-09, which torch.float32 rounds away"):
            attack(network(), x, y, epsilon=1e-9)
    assert fgsm(network().double(), x.double(), y, epsilon=1e-9).dtype == torch.float64


@pytest.mark.parametrize("snr", [float("nan"), float("inf"), -float("inf"), 1e4, -1e4, 200.0])
def test_ratios_that_leave_nothing_are_refused(snr):
    x, y = batch()
    for change in (
        partial(snr_epsilon, x),
        partial(fgsm, network(), x, y),
        partial(moved_along, x, torch.ones_like(x)),
        partial(noise_at, x),
    ):
        with pytest.raises(ValueError, match=r"snr is .*; give a"):
            change(snr)
    assert snr_epsilon(x.double(), 200.0).gt(0).all()


@pytest.mark.parametrize(
    "bounds", [(float("nan"), 1), (0, float("nan")), (1, 0), (0, 0), (0,), 1.0, (0, None)]
)
def test_bounds_are_a_lower_and_a_higher_number(bounds):
    x, y = batch()
    for change in (partial(fgsm, network(), x, y), partial(moved_along, x, torch.ones_like(x), 20.0)):
        with pytest.raises((ValueError, TypeError), match=r"bounds are .*; give"):
            change(bounds=bounds)


def test_bounds_may_be_open():
    x, y = batch()
    free = fgsm(network(), x, y, epsilon=2.0, bounds=(0, float("inf")))
    assert free.min() == 0 and free.max() > 1


@pytest.mark.parametrize("kind", [np.int64, np.uint8, torch.tensor])
def test_counts_are_integers_of_any_kind(kind):
    x, y = batch()
    assert torch.equal(
        pgd(network(), x, y, steps=kind(2), seed=kind(1)), pgd(network(), x, y, steps=2, seed=1)
    )
    assert strong(network(), x, y, restarts=kind(0), steps=kind(2)).shape == y.shape
    assert deepfool(network(), x, y, steps=kind(1)).shape == y.shape
    assert predict(network(), x, batch_size=kind(3)).shape == (8, 3)
    with quantized(network(), kind(5)) as coarse, with_dropout(coarse, 0.5, ["1"], seed=kind(1)):
        assert coarse(x).shape == (8, 3)


@pytest.mark.parametrize("value", [2.0, float("nan"), "2", None])
def test_counts_that_are_no_integers_are_refused(value):
    x, y = batch()
    calls = (
        partial(pgd, network(), x, y, steps=value),
        partial(deepfool, network(), x, y, steps=value),
        partial(strong, network(), x, y, steps=value),
        partial(strong, network(), x, y, restarts=value),
        partial(predict, network(), x, batch_size=value),
        partial(input_margins, network(), x, y, batch_size=value),
        quantized(network(), bits=value).__enter__,
    )
    for call in calls:
        with pytest.raises(TypeError, match=r"(steps|restarts|batch_size|bits) is .*: give an integer"):
            call()


@pytest.mark.parametrize("sd", [-0.1, float("nan"), float("inf"), "much"])
def test_spreads_are_numbers(sd):
    with pytest.raises((ValueError, TypeError), match=r"sd is .*; give 0 or a positive number"):
        gaussian_noise(batch()[0], sd)


def test_input_margins_of_any_size_of_gradient():
    x, y = batch()
    expected = input_margins(network().double(), x.double(), y)
    for power in (-30, -15, 15, 30):
        scaled = network()
        for parameter in scaled.parameters():
            parameter.data *= 10.0**power
        distances = input_margins(scaled, x, y)
        torch.testing.assert_close(distances.double(), expected, rtol=1e-3, atol=1e-6)


def test_weights_that_are_not_finite_or_too_many_bits_are_refused():
    model = network()
    with (
        pytest.raises(ValueError, match="bits is 2000: give an integer from 2 to 64"),
        quantized(model, 2000),
    ):
        pass
    model[1].weight.data[0, 0] = float("inf")
    with pytest.raises(ValueError, match="1 weights are not finite"), quantized(model):
        pass


def test_half_weights_have_as_many_steps_as_others():
    model = network().half()
    before = model[1].weight.detach().clone()
    with quantized(model, 24):
        assert torch.equal(model[1].weight, before)


def test_a_depth_that_returns_no_tensor_does_not_drop():
    model = nn.Sequential(nn.Flatten(), nn.LSTM(16, 3))
    with (
        pytest.raises(TypeError, match="a LSTM that is to drop returns a tuple"),
        with_dropout(model, 0.5, ["1"]),
    ):
        model(batch()[0])


def test_shares_and_variations_that_do_not_exist_are_refused():
    for values in ([], [1.0, -1.0], [0.0], [float("nan"), 1.0]):
        with pytest.raises(ValueError, match="give finite ones from 0 on, and one above 0"):
            shares.coefficient_of_variation(values)
    for matrix in (torch.zeros(3, 3), torch.full((3, 3), float("nan"))):
        with pytest.raises(ValueError, match="the largest entry of the matrix is"):
            shares.first_sample_share(matrix)
    assert shares.first_sample_share(torch.full((4, 4), 1e30)) == pytest.approx(7 / 16)
