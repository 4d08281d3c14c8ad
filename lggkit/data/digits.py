"""scikit-learn's handwritten digits: real, small, and installed with it, so that nothing is downloaded."""

from __future__ import annotations

import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data.files import DataCorrupt

TEST_PER_CLASS, SHAPE = 50, (1797, 65)


def read(train: bool, _root: Path | None = None) -> tuple[Tensor, Tensor]:
    """1,297 training or 500 test images, uint8 (n, 1, 8, 8), with labels int64 (n,), in the file's order.

    Grey levels 0..16 become ``round(level * 255 / 16)``. The split is fixed and stratified without a random
    number: of each class's m images, in the file's order, 50 evenly spaced ones (number i is one of them if
    ``i * 50 // m`` is about to grow) are for testing.
    """
    levels, labels = _table()
    images = np.rint(levels * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    chosen = _is_test(labels) != train
    return torch.from_numpy(images[chosen]), torch.from_numpy(labels[chosen])


def _is_test(labels: np.ndarray) -> np.ndarray:
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        quota = np.arange(len(members) + 1) * TEST_PER_CLASS // len(members)
        chosen[members] = np.diff(quota) > 0
    return chosen


def _table() -> tuple[np.ndarray, np.ndarray]:
    """Grey levels (1797, 64), labels (1797,); without importing scikit-learn, which takes seconds."""
    package = find_spec("sklearn")
    path = (
        Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz") if package else None
    )
    if path is None or not path.is_file():
        return _table_by_import()
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _damaged(path, f"{error}".split("\n")[0]) from error
    if table.shape != SHAPE:
        raise _damaged(path, f"its shape is {table.shape} instead of {SHAPE}")
    return table[:, :-1], table[:, -1].astype(np.int64)


def _damaged(path: Path, reason: str) -> DataCorrupt:
    return DataCorrupt(f"{path} is truncated or altered ({reason.rstrip('.')}): install scikit-learn anew.")


def _table_by_import() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    levels, labels = load_digits(return_X_y=True)
    return levels, labels.astype(np.int64)
