from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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


def bytes_of(*shape: int) -> torch.Tensor:
    return torch.randint(256, shape, generator=torch.Generator().manual_seed(1)).to(torch.uint8)


def test_arrays_make_the_set_that_tensors_make():
    images, labels = bytes_of(6, 3, 8, 8), torch.arange(6) % 3
    expected = DataSet.from_tensors(images, labels)
    turned = np.ascontiguousarray(images.numpy()[:, :, ::-1])[:, :, ::-1]
    frozen = images.numpy().copy()
    frozen.flags.writeable = False
    for given_images in (images.numpy(), turned, frozen):
        for dtype in ("uint8", "int8", "int16", "uint16", "uint32", "int64", ">i4"):
            own = DataSet.from_tensors(given_images, labels.numpy().astype(dtype), np.array(["a", "b", "c"]))
            assert torch.equal(own.images, images) and torch.equal(own.labels, labels)
            assert torch.equal(own.mean, expected.mean) and own.classes == ("a", "b", "c")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.uint16, torch.int32, torch.bool])
def test_labels_of_every_kind_of_integer_will_do(dtype):
    labels = torch.tensor([0, 1, 1, 0]).to(dtype)
    own = DataSet.from_tensors(bytes_of(4, 1, 8, 8), labels)
    assert own.labels.dtype == torch.int64 and own.labels.tolist() == [0, 1, 1, 0]
    assert own.classes == ("0", "1")


def test_classes_that_do_not_occur_are_named_too():
    own = DataSet.from_tensors(bytes_of(2, 1, 8, 8), torch.tensor([0, 20_000]))
    assert len(own.classes) == 20_001
    assert DataSet.from_tensors(bytes_of(2, 1, 8, 8), torch.tensor([3, 3])).classes == ("0", "1", "2", "3")


@pytest.mark.parametrize("largest", [10**5, 10**9, 2**62])
def test_names_take_no_memory_by_the_value_of_a_label(largest):
    images, labels = bytes_of(2, 1, 8, 8), torch.tensor([0, largest])
    with pytest.raises(ValueError, match=rf"labels run from 0 to {largest}: .*return_inverse=True\)\.$"):
        DataSet.from_tensors(images, labels)
    with pytest.raises(ValueError, match=rf"labels run from 0 to {largest}, but there are 2 classes"):
        DataSet.from_tensors(images, labels, ("cat", "dog"))


ONE = torch.zeros(1)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda x, y: DataSet.from_tensors(x.tolist(), y), TypeError, "images are a list: give a tensor or"),
        (lambda x, y: DataSet.from_tensors(x, y.tolist()), TypeError, "labels are a list: give a tensor or"),
        (lambda x, y: DataSet.from_tensors(x, None), TypeError, "labels are a NoneType"),
        (lambda x, y: DataSet.from_tensors(x.half(), y), ValueError, r"not float16 \(4, 1, 8, 8\): convert"),
        (lambda x, y: DataSet.from_tensors(x.bfloat16(), y), ValueError, "not bfloat16"),
        (lambda x, y: DataSet.from_tensors(x.numpy() / 255, y), ValueError, "not float64"),
        (lambda x, y: DataSet.from_tensors(x.numpy().astype("U"), y), TypeError, "an array of <U"),
        (lambda x, y: DataSet.from_tensors(x.numpy().astype(object), y), TypeError, "an array of object"),
        (lambda x, y: DataSet.from_tensors(x[0], y), ValueError, r"not uint8 \(1, 8, 8\)"),
        (lambda x, y: DataSet.from_tensors(x[:, :0], y), ValueError, r"not uint8 \(4, 0, 8, 8\)"),
        (lambda x, y: DataSet.from_tensors(x[..., :0], y), ValueError, r"not uint8 \(4, 1, 8, 0\)"),
        (
            lambda x, y: DataSet.from_tensors(x, y[:, None]),
            ValueError,
            r"one for each image, not int64 \(4, 1",
        ),
        (lambda x, y: DataSet.from_tensors(x, y[0]), ValueError, r"one for each image, not int64 \(\)"),
        (lambda x, y: DataSet.from_tensors(x, y.bfloat16()), ValueError, "not bfloat16"),
        (lambda x, y: DataSet.from_tensors(x, y, 10), TypeError, "classes are 10: give a name for each"),
        (lambda x, y: DataSet.from_tensors(x, y, ()), ValueError, "there are 0 classes"),
        (
            lambda x, y: DataSet(x.numpy(), y, ("0", "1"), ONE, ONE, "d", "test"),
            TypeError,
            "images is a ndarray",
        ),
        (
            lambda x, y: DataSet(x, y.tolist(), ("0", "1"), ONE, ONE, "d", "test"),
            TypeError,
            "labels is a list",
        ),
        (lambda x, y: DataSet(x, y, ("0", "1"), (0.5,), ONE, "d", "test"), TypeError, "mean is a tuple"),
        (lambda x, y: DataSet(x, y + 1, ("0", "1"), ONE, ONE, "d", "test"), ValueError, "from 1 to 2, but"),
    ],
)
def test_what_makes_no_set_is_one_sentence(make, error, said):
    with pytest.raises(error, match=said) as refusal:
        make(bytes_of(4, 1, 8, 8), torch.arange(4) % 2)
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("choose", "error", "said"),
    [
        (lambda data, _: data.subset([0.5, 1.2]), TypeError, "indices are float32"),
        (lambda data, _: data.subset(None), TypeError, "indices are None: give integers"),
        (lambda data, _: data.subset("ab"), TypeError, "indices are 'ab'"),
        (lambda data, _: data.subset([[1], [2, 3]]), TypeError, "indices are"),
        (lambda data, _: data.subset(2), TypeError, r"indices are int64 \(\): give a row"),
        (lambda data, _: data.subset([[1, 2]]), TypeError, r"indices are int64 \(1, 2\)"),
        (lambda data, _: data.per_class(1, None), TypeError, "the generator is a NoneType: give a torch"),
        (lambda data, g: data.per_class(1, g, [0.5]), TypeError, r"a class is 0\.5: give an integer"),
        (lambda data, _: data.subset([0, 12]), IndexError, "from 0 to 12, but there are 12 samples"),
        (lambda data, _: data.subset([-13]), IndexError, "from -13 to -13"),
        (lambda data, _: data.subset(torch.ones(3, dtype=torch.bool)), IndexError, "give 12 values"),
        (lambda data, g: data.per_class(-1, g), ValueError, "n is -1: give an integer from 0"),
        (lambda data, g: data.per_class(1.5, g), TypeError, r"n is 1\.5: give an integer"),
        (
            lambda data, g: data.per_class(1, g, (0, 0)),
            ValueError,
            r"classes are \[0, 0\], one of them twice",
        ),
        (lambda data, g: data.per_class(1, g, (3,)), ValueError, "class 3 of tiny has 0 images, not 1"),
        (lambda data, g: data.per_class(1, g, (-1,)), ValueError, "class -1 of tiny has 0 images"),
    ],
)
def test_choices_that_cannot_be_made_are_refused(data, generator, choose, error, said):
    with pytest.raises(error, match=said):
        choose(data, generator)


def test_choices_may_be_numpys_and_none(data, generator):
    assert data.subset(np.array([-1, 0])).images[:, 0, 0, 0].tolist() == [11, 0]
    assert len(data.subset(range(5))) == 5 and len(data.subset(np.array([], dtype=int))) == 0
    assert len(data.per_class(np.int64(2), generator, np.array([1, 2]))) == 4
    assert len(data.per_class(0, generator)) == len(data.per_class(2, generator, [])) == 0


@given(sizes=st.lists(st.integers(0, 4), min_size=1, max_size=4), n=st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_a_balanced_draw_is_made_exactly_where_there_is_one(sizes, n):
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    data = DataSet(
        torch.arange(len(labels)).to(torch.uint8)[:, None, None, None],
        labels,
        tuple(map(str, range(len(sizes)))),
        ONE,
        ONE,
        "own",
        "test",
    )
    source = torch.Generator().manual_seed(0)
    if min(sizes) < n:
        with pytest.raises(ValueError, match=f"not {n}: ask for fewer"):
            data.per_class(n, source)
    else:
        part = data.per_class(n, source)
        assert part.labels.tolist() == [label for label in range(len(sizes)) for _ in range(n)]
        assert len(set(part.images.flatten().tolist())) == len(part)
