from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from lggkit.data import DataCorrupt
from lggkit.data.formats import unpickle_arrays

# What Python 2 with numpy 1 wrote for {"data": array([[1, 2]], uint8), "labels": [3]}, as CIFAR's files are.
LEGACY = (
    b"\x80\x02}q\x00(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    b"(K\x01K\x01K\x02\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    b"\x89U\x02\x01\x02tbU\x06labels]K\x03au."
)


class Attack:
    def __reduce__(self):
        return os.mkdir, ("attacked",)


def test_arrays_of_python_2_are_restored():
    restored = unpickle_arrays(LEGACY)
    np.testing.assert_array_equal(restored[b"data"], np.array([[1, 2]], np.uint8))
    assert restored[b"data"].dtype == np.uint8 and restored[b"labels"] == [3]


def test_arrays_of_today_are_restored():
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    np.testing.assert_array_equal(unpickle_arrays(pickle.dumps(array, protocol=3)), array)


@pytest.mark.parametrize(
    "hidden", [Attack(), np.array([Attack()], dtype=object)], ids=["plain", "in an array"]
)
def test_a_pickle_that_names_anything_else_is_refused(hidden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataCorrupt, match=r"mkdir, which no array needs"):
        unpickle_arrays(pickle.dumps({b"data": hidden}, protocol=3))
    assert not (tmp_path / "attacked").exists()
