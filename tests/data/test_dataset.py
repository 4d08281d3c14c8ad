from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lggkit.data import DataSet, load


@pytest.fixture
def data() -> DataSet:
    images = torch.arange(12, dtype=torch.uint8)[:, None, None, None].expand(12, 1, 2, 2).contiguous()
    labels = torch.arange(12) % 3
    return DataSet(images, labels, ("a", "b", "c"), torch.zeros(1), torch.ones(1), "tiny", "train")


def test_length_and_shape(data):
    assert len(data) == 12
    assert data.shape == (1, 2, 2)
    assert data.to("cpu").device == torch.device("cpu")


@pytest.mark.parametrize("indices", [[4, 0, 7], torch.tensor([4, 0, 7]), (4, 0, 7)])
def test_subset_keeps_images_with_their_labels_in_order(data, indices):
    part = data.subset(indices)
    assert part.images[:, 0, 0, 0].tolist() == [4, 0, 7]
    assert part.labels.tolist() == [1, 0, 1]
    assert part.classes == data.classes and part.mean is data.mean


def test_subset_by_mask_and_empty(data):
    assert data.subset(data.labels == 2).images[:, 0, 0, 0].tolist() == [2, 5, 8, 11]
    assert len(data.subset([])) == 0


def test_balanced_draw_has_n_distinct_images_of_each_class_in_order(data, generator):
    part = data.per_class(3, generator)
    assert part.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(set(part.images[:, 0, 0, 0].tolist())) == 9
    assert data.per_class(2, generator, classes=(2, 0)).labels.tolist() == [2, 2, 0, 0]


def test_balanced_draws_choose_every_image_equally_often(data, generator):
    counts = torch.zeros(12)
    for _ in range(600):
        counts[data.per_class(2, generator).images[:, 0, 0, 0].long()] += 1
    assert (counts - 300).abs().max() < 60  # five standard deviations


def test_too_large_a_balanced_draw_is_refused(data, generator):
    with pytest.raises(ValueError, match="class 0 of tiny has 4 images, not 5"):
        data.per_class(5, generator)


def test_parts_that_do_not_fit_are_refused(data):
    with pytest.raises(ValueError, match="images must be uint8"):
        replace(data, images=data.images.float())
    with pytest.raises(ValueError, match=r"labels must be int64 \(12,\)"):
        replace(data, labels=data.labels[:3])
    with pytest.raises(ValueError, match=r"labels must be int64 \(12,\).* not int32"):
        replace(data, labels=data.labels.int())
    with pytest.raises(ValueError, match="one per channel"):
        replace(data, mean=torch.zeros(3))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_all_of_it_moves_to_the_device(generator):
    data = load("digits", device="cuda")
    assert {t.device.type for t in (data.images, data.labels, data.mean, data.std)} == {"cuda"}
    assert data.per_class(2, generator).device.type == "cuda"


def test_own_tensors_make_a_set_with_their_own_statistics():
    images = torch.randint(256, (20, 3, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    own = DataSet.from_tensors(images, torch.arange(20, dtype=torch.int32) % 4)
    assert own.classes == ("0", "1", "2", "3") and own.labels.dtype == torch.int64
    assert (own.name, own.split) == ("data", "test")
    torch.testing.assert_close(own.mean, (images / 255).mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(own.std, (images / 255).std((0, 2, 3), correction=0), rtol=1e-3, atol=1e-4)
    named = DataSet.from_tensors(images, torch.zeros(20, dtype=torch.long), ("cat", "dog"), "pets", "train")
    assert (named.classes, named.name, named.split) == (("cat", "dog"), "pets", "train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"labels": torch.arange(4) + 100, "classes": ("a", "b")},
            "labels run from 100 to 103, but there are 2",
        ),
        ({"labels": torch.arange(4) - 1}, "labels run from -1 to 2"),
        ({"labels": torch.arange(3)}, "one for each image"),
        ({"labels": torch.rand(4)}, "labels must be int64"),
        ({"images": torch.rand(4, 3, 8, 8)}, "images must be uint8"),
        ({"images": torch.zeros(0, 3, 8, 8, dtype=torch.uint8), "labels": torch.arange(0)}, "at least one"),
        ({"name": "cifar10"}, "a set of the catalogue"),
    ],
)
def test_own_tensors_that_do_not_fit_are_refused(changes, message):
    fit = {"images": torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "labels": torch.arange(4)}
    with pytest.raises(ValueError, match=message):
        DataSet.from_tensors(**fit | changes)
