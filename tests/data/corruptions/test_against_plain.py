"""Every corruption against one that takes image after image, with the same random numbers."""

from __future__ import annotations

import pytest
import torch

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.data.corruptions.catalog import TABLE

VERSIONED = [name for name, entry in TABLE.items() if entry.options]
EXACT = {"impulse_noise", "pixelate", "jpeg_compression"}
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.cuda])]


def assert_close(ours: torch.Tensor, expected: torch.Tensor, exact: bool) -> None:
    """Equal, but for one level where float32 and float64 fall on different sides of a whole one."""
    gap = (ours.int() - expected.int()).abs()
    assert gap.max() <= (0 if exact else 1) and (gap > 0).float().mean() < 1e-3


@pytest.fixture(params=DEVICES)
def device(request) -> str:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    return request.param


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_pixels_are_those_of_the_plain_implementation(name, severity, one_by_one, pictures, device):
    images = pictures(3)
    ours = corrupt(images.to(device), name, severity)
    assert ours.device.type == device
    assert_close(ours.cpu(), one_by_one(images, name, severity), name in EXACT and device == "cpu")


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", VERSIONED)
def test_so_they_are_in_version_1(name, severity, one_by_one, pictures):
    images = pictures(3)
    assert_close(
        corrupt(images, name, severity, version=1), one_by_one(images, name, severity, version=1), False
    )


@pytest.mark.parametrize(("c", "h", "w"), [(1, 8, 8), (3, 40, 24), (1, 17, 33)])
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_so_they_are_at_other_sizes_and_without_colour(name, c, h, w, one_by_one, pictures):
    images = pictures(2, c, h, w)
    ours = corrupt(images, name, 4, offset=7)
    assert ours.shape == images.shape and ours.dtype == torch.uint8
    assert_close(ours, one_by_one(images, name, 4, offset=7), name in EXACT)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_black_and_white_images_are_no_trouble(name, one_by_one):
    images = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, 3, 32, 32).contiguous()
    assert_close(corrupt(images, name, 2), one_by_one(images, name, 2), name in EXACT)
