from dataclasses import replace

import numpy as np
import pytest
import torch

from lggkit.data import DataSet, TokenSet, VectorSet, class_order
from lggkit.training import Stream, TrainConfig


def test_an_order_is_a_permutation_whose_batches_have_all_classes():
    labels = torch.arange(50) % 5
    order = class_order(labels, 4, torch.Generator().manual_seed(1))
    assert order.sort().values.tolist() == list(range(50))
    for batch in labels[order[:40]].split(20):
        assert batch.tolist() == [c for c in range(5) for _ in range(4)]


def test_a_stream_takes_a_set_class_by_class_and_others_as_before():
    images = torch.zeros(30, 1, 2, 2, dtype=torch.uint8)
    data = DataSet.from_tensors(images, torch.arange(30) % 3)
    config = TrainConfig(epochs=1, batch_size=12, augment=False, drop_last=True)
    grouped = DataSet(**{**vars(data), "sub_batch": 4})
    batch = Stream(grouped, config, 0).batch(1)
    assert batch.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert Stream(data, config, 0).batch(0).labels.tolist() != batch.labels.tolist()
    assert Stream(grouped, config, 0).steps_per_epoch == 2


def test_a_sub_batch_is_a_positive_integer():
    images, labels = torch.zeros(30, 1, 2, 2, dtype=torch.uint8), torch.arange(30) % 3
    sets = DataSet.from_tensors(images, labels), VectorSet(torch.ones(30, 2), labels)
    for data in (*sets, TokenSet(torch.ones(30, 2, dtype=torch.int64), labels, 3)):
        assert type(replace(data, sub_batch=np.int64(4)).sub_batch) is int
        for value in ("4", 2.0, True):
            with pytest.raises(TypeError, match=f"sub_batch is {value!r}: give an integer"):
                replace(data, sub_batch=value)
        with pytest.raises(ValueError, match="sub_batch is 0: give an integer from 1 on"):
            replace(data, sub_batch=0)
    with pytest.raises(TypeError, match="size is '4': give an integer"):
        class_order(labels, "4", torch.Generator())


def test_a_class_with_fewer_samples_than_a_sub_batch_is_named():
    with pytest.raises(ValueError, match="class 1 2"):
        class_order(torch.tensor([0, 0, 0, 1, 1]), 3, torch.Generator())
