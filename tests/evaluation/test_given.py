"""What does not fit is refused in one sentence that names the value, alike in all functions."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.evaluation import (
    agreement,
    consistency,
    error_rate,
    gaussian_noise,
    input_margins,
    margins,
    noise_at,
    predict,
    quantized,
    scatter_ratio,
    vanished_gradients,
    with_dropout,
)
from lggkit.evaluation import influence as shares
from lggkit.evaluation._arrays import rows
from lggkit.evaluation.attacks import (
    deepfool,
    fgsm,
    fgsm_direction,
    misled,
    moved_along,
    pgd,
    snr_epsilon,
    strong,
)

BOXED = {
    "fgsm": partial(fgsm, epsilon=0.05),
    "pgd": partial(pgd, steps=2),
    "deepfool": partial(deepfool, steps=2),
    "strong": partial(strong, restarts=1, steps=2, epsilon=0.02),
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
        with pytest.raises(TypeError, match=r"images are .*; give"):
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
        with pytest.raises(TypeError, match=r"labels are a (list|ndarray); give a torch tensor"):
            function(network(), x, wrong)
    for wrong in (x.tolist(), x.numpy()):
        with pytest.raises(TypeError, match=r"images are a (list|ndarray); give a torch tensor"):
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
    for attack in (pgd, deepfool, strong):
        with pytest.raises(TypeError, match=r"images are torch.*whose rounding is as large as a step"):
            attack(model, x, y)


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
        with pytest.raises(TypeError, match=r"(steps|restarts|batch_size|bits) is .*; give an integer"):
            call()


@pytest.mark.parametrize("sd", [-0.1, float("nan"), float("inf"), "much"])
def test_spreads_are_numbers(sd):
    with pytest.raises((ValueError, TypeError), match=r"sd is .*; give 0 or a positive number"):
        gaussian_noise(batch()[0], sd)


def test_answers_are_tensors_of_classes_or_of_logits():
    y = torch.tensor([0, 1, 1])
    for function in (error_rate, agreement, partial(consistency, labels=y)):
        with pytest.raises(TypeError, match=r"(answers|labels) are a list; give a torch tensor"):
            function([0, 1, 1], y)
        with pytest.raises(TypeError, match=r"answers are torch.float32; give integers"):
            function(torch.tensor([0.9, 0.1, 0.2]), y)
        with pytest.raises(ValueError, match=r"answers have shape \(3, 1\); give logits of at least two"):
            function(torch.zeros(3, 1), y)
    with pytest.raises(TypeError, match="labels are a ndarray"):
        error_rate(y, y.numpy())
    assert error_rate(y.to(torch.uint16), y.to(torch.uint16)) == 0
    assert agreement(y.int(), y.to(torch.uint8)) == 100
    assert consistency(y.int(), y, y.to(torch.uint16)).on_correct == 100


def test_embeddings_are_tensors():
    for given in ([[1.0]], np.ones((1, 2))):
        with pytest.raises(TypeError, match=r"embeddings are a .*; give a torch tensor"):
            rows(given)
    with pytest.raises(TypeError, match="labels are a list"):
        scatter_ratio(torch.ones(2, 2), [0, 1])


def test_a_label_that_is_no_class_is_never_right():
    logits = torch.tensor([[float("nan"), 1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="a label is -1; give classes from 0 to 1"):
        error_rate(logits, torch.tensor([-1, 0]))
    with pytest.raises(ValueError, match="a label is 2; give classes from 0 to 1"):
        margins(logits, torch.tensor([2, 0]))


def test_predictions_of_a_double_network_stay_double():
    x = batch()[0].double()
    assert predict(network().double(), x).dtype == torch.float64
    assert predict(network().half(), x.half()).dtype == torch.float32
    with pytest.raises(ValueError, match=r"dtype is torch.float64; choose one of"):
        predict(network(), x, dtype=torch.float64)


def test_input_margins_of_any_size_of_gradient():
    x, y = batch()
    expected = input_margins(network().double(), x.double(), y)
    for power in (-30, -15, 15, 30):
        scaled = network()
        for parameter in scaled.parameters():
            parameter.data *= 10.0**power
        found = input_margins(scaled, x, y)
        torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-6)


def test_weights_that_are_not_finite_or_too_many_bits_are_refused():
    model = network()
    with (
        pytest.raises(ValueError, match="bits is 2000; give an integer from 2 to 64"),
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
        with pytest.raises(ValueError, match="no positive, finite mean"):
            shares.coefficient_of_variation(values)
    for matrix in (torch.zeros(3, 3), torch.full((3, 3), float("nan"))):
        with pytest.raises(ValueError, match="the largest entry of the matrix is"):
            shares.first_sample_share(matrix)
    assert shares.first_sample_share(torch.full((4, 4), 1e30)) == pytest.approx(7 / 16)
