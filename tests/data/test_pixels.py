from __future__ import annotations

import numpy as np
import pytest
import torch

from lggkit.data import channel_statistics, load, normalize, to_float

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
LEVELS = torch.arange(256, dtype=torch.uint8).repeat(3).view(3, 16, 16)[None]


def test_normalized_pixels_are_bit_for_bit_torchvisions():
    from PIL import Image
    from torchvision import transforms

    reference = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    expected = reference(Image.fromarray(LEVELS[0].permute(1, 2, 0).contiguous().numpy()))
    assert torch.equal(normalize(LEVELS, MEAN, STD)[0], expected)
    assert torch.equal(normalize(LEVELS, torch.tensor(MEAN), torch.tensor(STD))[0], expected)


def test_bytes_become_the_unit_interval():
    unit = to_float(LEVELS)
    assert unit.dtype == torch.float32
    np.testing.assert_array_equal(unit.numpy(), LEVELS.numpy().astype(np.float32) / np.float32(255))


def test_floats_are_on_the_unit_interval_already_and_differentiable():
    unit = to_float(LEVELS).double().requires_grad_()
    before = unit.detach().clone()
    normalize(unit, MEAN, STD).sum().backward()
    assert torch.equal(unit.detach(), before)
    torch.testing.assert_close(unit.grad[0, :, 0, 0], 1 / torch.tensor(STD, dtype=torch.float64))


def test_dtype_and_layout_are_those_asked_for():
    result = normalize(LEVELS, MEAN, STD, dtype=torch.bfloat16, channels_last=True)
    assert result.dtype == torch.bfloat16
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(result, normalize(LEVELS, MEAN, STD).bfloat16())


def test_seeds_may_lead():
    batch = torch.stack([LEVELS, LEVELS.flip(-1)])
    assert torch.equal(normalize(batch, MEAN, STD)[1], normalize(LEVELS.flip(-1), MEAN, STD))


def test_wrong_dtype_and_statistics_are_refused():
    with pytest.raises(TypeError, match=r"not torch\.int64"):
        to_float(LEVELS.long())
    with pytest.raises(ValueError, match=r"mean has shape \(1,\) for 3 channels"):
        normalize(LEVELS, (0.5,), STD)


def test_statistics_equal_numpys_in_float64():
    images = torch.randint(
        0, 256, (40, 3, 9, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(2)
    )
    mean, std = channel_statistics(images)
    pixels = images.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(mean, pixels.mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, pixels.std((0, 2, 3)), rtol=1e-12)


def test_normalized_training_set_has_mean_zero_and_deviation_one():
    data = load("digits")
    normalized = normalize(data.images, data.mean, data.std).double()
    assert abs(normalized.mean()) < 1e-6
    assert abs(normalized.std(correction=0) - 1) < 1e-6


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: to_float([0, 255]), TypeError, "images are a list: give a tensor"),
        (lambda: to_float(LEVELS.numpy()), TypeError, "images are a ndarray: give a tensor, as of"),
        (lambda: to_float(LEVELS > 3), TypeError, r"not torch\.bool"),
        (lambda: normalize(LEVELS, MEAN, (0.2, 0.0, 0.2)), ValueError, "std is .*: give positive numbers"),
        (lambda: normalize(LEVELS, MEAN, (0.2, float("nan"), 0.2)), ValueError, "std is"),
        (
            lambda: normalize(LEVELS, (0.5, float("inf"), 0), STD),
            ValueError,
            "mean is .*: give finite numbers",
        ),
        (lambda: normalize(LEVELS, "abc", STD), TypeError, "mean is 'abc': give one number per channel"),
        (lambda: normalize(LEVELS, MEAN, None), TypeError, "std is None: give one number per channel"),
        (lambda: normalize(LEVELS[0, 0, 0], MEAN, STD), ValueError, "for no channels"),
        (
            lambda: channel_statistics(LEVELS.long() * 10**8),
            TypeError,
            r"must be uint8 \(0\.\.255\), not torch\.int64",
        ),
        (lambda: channel_statistics(LEVELS.float()), TypeError, r"not torch\.float32"),
        (lambda: channel_statistics(LEVELS[:0]), ValueError, r"at least one, not \(0, 3, 16, 16\)"),
        (lambda: channel_statistics(LEVELS[0]), ValueError, r"not \(3, 16, 16\)"),
        (lambda: channel_statistics(LEVELS.numpy()), TypeError, "images are a ndarray"),
    ],
)
def test_what_has_no_pixels_is_one_sentence(call, error, said):
    with pytest.raises(error, match=said) as refusal:
        call()
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_statistics_of_python_keep_the_precision_of_the_images():
    unit = to_float(LEVELS).double()
    expected = (unit - torch.tensor(MEAN, dtype=torch.float64)[:, None, None]) / torch.tensor(
        STD, dtype=torch.float64
    )[:, None, None]
    assert torch.equal(normalize(unit, MEAN, STD, dtype=torch.float64), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_images_stay_what_they_are(dtype):
    images = to_float(LEVELS).to(dtype)
    assert to_float(images) is images
    assert torch.isfinite(normalize(images, MEAN, STD)).all()
