"""Tiny files in the published formats, registered with their own checksums."""

from __future__ import annotations

import hashlib
import os
import pickle
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lggkit.data import DATASETS, published

N = 12


def register(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path) -> None:
    """Makes the files that lie in ``folder`` the published ones of data set ``name``."""
    source = DATASETS[name].read
    train, test = (tuple(_checked(folder, file) for file in files) for files in (source.train, source.test))
    entry = replace(DATASETS[name], read=replace(source, train=train, test=test), statistics=None)
    monkeypatch.setitem(DATASETS, name, entry)


def _checked(folder: Path, file):
    path = folder / file.path
    return replace(file, md5=hashlib.md5(path.read_bytes()).hexdigest()) if path.exists() else file


def images(channels: int, size: int, n: int = N, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, channels, size, size), dtype=np.uint8)


def python2_pickle(batch: dict[str, object]) -> bytes:
    """A pickle whose keys are byte strings of Python 2, as in CIFAR's files."""
    content = pickle.dumps(batch, protocol=3)
    for key in batch:
        today = b"X" + struct.pack("<i", len(key)) + key.encode()
        content = content.replace(today, b"U" + bytes([len(key)]) + key.encode())
    return content


def write_cifar(folder: Path, source=published.CIFAR10, key: str = "labels") -> tuple[np.ndarray, np.ndarray]:
    """Writes batches of N images each; returns all training images and labels."""
    parts = []
    for i, file in enumerate(source.train + source.test):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part, labels = images(3, 32, seed=i), [(i + j) % 10 for j in range(N)]
        path.write_bytes(python2_pickle({"data": part.reshape(N, -1), key: labels}))
        parts.append((part, labels))
    (path.parent / ("batches.meta" if source is published.CIFAR10 else "meta")).write_bytes(b"unread")
    train = parts[: len(source.train)]
    return np.concatenate([part for part, _ in train]), np.concatenate([labels for _, labels in train])


def write_idx(folder: Path, source=published.FASHION_MNIST) -> tuple[np.ndarray, np.ndarray]:
    pixels, labels = images(1, 28), np.arange(N, dtype=np.uint8) % 10
    for image_file, label_file in (source.train, source.test):
        path = folder / image_file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(struct.pack(">4i", 0x803, N, 28, 28) + pixels.tobytes())
        (folder / label_file.path).write_bytes(struct.pack(">2i", 0x801, N) + labels.tobytes())
    return pixels, labels


def write_svhn(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    from scipy.io import savemat

    pixels, labels = images(3, 32), np.arange(N, dtype=np.uint8) % 10
    stored = np.where(labels == 0, 10, labels).astype(np.uint8)[:, None]
    for file in published.SVHN.train + published.SVHN.test:
        savemat(folder / file.path, {"X": pixels.transpose(2, 3, 1, 0), "y": stored}, do_compression=True)
    return pixels, labels


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.fixture
def layouts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[str], tuple[np.ndarray, np.ndarray]]:
    """``layouts(name)`` writes and registers a tiny data set in ``tmp_path``; returns its training split."""
    writers = {
        "cifar10": write_cifar,
        "cifar100": lambda folder: write_cifar(folder, published.CIFAR100, "fine_labels"),
        "svhn": write_svhn,
        "mnist": lambda folder: write_idx(folder, published.MNIST),
        "fashion-mnist": write_idx,
    }

    def write(name: str) -> tuple[np.ndarray, np.ndarray]:
        truth = writers[name](tmp_path)
        register(monkeypatch, name, tmp_path)
        return truth

    return write


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """``registered(name)`` makes what now lies in ``tmp_path`` the published files."""
    return lambda name: register(monkeypatch, name, tmp_path)


@pytest.fixture
def real_root() -> Path:
    """The root of the real files; the test is skipped where ``$LGGKIT_DATA`` is not set."""
    if "LGGKIT_DATA" not in os.environ:
        pytest.skip("LGGKIT_DATA is not set")
    return Path(os.environ["LGGKIT_DATA"])
