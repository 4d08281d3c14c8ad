"""Cats and dogs, on a generated file of the published format."""

from dataclasses import replace
from hashlib import md5

import numpy as np
import pytest
from scipy.io import savemat

from lggkit.data import DATASETS, DataCorrupt, DataUnavailable, catdog, load


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Writes levels (242, 64, 64) as the published file has them, and gives the root."""

    def write(levels, name="X"):
        table = levels.swapaxes(1, 2).reshape(len(levels), -1).T.astype(float)
        file = tmp_path / catdog.FILE.path
        file.parent.mkdir(exist_ok=True)
        savemat(file, {name: table - table.mean(1, keepdims=True), "nx": 64})
        monkeypatch.setattr(catdog, "FILE", replace(catdog.FILE, md5=md5(file.read_bytes()).hexdigest()))
        return tmp_path

    return write


def drawn(seed=0):
    levels = np.random.default_rng(seed).integers(0, 256, (242, 64, 64))
    levels[:2] = [[[0]], [[255]]]
    return levels


def test_images_that_use_all_levels_come_back_as_they_were(published):
    levels = drawn()
    root = published(levels)
    train, test = (load("catdog", split, root=root) for split in (True, False))
    assert train.shape == (1, 64, 64) and (len(train), len(test)) == (188, 54)
    assert train.classes == ("cat", "dog") == DATASETS["catdog"].classes
    assert train.labels.bincount().tolist() == [94, 94] and test.labels.bincount().tolist() == [27, 27]
    assert np.array_equal(train.images[:, 0].numpy(), levels[[*range(94), *range(121, 215)]])
    assert np.array_equal(test.images[:27, 0].numpy(), levels[94:121])


def test_a_level_that_no_image_has_leaves_the_mean_to_within_the_slack(published):
    levels = 3 + drawn() * 240 // 255
    images = load("catdog", root=published(levels)).images[:, 0].numpy().astype(int)
    off = images - levels[[*range(94), *range(121, 215)]]
    assert np.abs(off).max() <= 12 and (off == off[0]).all()
    assert catdog.slack(np.array([[-100.0, 120.0]])).tolist() == [35.0]


def test_what_is_missing_or_another_file_is_said(published, tmp_path, monkeypatch):
    with pytest.raises(DataUnavailable, match=r"CatDog.mat is missing: put the published file there"):
        load("catdog", root=tmp_path / "empty")
    with pytest.raises(DataCorrupt, match="no table X in it"):
        load("catdog", root=published(drawn(), "Y"))
    with pytest.raises(DataCorrupt, match="instead of"):
        load("catdog", root=published(drawn()[:100]))
    monkeypatch.setattr(catdog, "FILE", replace(catdog.FILE, md5="0" * 32))
    with pytest.raises(DataCorrupt, match="MD5"):
        load("catdog", root=tmp_path)
