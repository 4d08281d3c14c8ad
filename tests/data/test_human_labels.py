"""The loader of CIFAR-10H, on files of the same format that are made here."""

import io

import numpy as np
import pytest
import torch

from lggkit.data import DataCorrupt, DataUnavailable
from lggkit.data.human_labels import CIFAR10H, generated_counts, load_cifar10h, parse_counts


def written(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


COUNTS = np.array([[0, 50] + 8 * [0], [3, 4] + 8 * [5]])


def test_counts_are_read_as_published():
    for kind in (np.int64, np.float64):
        counts = parse_counts(written(COUNTS.astype(kind)))
        assert counts.dtype == torch.int64 and counts.tolist() == COUNTS.tolist()


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"no array", "no NumPy file"),
        (written(COUNTS[:, :9]), r"shape \(2, 9\)"),
        (written(COUNTS[0]), r"shape \(10,\)"),
        (written(COUNTS - 1), "whole numbers"),
        (written(COUNTS + 0.5), "whole numbers"),
        (written(COUNTS * [[1], [0]]), "1 images of CIFAR-10H have no answer"),
    ],
)
def test_what_does_not_fit_is_told(contents, said):
    with pytest.raises(DataCorrupt, match=said):
        parse_counts(contents)


def test_missing_and_altered_files_are_named(tmp_path):
    with pytest.raises(DataUnavailable, match=r"cifar10h-counts\.npy is missing"):
        load_cifar10h(tmp_path)
    path = tmp_path / CIFAR10H.path
    path.parent.mkdir()
    path.write_bytes(written(COUNTS))
    with pytest.raises(DataCorrupt, match=r"cifar10h-counts\.npy is truncated or altered"):
        load_cifar10h(tmp_path)


def test_generated_counts_have_the_same_form_and_are_mostly_right():
    labels = torch.arange(10).repeat(30)
    counts = generated_counts(labels, seed=1)
    assert counts.shape == (300, 10) and (counts.sum(1) == 50).all()
    assert torch.equal(counts, generated_counts(labels, seed=1))
    assert (counts.argmax(1) == labels).double().mean() > 0.9
    assert (counts.max(1).values < 40).any(), "some images are ambiguous"
