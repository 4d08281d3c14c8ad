"""What holds for all corruptions: damage grows, the seed decides, batches do not."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.data.corruptions.catalog import TABLE
from lggkit.data.corruptions.noise import _poisson_table, shot_noise

FIXED = {
    "defocus_blur",
    "zoom_blur",
    "brightness",
    "contrast",
    "pixelate",
    "jpeg_compression",
}
BLURS = ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "elastic_transform", "pixelate")
NOT_IN_SQUARES = {"glass_blur", "elastic_transform", "frost"}


def squared(clean: torch.Tensor, other: torch.Tensor) -> float:
    return float((clean.double() - other.double()).square().mean())


def structure(clean: torch.Tensor, other: torch.Tensor) -> float:
    """The mean structural similarity in windows of 7x7."""
    a, b = clean.double() / 255, other.double() / 255
    mean_a, mean_b, aa, bb, ab = (F.avg_pool2d(x, 7, 1) for x in (a, b, a * a, b * b, a * b))
    cross, own = 2 * (ab - mean_a * mean_b), aa - mean_a**2 + bb - mean_b**2
    light = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    return float((light * (cross + 9e-4) / (own + 9e-4)).mean())


def test_there_are_fifteen_at_five_severities():
    assert len(CORRUPTIONS) == len(set(CORRUPTIONS)) == 15 and SEVERITIES == (1, 2, 3, 4, 5)
    assert all(len(TABLE[name].parameters) == 5 for name in CORRUPTIONS)


@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name not in NOT_IN_SQUARES])
def test_damage_grows_with_severity_in_squares_and_in_structure(name, pictures):
    """Within 4 %: parameters of neighbours are close (motion blur 3 and 4), and numbers random."""
    clean = pictures(24)
    seen = [corrupt(clean, name, s) for s in SEVERITIES]
    squares, similar = ([f(clean, x) for x in seen] for f in (squared, structure))
    assert squares[0] > 0 and squares[4] > 1.5 * squares[0] and similar[4] < similar[0]
    assert all(b > 0.96 * a for a, b in pairwise(squares)), squares
    assert all(b < a + 0.04 for a, b in pairwise(similar)), similar


def test_glass_moves_pixels_farther_with_a_second_round_and_blurs_more_within_a_round(pictures):
    clean = pictures(24)
    seen = [corrupt(clean, "glass_blur", s) for s in SEVERITIES]
    similar = [structure(clean, x) for x in seen]
    assert max(similar[3:]) < min(similar[:3])
    rough = [float((x.double() - F.avg_pool2d(x.double(), 3, 1, 1)).square().mean()) for x in seen]
    assert rough[0] > rough[1] > rough[2] and rough[3] > rough[4]


def test_frost_covers_more_with_severity_but_for_the_fourth(pictures):
    """Severity 4 has as much frost as 3 on a darker image."""
    clean = pictures(40)
    similar = [structure(clean, corrupt(clean, "frost", s)) for s in SEVERITIES]
    assert similar[0] > similar[1] > similar[2] > similar[4], similar
    assert similar[3] == pytest.approx(similar[2], abs=0.04)


def test_elastic_bends_more_with_severity_while_the_affine_part_shrinks():
    """Residual of the best affine map from clean to seen coordinates, on images that are coordinates."""
    ramp = torch.linspace(60, 190, 32).expand(32, 32)
    clean = torch.stack((ramp, ramp.T, ramp)).round().to(torch.uint8).expand(16, 3, 32, 32).contiguous()
    bent = []
    for severity in SEVERITIES:
        seen = corrupt(clean, "elastic_transform", severity)[:, :2, 8:24, 8:24].double().flatten(2)
        where = clean[0, :2, 8:24, 8:24].double().flatten(1)
        basis = torch.cat((where, torch.ones(1, 256, dtype=torch.float64))).T
        left = seen.mT - basis @ torch.linalg.lstsq(basis.expand(16, -1, -1), seen.mT).solution
        bent.append(float(left.square().mean()))
    # The smoothest displacement (severity 2) is nearly affine; bending grows from there.
    assert bent[0] < 0.2 and bent[2] > 2 * bent[1] and bent[3] > bent[2] and bent[4] > bent[2]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_neither_batch_nor_call_nor_global_seed_has_a_say(name, pictures, monkeypatch):
    images = pictures(7)
    whole = corrupt(images, name, 4, seed=3, offset=10)
    torch.manual_seed(99)
    parts = [corrupt(images[i : i + 1], name, 4, seed=3, offset=10 + i) for i in range(7)]
    assert torch.equal(torch.cat(parts), whole)
    monkeypatch.setattr("lggkit.data.corruptions.catalog.CHUNK", {"cpu": 3, "other": 3})
    assert torch.equal(corrupt(images, name, 4, seed=3, offset=10), whole)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_seed_and_place_decide_where_there_is_chance(name, pictures):
    images = pictures(1).repeat(2, 1, 1, 1)
    first, other = corrupt(images, name, 5), corrupt(images, name, 5, seed=1)
    assert torch.equal(first, other) == (name in FIXED)
    assert torch.equal(first[0], first[1]) == (name in FIXED)
    assert torch.equal(corrupt(images[:1], name, 5, offset=1)[0], first[1])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_input_is_untouched_and_may_be_strided(name, pictures):
    images = pictures(3)
    before = images.clone()
    ours = corrupt(images, name, 3)
    assert torch.equal(images, before) and ours.data_ptr() != images.data_ptr()
    assert torch.equal(corrupt(images.contiguous(memory_format=torch.channels_last), name, 3), ours)
    assert corrupt(images[:0], name, 3).shape == (0, 3, 32, 32)


@pytest.mark.parametrize("name", BLURS)
def test_blurs_leave_every_plain_colour_as_it_is(name):
    flat = torch.arange(256, dtype=torch.uint8)[:, None, None, None].expand(256, 3, 12, 12).contiguous()
    for severity in SEVERITIES:
        assert torch.equal(corrupt(flat, name, severity), flat)


def test_noise_has_its_distribution():
    grey = torch.full((20, 3, 32, 32), 100, dtype=torch.uint8)
    gaussian = corrupt(grey, "gaussian_noise", 3).double()
    assert gaussian.mean() == pytest.approx(99.5, abs=0.4) and gaussian.std() == pytest.approx(20.4, rel=0.02)
    shot = corrupt(grey, "shot_noise", 4).double()
    assert shot.mean() == pytest.approx(99.5, abs=0.5)
    assert shot.std() == pytest.approx(255 * (100 / 255 / 75) ** 0.5, rel=0.02)
    impulse = corrupt(grey, "impulse_noise", 5)
    shares = [float((impulse == value).double().mean()) for value in (0, 100, 255)]
    assert shares == pytest.approx([0.035, 0.93, 0.035], abs=0.003)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: corrupt(x, "spatter", 1), ValueError, "no corruption 'spatter': choose one of gaussian"),
        (lambda x: corrupt(x, "fog", 0), ValueError, "severity is 0: give an integer from 1"),
        (lambda x: corrupt(x, "fog", 6), ValueError, "severity is 6"),
        (lambda x: corrupt(x, "fog", 2.5), ValueError, r"severity is 2\.5"),
        (
            lambda x: corrupt(x.float(), "fog", 1),
            TypeError,
            r"not torch\.float32: corrupt before normalising",
        ),
        (lambda x: corrupt(x[0], "fog", 1), ValueError, r"not \(3, 32, 32\): reshape"),
        (lambda x: corrupt(x[:, :2], "fog", 1), ValueError, r"not \(2, 2, 32, 32\)"),
        (lambda x: corrupt(x[..., :7], "fog", 1), ValueError, r"h, w >= 8, not \(2, 3, 32, 7\)"),
        (lambda x: corrupt(x, "fog", 1, offset=-1), ValueError, "offset is -1: give the first image's place"),
        (lambda x: corrupt(x, "fog", 1, offset=2**31 - 1), ValueError, "offset is 2147483647"),
        (lambda x: corrupt(x, "fog", 1, offset=0.0), TypeError, r"offset is 0\.0: give an integer"),
        (lambda x: corrupt(x, ["fog"], 1), ValueError, r"no corruption \['fog'\]"),
        (lambda x: corrupt(x, "fog", True), ValueError, "severity is True"),
        (lambda x: corrupt(x, "fog", float("nan")), ValueError, "severity is nan"),
        (lambda x: corrupt(x, "fog", None), ValueError, "severity is None"),
        (lambda x: corrupt(x, "fog", torch.tensor([1, 2])), ValueError, "severity is tensor"),
        (lambda x: corrupt(x, "fog", 1, seed=0.5), TypeError, r"seed is 0\.5: give an integer"),
        (lambda x: corrupt(x, "fog", 1, seed=None), TypeError, "seed is None"),
        (lambda x: corrupt(x, "fog", 1, version=0), ValueError, "version is 0: choose one of 1, 2"),
        (lambda x: corrupt(x, "fog", 1, version=3), ValueError, "version is 3: choose one of 1, 2"),
        (lambda x: corrupt(x, "fog", 1, version=[2]), ValueError, r"version is \[2\]"),
        (lambda x: corrupt(x.numpy(), "fog", 1), TypeError, "images are a ndarray: give a tensor"),
        (lambda x: corrupt(x.tolist(), "fog", 1), TypeError, "images are a list: give a tensor"),
        (lambda x: corrupt(x.half(), "fog", 1), TypeError, r"not torch\.float16"),
        (lambda x: corrupt(x.bfloat16()[:0], "fog", 1), TypeError, r"not torch\.bfloat16"),
        (lambda x: corrupt(x[:0, :, :4], "fog", 1), ValueError, r"not \(0, 3, 4, 32\)"),
    ],
)
def test_bad_input_is_one_sentence(call, error, said, pictures):
    with pytest.raises(error, match=said) as refusal:
        call(pictures(2))
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_a_word_on_the_edge_counts_as_beyond_it():
    """P(no photon) is the share of the words below the first edge, not of those up to it."""
    edges, _ = _poisson_table(50)
    first = int(edges[edges > 1 << 32][0]) - (1 << 32)
    words = torch.tensor([first - 1, first]).sub(2**31).to(torch.int32)
    draws = SimpleNamespace(words=lambda *shape: words.view(2, 1, 1, 1))
    seen = shot_noise(torch.ones(2, 1, 1, 1, dtype=torch.uint8), draws, 50)
    assert seen.flatten().tolist() == [0, 5]


def test_integers_of_every_kind_are_integers(pictures):
    images = pictures(2)
    expected = corrupt(images, "snow", 3, seed=-5, offset=2, version=1)
    for kind in (np.int64, np.uint8, np.int32, torch.tensor):
        seed = -5 if kind is np.uint8 else kind(-5)
        assert torch.equal(corrupt(images, "snow", kind(3), seed, kind(2), kind(1)), expected)
    assert corrupt(images, "snow", 3, seed=2**80).shape == images.shape
