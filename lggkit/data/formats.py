"""Parsers of the published file formats: contents of verified files -> uint8 (n, c, h, w), int64 (n,)."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct

from lggkit.data.files import DataCorrupt

Arrays = tuple[np.ndarray, np.ndarray]


def cifar(contents: Iterable[bytes]) -> Arrays:
    """CIFAR's "python version": pickles with rows of 3,072 bytes, red then green then blue, row by row."""
    parts = [_cifar_batch(unpickle_arrays(batch)) for batch in contents]
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def idx(contents: Iterable[bytes]) -> Arrays:
    """MNIST's format: one file with images, one with labels, each with a big-endian header."""
    images, labels = (_idx_array(content) for content in contents)
    return images[:, None], labels.astype(np.int64)


def mat(contents: Iterable[bytes]) -> Arrays:
    """SVHN's cropped digits: a MATLAB file with ``X`` (h, w, c, n) and ``y`` (n, 1), in which 10 means 0."""
    from scipy.io import loadmat

    (content,) = contents
    parsed = loadmat(io.BytesIO(content), variable_names=("X", "y"))
    return np.ascontiguousarray(parsed["X"].transpose(3, 2, 0, 1)), parsed["y"].astype(np.int64).ravel() % 10


def unpickle_arrays(content: bytes) -> Any:
    """Unpickles plain containers and numpy arrays; raises ``DataCorrupt`` when anything else is named."""
    return _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()


def _dtype(kind: str | bytes, *_flags: object) -> np.dtype:
    return np.dtype(kind)  # the flags of old pickles are integers, which numpy warns about


class _ArrayUnpickler(pickle.Unpickler):
    """Resolves no name but the three that rebuild an array, so that no pickle can run code."""

    allowed = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): _dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.allowed:
            raise DataCorrupt(
                f"a data file asks for {module}.{name}, which no array needs: do not trust its source."
            )
        return self.allowed[module, name]


def _cifar_batch(batch: dict[bytes, Any]) -> Arrays:
    labels = batch[b"labels"] if b"labels" in batch else batch[b"fine_labels"]
    return batch[b"data"].reshape(-1, 3, 32, 32), np.asarray(labels, dtype=np.int64)


def _idx_array(content: bytes) -> np.ndarray:
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", count=dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
