"""The textures of frost: their statistics, the damage they do, and photographs in their place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from lggkit.data import DataCorrupt, DataUnavailable
from lggkit.data.corruptions import SEVERITIES, Textures, corrupt, frost_photographs
from lggkit.data.corruptions.catalog import TABLE
from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.frost import feathers
from lggkit.data.corruptions.rime import rime
from lggkit.data.corruptions.textures import USED

# Of the benchmark's photographs, each fifth pixel: mean of red, green and blue, standard deviation of crops'
# means and within crops, averaged over colours.
PHOTOGRAPHS = (
    ((76.6, 148.2, 164.9), 11.2, 15.7),
    ((198.9, 203.3, 212.7), 8.9, 18.1),
    ((198.7, 203.1, 212.4), 9.0, 18.0),
    ((143.2, 158.1, 170.8), 10.3, 26.2),
    ((102.8, 114.2, 125.9), 15.8, 34.3),
)


def crops(texture: torch.Tensor, size: int = 32) -> torch.Tensor:
    """At every fourth place of a periodic texture, float64 (m, c, size, size)."""
    wide = torch.cat((texture, texture[:, : size - 1]), 1)
    wide = torch.cat((wide, wide[..., : size - 1]), 2).double()
    return wide.unfold(1, size, 4).unfold(2, size, 4).flatten(1, 2).transpose(0, 1)


def neighbours(x: torch.Tensor) -> float:
    """The correlation of pixels side by side and one above the other, within crops."""
    x = x - x.mean((2, 3), keepdim=True)
    beside, above = (x[..., 1:] * x[..., :-1]).mean(), (x[..., 1:, :] * x[..., :-1, :]).mean()
    return float((beside + above) / 2 / x.square().mean())


@pytest.mark.parametrize("number", range(5))
def test_textures_have_the_statistics_of_the_photographs(number):
    mean, between, within = PHOTOGRAPHS[number]
    x = crops(rime().levels[number])
    assert x.mean((0, 2, 3)).tolist() == pytest.approx(mean, abs=1)
    assert float(x.mean((2, 3)).std(0).mean()) == pytest.approx(between, rel=0.05)
    assert float(x.std((2, 3)).mean()) == pytest.approx(within, rel=0.05)
    assert neighbours(x) == pytest.approx((0.50, 0.38, 0.37, 0.23, 0.36)[number], abs=0.03)


def test_all_together_they_are_as_bright_as_the_photographs():
    means = torch.stack([level.double().mean((1, 2)) for level in rime().levels]).mean(0)
    assert means.tolist() == pytest.approx([144, 165, 177], abs=1)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_damage_is_what_the_statistics_imply(severity, pictures):
    """Mean squared error to 4 %: that of normal levels with the photographs' means and variances."""
    images, source = pictures(400).double(), np.random.default_rng(0)
    share, amount = TABLE["frost"].parameters[severity - 1]
    errors = []
    for mean, between, within in PHOTOGRAPHS:
        spread = np.hypot(between, within)
        ice = source.normal(np.reshape(mean, (1, 3, 1, 1)), spread, images.shape)
        frosted = torch.from_numpy(np.clip(share * images.numpy() + amount * ice, 0, 255).astype(np.uint8))
        errors.append(float((frosted.double() - images).square().mean()))
    seen = corrupt(images.to(torch.uint8), "frost", severity).double()
    assert float((seen - images).square().mean()) == pytest.approx(np.mean(errors), rel=0.04)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("make", [feathers, rime])
def test_textures_are_five_different_ones_whose_borders_fit(make, channels):
    ice = make(channels)
    levels = torch.stack(ice.levels).double()
    assert ice.periodic and levels.shape == (5, channels, 192, 192)
    inside = (levels[..., 1:] - levels[..., :-1]).abs().mean()
    assert (levels[..., 0] - levels[..., -1]).abs().mean() < 1.3 * inside
    assert all((levels[i] - levels[j]).square().mean() > 400 for i in range(5) for j in range(i))


def test_feathers_are_those_of_version_1():
    levels = torch.stack(feathers().levels).double()
    assert levels.std((1, 2, 3)).min() > 30
    assert levels.mean((0, 2, 3)).tolist() == pytest.approx([97.9, 103.8, 109.7], abs=0.1)


def gradients(sizes) -> Textures:
    """Red is the row, green the column, blue the number of the texture."""
    levels = []
    for k, (height, width) in enumerate(sizes):
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        levels.append(torch.stack((rows, columns, torch.full_like(rows, k))).to(torch.uint8))
    return Textures(tuple(levels), periodic=False)


def test_every_texture_and_place_gets_its_turn_and_no_border_is_crossed():
    parts = gradients([(10, 12), (9, 40)]).parts(Draws(0, "frost", 1, torch.arange(4000)), (8, 8)).long()
    assert (parts[:, 0].diff(dim=1) == 1).all() and (parts[:, 1].diff(dim=2) == 1).all()
    which = parts[:, 2, 0, 0]
    assert float(which.double().mean()) == pytest.approx(0.5, abs=0.04)
    places = [set(parts[which == k, axis, 0, 0].tolist()) for k in (0, 1) for axis in (0, 1)]
    assert places == [set(range(2)), set(range(4)), {0}, set(range(32))]


def test_a_texture_that_is_too_small_is_refused(pictures):
    with pytest.raises(ValueError, match="of 20 x 40 pixels is too small for images of 32 x 32: give"):
        corrupt(pictures(2), "frost", 1, textures=gradients([(20, 40)]))


@pytest.mark.parametrize(
    ("levels", "error", "said"),
    [
        ((), ValueError, "there are no textures: give at least one"),
        ((torch.rand(3, 40, 40),), ValueError, r"a texture is float32 \(3, 40, 40\): give uint8"),
        ((torch.zeros(40, 40, dtype=torch.uint8),), ValueError, r"a texture is uint8 \(40, 40\)"),
        ([torch.zeros(c, 40, 40, dtype=torch.uint8) for c in (1, 3)], ValueError, "c = 1 or 3 for all"),
        ((np.zeros((3, 40, 40), np.uint8),), TypeError, "textures are a ndarray: give a tensor"),
    ],
)
def test_what_is_no_texture_is_one_sentence(levels, error, said):
    with pytest.raises(error, match=said):
        Textures(levels)


def test_textures_of_one_colour_serve_images_of_three_and_the_reverse(pictures):
    grey = Textures(tuple(level[:1] for level in rime().levels))
    seen = corrupt(pictures(4) // 2, "frost", 1, textures=grey)
    assert seen.shape == (4, 3, 32, 32)
    with pytest.raises(TypeError, match="textures are a Tensor: give Textures"):
        corrupt(pictures(4), "frost", 1, textures=rime().levels[0])


@pytest.fixture
def photographed(tmp_path):
    """Photographs whose every fifth pixel, from the third on, is bright."""
    (tmp_path / "frost").mkdir()
    for number, name in enumerate(USED):
        pixels = np.zeros((203 + number, 240, 3), np.uint8)
        pixels[2::5, 2::5] = (100 + number, 150, 200)
        saved = Image.fromarray(pixels)
        saved.save(tmp_path / "frost" / name, "PNG" if name.endswith("png") else "BMP")
    return tmp_path


def test_every_fifth_pixel_of_a_photograph_is_taken(photographed, pictures, monkeypatch):
    monkeypatch.setenv("LGGKIT_DATA", str(photographed))
    read = frost_photographs()
    assert [tuple(level.shape) for level in read.levels] == [(3, 41, 48)] * 5 and not read.periodic
    assert [level[:, 0, 0].tolist() for level in read.levels] == [[100 + k, 150, 200] for k in range(5)]
    assert all((level == level[:, :1, :1]).all() for level in read.levels)
    images = pictures(6)
    seen = corrupt(images, "frost", 2, textures=read)
    expected = (images.double() + 0.3 * torch.tensor([102.0, 150, 200]).view(3, 1, 1)).clamp(max=255)
    assert (seen.double() - expected).abs().max() <= 2
    assert corrupt(images[:, :1], "frost", 2, textures=read).shape == (6, 1, 32, 32)
    assert torch.equal(corrupt(images, "fog", 2, textures=read), corrupt(images, "fog", 2))


def test_photographs_are_not_read_unasked(photographed, pictures, monkeypatch):
    images = pictures(3)
    before = corrupt(images, "frost", 3)
    monkeypatch.setenv("LGGKIT_DATA", str(photographed))
    assert torch.equal(corrupt(images, "frost", 3), before)


def test_photographs_that_are_missing_or_damaged_are_named(photographed):
    place = photographed / "frost"
    (place / "frost2.png").write_bytes((place / "frost2.png").read_bytes()[:200])
    with pytest.raises(DataCorrupt, match=r"frost2\.png is no picture that can be read \(.*intact copy"):
        frost_photographs(photographed)
    (place / "frost4.jpg").unlink()
    with pytest.raises(DataUnavailable, match=r"lacks frost4\.jpg: put .* or leave textures out"):
        frost_photographs(photographed)
