"""The first images of a set, and those of its first classes."""

import pytest
import torch

from lggkit.data import DataSet


def test_the_first_classes_are_kept_with_their_names():
    images = torch.arange(6, dtype=torch.uint8).reshape(6, 1, 1, 1)
    labels = torch.tensor([2, 0, 1, 2, 0, 1])
    data = DataSet(images, labels, ("a", "b", "c"), torch.ones(1), torch.ones(1), "toy", "train")
    first_two = data.first_classes(2)
    assert first_two.images.flatten().tolist() == [1, 2, 4, 5] and first_two.labels.tolist() == [0, 1, 0, 1]
    assert first_two.classes == ("a", "b") and torch.equal(first_two.mean, data.mean)
    assert len(data.first_classes(3)) == 6 and data.first_classes(3).classes == data.classes
    for count in (-1, 0, 4):
        with pytest.raises(ValueError, match=f"kept is {count}, but toy has 3 classes"):
            data.first_classes(count)


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (2, 2), (6, 6), (9, 6), (None, 6)])
def test_the_first_images_are_as_many_as_there_are(count, expected):
    images = torch.arange(6, dtype=torch.uint8).reshape(6, 1, 1, 1)
    data = DataSet(images, torch.arange(6) % 2, ("a", "b"), torch.ones(1), torch.ones(1), "toy", "train")
    first = data.first(count)
    assert first.images.flatten().tolist() == list(range(expected)) and first.classes == data.classes
    assert torch.equal(first.labels, data.labels[:expected])
