"""The sample of MNIST's digits, on a generated file of its format."""

import numpy as np
import pytest

from lggkit.data import DataCorrupt, DataUnavailable, load


def test_the_first_eight_thousand_train_and_the_rest_test(tmp_path):
    with pytest.raises(DataUnavailable, match="is missing"):
        load("mnist-10k", root=tmp_path)
    (tmp_path / "mnist-10k").mkdir()
    path = tmp_path / "mnist-10k" / "mnist-10k.npz"
    images = np.zeros((10_000, 1, 28, 28), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(10_000) % 251
    np.savez_compressed(path, images=images, labels=np.arange(10_000) % 10)
    train, test = (load("mnist-10k", train=part, root=tmp_path) for part in (True, False))
    assert (len(train), len(test)) == (8_000, 2_000)
    assert int(test.images[0, 0, 0, 0]) == 8_000 % 251 and int(test.labels[3]) == 3
    np.savez(path, images=images[:5], labels=np.arange(5))
    with pytest.raises(DataCorrupt, match="put it there anew"):
        load("mnist-10k", root=tmp_path)
    path.write_bytes(b"no zip")
    with pytest.raises(DataCorrupt, match="truncated"):
        load("mnist-10k", root=tmp_path)
