"""What the versions of the generator are: the images of earlier records, and what was mended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lggkit.data.corruptions import CORRUPTIONS, NEWEST, SEVERITIES, VERSIONS, corrupt, corruption_sheet

MENDED = ("defocus_blur", "glass_blur", "motion_blur", "snow", "frost")
EARLIER = Path(__file__).with_name("version_1.npz")
"""Levels (corruption, severity, channel, row, column) of `picture` with seed 3 and offset 7, made when there
were no versions."""


def picture() -> torch.Tensor:
    rows, columns, channel = np.mgrid[:16, :16, :3]
    levels = (rows * 37 + columns * 11 + channel * 50 + (rows // 4 * columns // 5) * 23) % 256
    return torch.from_numpy(levels.astype(np.uint8).transpose(2, 0, 1)[None].copy())


def unequal(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a != b).double().mean())


def test_the_newest_is_the_default():
    assert NEWEST == 2 and tuple(VERSIONS) == (1, 2)
    assert torch.equal(corrupt(picture(), "frost", 4), corrupt(picture(), "frost", 4, version=2))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", MENDED)
def test_version_1_makes_the_images_of_earlier_records(name, severity):
    """Within one level in one value of 768 in 250, as other processors round sums."""
    with np.load(EARLIER) as stored:
        earlier = torch.from_numpy(stored["levels"])[MENDED.index(name), severity - 1][None]
    seen = corrupt(picture(), name, severity, seed=3, offset=7, version=1)
    assert (seen.int() - earlier.int()).abs().max() <= 1 and unequal(seen, earlier) < 0.004
    if name in ("motion_blur", "snow", "frost"):
        assert unequal(corrupt(picture(), name, severity, seed=3, offset=7), earlier) > 0.01


@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - set(MENDED)))
def test_what_was_not_mended_is_the_same_in_all_versions(name, pictures):
    images = pictures(3)
    for severity in SEVERITIES:
        first, second = (corrupt(images, name, severity, 1, version=v) for v in VERSIONS)
        assert torch.equal(first, second)


def test_the_softened_edge_of_defocus_counts_however_little_it_weighs():
    """At severity 4 a corner of the disk weighs 7e-7: a dark one takes a level from a whole."""
    images = torch.full((1, 1, 16, 16), 100, dtype=torch.uint8)
    images[..., 8, 8] = 20
    ours, earlier = (corrupt(images, "defocus_blur", 4, version=v)[0, 0] for v in (2, 1))
    cross, corners = [(8, 8), (7, 8), (9, 8), (8, 7), (8, 9)], [(7, 7), (7, 9), (9, 7), (9, 9)]
    assert [int(ours[place]) for place in cross] == [84] * 5
    assert {int(ours[place]) for place in corners} == {99} and {int(earlier[p]) for p in corners} == {100}


def test_the_smear_of_motion_blur_is_cut_off_after_sixteen_bits():
    """ImageMagick keeps 1/257 of a level, rounded, and then cuts off: .998 goes up, .99 does not."""
    images = torch.randint(256, (20, 3, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    rounded, cut = (corrupt(images, "motion_blur", 3, version=v).int() for v in (1, 2))
    assert set((rounded - cut).unique().tolist()) == {0, 1}
    assert float((rounded - cut).double().mean()) == pytest.approx(0.5, abs=0.02)


def test_a_contact_sheet_has_a_version(pictures):
    images = pictures(15)
    first, second = (corruption_sheet(images, version=v) for v in (1, 2))
    assert torch.equal(second, corruption_sheet(images))
    differ = [name for name, a, b in zip(CORRUPTIONS, first, second, strict=True) if not torch.equal(a, b)]
    assert {"motion_blur", "snow", "frost"} <= set(differ) <= set(MENDED)
