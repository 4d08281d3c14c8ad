from __future__ import annotations

import gzip
import hashlib
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lggkit.data import DataCorrupt, digits, load


def test_both_splits_together_are_scikit_learns_digits():
    from sklearn.datasets import load_digits

    levels, labels = load_digits(return_X_y=True)
    train, test = load("digits"), load("digits", train=False)
    ours = torch.cat([train.images, test.images]).flatten(1).numpy()
    expected = np.floor(levels * 255 / 16 + 0.5)
    rows = np.column_stack([ours, torch.cat([train.labels, test.labels])])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, np.column_stack([expected, labels])))


def test_split_is_fixed_and_stratified():
    train, test = load("digits"), load("digits", train=False)
    assert (len(train), len(test)) == (1297, 500)
    assert torch.bincount(test.labels).tolist() == [50] * 10
    assert train.shape == (1, 8, 8) and train.images.dtype == torch.uint8
    assert hashlib.md5(test.images.numpy().tobytes()).hexdigest() == "380579140123ffa33cd1c6ce1f75360f"
    assert train.images.max() == 255 and train.images.min() == 0


def test_test_images_are_spread_over_the_file():
    labels = np.repeat([0, 1], 200)
    (chosen,) = np.nonzero(digits._is_test(labels))
    assert set(np.diff(chosen)) == {4}


def test_reading_the_file_equals_importing_scikit_learn():
    for ours, theirs in zip(digits._table(), digits._table_by_import(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_scikit_learn_is_not_imported_where_its_file_is_found(monkeypatch):
    monkeypatch.setattr(digits, "_table_by_import", lambda: pytest.fail("imported"))
    assert len(load("digits")) == 1297


def test_scikit_learn_is_asked_when_its_file_is_elsewhere(monkeypatch):
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    assert len(load("digits")) == 1297


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda whole: whole[: len(whole) // 2], "end-of-stream|ended before"),
        (lambda whole: b"no gzip", "[Nn]ot a gzipped file"),
        (lambda whole: gzip.compress(b"1,2,3\n4,5,6\n"), r"its shape is \(2, 3\) instead of \(1797, 65\)"),
        (lambda whole: gzip.compress(b"cat,dog\n"), "could not convert"),
    ],
)
def test_a_damaged_file_of_scikit_learn_is_named(spoil, said, tmp_path, monkeypatch):
    package = Path(find_spec("sklearn").submodule_search_locations[0])
    copy = tmp_path / "datasets" / "data" / "digits.csv.gz"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(spoil((package / "datasets" / "data" / "digits.csv.gz").read_bytes()))
    monkeypatch.setattr(
        digits, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    )
    with pytest.raises(
        DataCorrupt, match=rf"digits\.csv\.gz is truncated or altered \(.*({said}).*scikit-learn anew"
    ):
        load("digits")
