from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from lggkit.data import VectorSet, batches, epoch_order, load


def test_order_is_a_permutation_that_the_generator_decides(generator):
    state = generator.get_state()
    first, second = epoch_order(100, generator), epoch_order(100, generator)
    assert torch.equal(first.sort().values, torch.arange(100))
    assert not torch.equal(first, second)
    generator.set_state(state)
    assert torch.equal(epoch_order(100, generator), first)


def test_orders_are_uniform(generator):
    codes = torch.stack([epoch_order(3, generator) for _ in range(3000)]) @ torch.tensor([9, 3, 1])
    counts = codes.unique(return_counts=True)[1]
    assert len(counts) == 6 and chisquare(counts.numpy()).pvalue > 1e-3


def test_batches_follow_the_order_and_keep_the_short_one(generator):
    data = load("digits", train=False)
    order = epoch_order(len(data), generator)
    parts = list(batches(data, order, 128))
    assert [len(labels) for _, labels in parts] == [128, 128, 128, 116]
    assert torch.equal(torch.cat([images for images, _ in parts]), data.images[order])
    assert torch.equal(torch.cat([labels for _, labels in parts]), data.labels[order])


def test_the_short_batch_can_be_dropped_and_a_full_one_never_is():
    data = load("digits", train=False)
    everything = torch.arange(500)
    assert [len(labels) for _, labels in batches(data, everything, 128, drop_last=True)] == [128] * 3
    assert [len(labels) for _, labels in batches(data, everything, 125, drop_last=True)] == [125] * 4


def test_no_samples_make_no_batch():
    data = load("digits", train=False)
    assert sum(len(labels) for _, labels in batches(data, torch.arange(0), 8)) == 0


def test_a_set_without_images_is_refused():
    vectors = VectorSet(np.zeros((3, 2), dtype=np.float32), np.arange(3))
    with pytest.raises(TypeError, match="the set is a VectorSet: give a DataSet"):
        next(batches(vectors, torch.arange(3), 2))


def test_batch_size_must_be_positive():
    with pytest.raises(ValueError, match="batch_size is 0"):
        next(batches(load("digits"), torch.arange(3), 0))


@pytest.mark.parametrize(
    ("order", "size", "error", "said"),
    [
        (torch.arange(3), -1, ValueError, "batch_size is -1"),
        (torch.arange(3), 2.0, TypeError, r"batch_size is 2\.0: give an integer"),
        (torch.arange(3), True, TypeError, "batch_size is True"),
        (torch.rand(3), 2, TypeError, r"indices are float32 \(3,\)"),
        (torch.tensor([0, 500]), 2, IndexError, "but there are 500 samples"),
    ],
)
def test_what_makes_no_batches_is_one_sentence(order, size, error, said):
    with pytest.raises(error, match=said):
        next(batches(load("digits", train=False), order, size))


def test_orders_and_sizes_may_be_numpys(generator):
    data = load("digits", train=False)
    parts = list(batches(data, np.arange(5), np.int64(2)))
    assert [len(labels) for _, labels in parts] == [2, 2, 1]
    assert len(epoch_order(np.int32(7), generator)) == 7 and len(epoch_order(0, generator)) == 0
    with pytest.raises(ValueError, match="n is -1: give an integer from 0"):
        epoch_order(-1, generator)
