from __future__ import annotations

import hashlib

import pytest
import torch
from scipy import stats

from lggkit.data.corruptions.draws import Draws

DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.cuda])]
MASK = 2**32 - 1


def draws(places, seed=0, name="fog", severity=1, device="cpu") -> Draws:
    return Draws(seed, name, severity, torch.as_tensor(places, device=device))


def mix(x: int) -> int:
    """lowbias32 on Python's integers."""
    x = (x ^ x >> 16) * 0x7FEB352D & MASK
    x = (x ^ x >> 15) * 0x846CA68B & MASK
    return x ^ x >> 16


def by_hand(place: int, number: int, seed=0, name="fog", severity=1) -> int:
    digest = hashlib.sha256(f"{seed}/{name}/{severity}".encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    first, second = (mix((mix(place ^ words[i]) + words[i + 1]) & MASK) for i in (0, 2))
    return mix((mix(number ^ first) + second) & MASK)


@pytest.mark.parametrize("device", DEVICES)
def test_words_are_the_hash_of_seed_name_severity_place_and_number(device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    stream = Draws(-3, "snow", 5, torch.tensor([0, 9_999], device=device))
    words = torch.cat((stream.words(2, 3).flatten(1), stream.words(4)), 1).tolist()
    for place, row in zip((0, 9_999), words, strict=True):
        assert [w & MASK for w in row] == [by_hand(place, q, -3, "snow", 5) for q in range(10)]


def test_an_image_has_its_numbers_in_every_batch():
    together = draws(range(20)).normal(3, 4)
    assert torch.equal(draws([13, 5]).normal(3, 4), together[[13, 5]])


@pytest.mark.parametrize("other", [{"seed": 1}, {"name": "snow"}, {"severity": 2}])
def test_seed_name_and_severity_each_change_all(other):
    assert (draws([4]).words(100) != draws([4], **other).words(100)).all()


def test_uniform_numbers_are_uniform_and_inside():
    u = draws(range(50)).uniform(400, low=-2.0, high=3.0).flatten()
    assert u.dtype == torch.float32 and u.min() > -2 and u.max() < 3
    assert stats.kstest(u.numpy(), stats.uniform(-2, 5).cdf).pvalue > 1e-3


def test_normal_numbers_are_normal():
    z = draws(range(50)).normal(400).flatten().double().numpy()
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert abs(z).max() < 5.4


def test_the_ends_of_the_lattice_are_finite_and_inside(monkeypatch):
    ends = torch.tensor([[-(2**31), -1, 0, 2**31 - 1]], dtype=torch.int32)
    for drawn in ("uniform", "normal", "integers"):
        stream = draws([0])
        monkeypatch.setattr(stream, "words", lambda *shape: ends.clone())
        x = getattr(stream, drawn)(*([192, 4] if drawn == "integers" else [4]))
        assert torch.isfinite(x).all() and (drawn == "normal" or (x >= 0).all())
        assert drawn != "uniform" or ((x > 0) & (x < 1)).all()
        assert drawn != "integers" or x.max() == 191


def test_integers_and_signs_are_equally_often():
    stream = draws(range(40))
    counts = torch.bincount(stream.integers(7, 200).flatten(), minlength=7)
    assert len(counts) == 7 and stats.chisquare(counts).pvalue > 1e-3
    signs = stream.signs(500)
    assert set(signs.unique().tolist()) == {-1, 0} and abs(signs.double().mean() + 0.5) < 0.02


def test_images_numbers_and_consecutive_draws_are_uncorrelated():
    stream = draws(range(300))
    first, second = stream.normal(300), stream.normal(300)
    assert not torch.equal(first, second)
    for rows in (first, first.T, torch.cat((first[:, :150], second[:, :150]), 1).T):
        between = torch.corrcoef(rows.contiguous()) - torch.eye(300)
        assert between.abs().max() < 6 / 300**0.5


def test_bits_of_neighbouring_places_differ_by_half():
    words = draws(range(200)).words(200)
    flips = words[1:] ^ words[:-1], words[:, 1:] ^ words[:, :-1]
    for changed in flips:
        share = torch.stack([(changed >> bit & 1).double().mean() for bit in range(32)])
        assert (share - 0.5).abs().max() < 0.015
