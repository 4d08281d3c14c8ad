from __future__ import annotations

import ast
import gzip
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lggkit.data import DATASETS, DataCorrupt, channel_statistics, load, published

NAMES = ["cifar10", "cifar100", "svhn", "mnist", "fashion-mnist"]
SHAPES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "fashion-mnist": (1, 28, 28)}


@pytest.mark.parametrize("name", NAMES)
def test_layout_is_read_as_written(name, layouts, tmp_path):
    images, labels = layouts(name)
    data = load(name, root=tmp_path)
    np.testing.assert_array_equal(data.images.numpy(), images)
    np.testing.assert_array_equal(data.labels.numpy(), labels)
    assert data.images.is_contiguous() and data.labels.dtype == torch.int64
    assert (data.name, data.split, data.shape) == (name, "train", SHAPES.get(name, (3, 32, 32)))
    assert load(name, train=False, root=tmp_path).split == "test"


@pytest.mark.parametrize("name", NAMES)
def test_torchvision_reads_the_same_from_the_same_files(name, layouts, tmp_path, monkeypatch):
    import torchvision.datasets as tv

    layouts(name)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *args: True)
    monkeypatch.setattr("torchvision.datasets.svhn.check_integrity", lambda *args: True)
    monkeypatch.setattr(tv.CIFAR10, "_load_meta", lambda self: None)
    classes = {
        "cifar10": tv.CIFAR10,
        "cifar100": tv.CIFAR100,
        "mnist": tv.MNIST,
        "fashion-mnist": tv.FashionMNIST,
    }
    theirs = tv.SVHN(tmp_path, "test") if name == "svhn" else classes[name](tmp_path, train=False)
    ours = load(name, train=False, root=tmp_path)
    for i in (0, len(ours) - 1):
        picture, label = theirs[i]
        pixels = np.asarray(picture).reshape(*ours.shape[1:], -1).transpose(2, 0, 1)
        np.testing.assert_array_equal(ours.images[i].numpy(), pixels)
        assert int(ours.labels[i]) == label


def test_statistics_are_the_training_sets_whatever_the_split(layouts, tmp_path):
    images, _ = layouts("cifar10")
    test = load("cifar10", train=False, root=tmp_path)
    np.testing.assert_allclose(test.mean, (images / 255.0).mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(test.std, (images / 255.0).std((0, 2, 3)), rtol=1e-6)


def test_compressed_files_are_read_too(layouts, tmp_path):
    images, _ = layouts("mnist")
    for path in list((tmp_path / "MNIST" / "raw").iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    np.testing.assert_array_equal(load("mnist", root=tmp_path).images.numpy(), images)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_a_damaged_file_is_named_and_refused(name, damage, layouts, tmp_path):
    layouts(name)
    path = tmp_path / DATASETS[name].read.train[-1].path
    content = path.read_bytes()
    altered = content[:-1] + bytes([content[-1] ^ 1])
    path.write_bytes(content[:-20] if damage == "truncated" else altered)
    with pytest.raises(DataCorrupt, match=path.name) as refusal:
        load(name, root=tmp_path)
    assert "delete it" in str(refusal.value)


def test_a_damaged_gzip_is_named_and_refused(layouts, tmp_path):
    layouts("mnist")
    path = tmp_path / published.MNIST.train[0].path
    compressed = path.with_name(path.name + ".gz")
    compressed.write_bytes(gzip.compress(path.read_bytes())[:-50])
    path.unlink()
    with pytest.raises(DataCorrupt, match=r"train-images-idx3-ubyte\.gz"):
        load("mnist", root=tmp_path)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn", "fashion-mnist"])
def test_a_file_of_another_format_is_named_and_refused(name, layouts, registered, tmp_path):
    """As where a checksum was registered for the wrong file."""
    layouts(name)
    files = DATASETS[name].read.train
    for file in files:
        (tmp_path / file.path).write_bytes(b"no such format")
    registered(name)
    with pytest.raises(DataCorrupt, match=rf"not in the format of {name}.*put an intact copy") as refusal:
        load(name, root=tmp_path)
    assert str(tmp_path / files[0].path) in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("train", ["test", "train", None, 2])
def test_a_split_is_a_truth_value(train):
    with pytest.raises(TypeError, match=r"train is .*: give True for the training split, False for the test"):
        load("digits", train=train)


def test_nothing_is_unpickled_before_it_is_verified(layouts, tmp_path, monkeypatch):
    layouts("cifar10")
    path = tmp_path / published.CIFAR10.test[0].path
    path.write_bytes(pickle.dumps({b"data": 1}))
    monkeypatch.setattr("lggkit.data.formats.unpickle_arrays", lambda content: pytest.fail("unpickled"))
    with pytest.raises(DataCorrupt, match="test_batch"):
        load("cifar10", train=False, root=tmp_path)


def test_root_is_the_environments_else_data_cache_of_the_checkout(monkeypatch, tmp_path):
    from lggkit.data import root

    monkeypatch.setenv("LGGKIT_DATA", str(tmp_path))
    assert root() == tmp_path
    monkeypatch.setenv("LGGKIT_DATA", "~/sets")
    assert root() == Path.home() / "sets"
    monkeypatch.delenv("LGGKIT_DATA")
    monkeypatch.chdir(tmp_path)
    assert root() == Path(published.__file__).parents[2] / "data" / "cache"
    monkeypatch.setattr("lggkit.data.files.__file__", str(tmp_path / "lib" / "lggkit" / "data" / "files.py"))
    assert root() == tmp_path / "data" / "cache"


def test_the_environments_root_is_used(layouts, tmp_path, monkeypatch):
    images, _ = layouts("svhn")
    monkeypatch.setenv("LGGKIT_DATA", str(tmp_path))
    assert len(load("svhn")) == len(images)


def test_an_unknown_name_is_answered_with_the_known():
    with pytest.raises(
        ValueError, match="no data set 'cifar': choose one of digits, cifar10, cifar100, svhn"
    ):
        load("cifar")


def test_published_tables_equal_torchvisions():
    import torchvision.datasets as tv

    for ours, theirs in ((published.CIFAR10, tv.CIFAR10), (published.CIFAR100, tv.CIFAR100)):
        for files, listed in ((ours.train, theirs.train_list), (ours.test, theirs.test_list)):
            assert [(f.path, f.md5) for f in files] == [
                (f"{theirs.base_folder}/{n}", md5) for n, md5 in listed
            ]
        assert [(a.urls, a.md5) for a in ours.archives] == [((theirs.url,), theirs.tgz_md5)]
        assert f"{theirs.base_folder}/{theirs.meta['filename']}" in ours.archives[0].files
    for ours, theirs in ((published.MNIST, tv.MNIST), (published.FASHION_MNIST, tv.FashionMNIST)):
        expected = [(tuple(mirror + n for mirror in theirs.mirrors), md5) for n, md5 in theirs.resources]
        assert [(archive.urls, archive.md5) for archive in ours.archives] == expected
        assert {archive.folder for archive in ours.archives} == {f"{theirs.__name__}/raw"}
    for split, (file,) in (("train", published.SVHN.train), ("test", published.SVHN.test)):
        url, name, md5 = tv.SVHN.split_list[split]
        archive = next(a for a in published.SVHN.archives if a.files == (name,))
        assert ((url,), name, md5, md5) == (archive.urls, file.path, file.md5, archive.md5)
    assert list(published.FASHION_CLASSES) == tv.FashionMNIST.classes


@pytest.mark.parametrize("name", [name for name in DATASETS if DATASETS[name].statistics])
def test_tabulated_statistics_equal_the_computed(name, request):
    folder = request.getfixturevalue("real_root") if name != "digits" else Path()
    source = DATASETS[name].read
    if name != "digits" and not (folder / source.train[0].path).parent.is_dir():
        pytest.skip(f"{name} is not in LGGKIT_DATA")
    images, labels = source(True, folder)
    for tabulated, computed in zip(DATASETS[name].statistics, channel_statistics(images), strict=True):
        np.testing.assert_allclose(tabulated, computed, atol=6e-9, rtol=0)
    assert labels.unique().tolist() == list(range(len(DATASETS[name].classes)))


@pytest.mark.parametrize("source", [published.CIFAR10, published.CIFAR100], ids=lambda source: source.name)
def test_class_names_equal_the_published_files(source, real_root):
    from lggkit.data.formats import unpickle_arrays

    path = real_root / source.archives[0].files[-1]
    if not path.is_file():
        pytest.skip(f"{source.name} is not in LGGKIT_DATA")
    meta = unpickle_arrays(path.read_bytes())
    names = meta[b"label_names" if source is published.CIFAR10 else b"fine_label_names"]
    assert tuple(name.decode() for name in names) == DATASETS[source.name].classes


def test_no_heavy_package_is_imported_at_the_top_of_a_module():
    allowed = {*sys.stdlib_module_names, "lggkit", "numpy", "torch"}
    for path in Path(published.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path.name
