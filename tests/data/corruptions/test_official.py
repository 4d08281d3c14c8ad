"""The published arrays where they lie, ours elsewhere, and the names that tell them apart."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import torch

from lggkit.data import DataCorrupt, DataSet
from lggkit.data.corruptions import corrupt, corrupted, official, source_of

N = 6


def archive() -> bytes:
    stream = BytesIO()
    np.savez(stream, a=np.zeros(3))
    return stream.getvalue()


@pytest.fixture
def data(pictures) -> DataSet:
    labels, half = torch.tensor([3, 8, 8, 0, 6, 6]), torch.full((3,), 0.5)
    return DataSet(pictures(N), labels, tuple("0123456789"), half, half, "cifar10", "test")


@pytest.fixture
def published(tmp_path, monkeypatch, data):
    """Small arrays in the published form: level = 20 · severity + place + row // 8 (+ 100 in blue)."""
    monkeypatch.setattr(official, "IMAGES", N)
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    np.save(folder / "labels.npy", np.tile(data.labels.numpy().astype(np.uint8), 5))
    rows = np.arange(5 * N)
    levels = (20 * (rows // N + 1) + rows % N)[:, None, None, None] + 100 * (np.arange(3) == 2)
    levels = levels + (np.arange(32) // 8)[:, None, None]
    np.save(folder / "fog.npy", np.broadcast_to(levels, (5 * N, 32, 32, 3)).astype(np.uint8))
    return tmp_path


def test_the_published_arrays_are_taken_and_named(data, published, monkeypatch):
    monkeypatch.setenv("LGGKIT_DATA", str(published))
    published_set = corrupted(data, "fog", 3)
    assert (published_set.source, published_set.name, published_set.severity) == ("CIFAR-10-C", "fog", 3)
    assert published_set.images.shape == data.images.shape and published_set.images.dtype == torch.uint8
    expected = 60 + torch.arange(N)
    assert torch.equal(published_set.images[:, 0, 5, 9].long(), expected)
    assert torch.equal(published_set.images[:, 2, 5, 9].long(), expected + 100)
    assert torch.equal(published_set.images[:, 0, 30, 9].long(), expected + 3)
    assert source_of(data) == "CIFAR-10-C"
    published_set.images[0] = 0


def test_the_first_images_are_enough(data, published):
    fog = corrupted(data.subset([0, 1]), "fog", 5, folder=published)
    assert fog.source == "CIFAR-10-C" and fog.images[:, 0, 0, 0].tolist() == [100, 101]


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn", "digits"])
def test_elsewhere_ours_are_made_and_named(name, data, tmp_path):
    other = DataSet(data.images, data.labels, data.classes, data.mean, data.std, name, "test")
    snow = corrupted(other, "snow", 2, seed=4, folder=tmp_path)
    title = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN"}.get(name, name)
    assert snow.source == f"{title}-C-like" == source_of(other, tmp_path)
    assert torch.equal(snow.images, corrupt(data.images, "snow", 2, seed=4))


def test_other_images_are_never_matched_with_the_published(data, published):
    shuffled = data.subset([1, 0, 2, 3, 4, 5])
    train = DataSet(data.images, data.labels, data.classes, data.mean, data.std, "cifar10", "train")
    small = DataSet(data.images[..., :16], data.labels, data.classes, data.mean, data.std, "cifar10", "test")
    for other in (shuffled, train, small):
        fog = corrupted(other, "fog", 1, folder=published)
        assert fog.source == "CIFAR-10-C-like" and torch.equal(fog.images, corrupt(other.images, "fog", 1))


def test_unknown_names_are_refused_with_and_without_the_published(data, published, tmp_path):
    for folder in (published, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="no corruption 'spatter'"):
            corrupted(data, "spatter", 1, folder=folder)
        with pytest.raises(ValueError, match="severity is 6"):
            corrupted(data, "fog", 6, folder=folder)


@pytest.mark.parametrize(
    ("file", "spoil", "said"),
    [
        ("fog.npy", lambda path: path.unlink(), "it is missing"),
        ("fog.npy", lambda path: path.write_bytes(b""), "No data left|EOF"),
        ("fog.npy", lambda path: path.write_bytes(path.read_bytes()[:5000]), "mmap length|larger|greater"),
        ("fog.npy", lambda path: path.write_bytes(b"no array at all"), "pickle"),
        (
            "fog.npy",
            lambda path: np.save(path, np.zeros((5, 32, 32, 3), np.uint8)),
            r"uint8 \(5, 32, 32, 3\)",
        ),
        (
            "fog.npy",
            lambda path: np.save(path, np.zeros((30, 32, 32, 3))),
            r"float64 \(30, 32, 32, 3\) instead",
        ),
        ("fog.npy", lambda path: path.write_bytes(archive()), "an archive"),
        ("labels.npy", lambda path: path.unlink(), "it is missing"),
        ("labels.npy", lambda path: np.save(path, np.zeros(7, np.uint8)), r"uint8 \(7,\) instead of"),
    ],
)
def test_damaged_files_are_one_sentence(file, spoil, said, data, published):
    spoil(published / "CIFAR-10-C" / file)
    with pytest.raises(DataCorrupt, match=said) as refusal:
        corrupted(data, "fog", 1, folder=published)
    message = str(refusal.value)
    assert message.startswith(f"{published / 'CIFAR-10-C' / file} is no array of CIFAR-10-C (")
    assert "\n" not in message and message.endswith("or move the folder CIFAR-10-C away.")
