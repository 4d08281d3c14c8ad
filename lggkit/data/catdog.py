"""Cats and dogs: 121 + 121 grey images of 64 × 64 pixels, whose mean image was taken away and is put back.

The file (of the code to Brunton, Brunton, Proctor, Kutz, "Sparse sensor placement optimization for
classification", 2016) holds ``X`` (4096, 242), cats before dogs, each image down its columns, less the mean
image. As grey levels are whole numbers from 0 to 255, each pixel's extremes over the images leave only a few
values for its mean; the middle one is taken. It is known to within half of the `slack`.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data.files import File, corrupt, read_verified

CLASSES, SIDE, PER_CLASS, TEST_PER_CLASS = ("cat", "dog"), 64, 121, 27
FILE = File("catdog/CatDog.mat", "58798958ab85d72a058bed75bcf6e99c")
WHITE = 255


def read(train: bool, root: Path) -> tuple[Tensor, Tensor]:
    """188 training or 54 test images, uint8 (n, 1, 64, 64), with labels int64 (n,), in the file's order.

    Nothing is published about a split: of each class the last 27 images are for testing here. Nothing is
    downloaded.

    Raises:
        DataUnavailable: the file is not under the root; the message says where to put it.
        DataCorrupt: it is not the published one.
    """
    table = _table(read_verified(root, FILE), root / FILE.path)
    levels = np.clip(np.rint(table + _mean(table)[:, None]), 0, WHITE).astype(np.uint8)
    images = levels.T.reshape(-1, 1, SIDE, SIDE).swapaxes(2, 3).copy()
    labels = np.repeat([0, 1], PER_CLASS)
    chosen = (np.arange(2 * PER_CLASS) % PER_CLASS < PER_CLASS - TEST_PER_CLASS) == train
    return torch.from_numpy(images[chosen]), torch.from_numpy(labels[chosen])


def slack(table: np.ndarray) -> np.ndarray:
    """By how many grey levels the mean of each pixel could be another, (4096,), of a table without it."""
    return WHITE - (table.max(1) - table.min(1))


def _mean(table: np.ndarray) -> np.ndarray:
    """The mean image: what makes the darkest level 0 at least, plus half the slack in whole levels."""
    return -table.min(1) + slack(table) // 2


def _table(content: bytes, path: Path) -> np.ndarray:
    from scipy.io import loadmat

    try:
        table = loadmat(io.BytesIO(content), variable_names=("X",))["X"].astype(float)
    except (KeyError, ValueError, TypeError, OSError, NotImplementedError) as error:
        raise corrupt(path, f"no table X in it: {type(error).__name__}") from error
    if table.shape != (SIDE**2, 2 * PER_CLASS):
        raise corrupt(path, f"its table is {table.shape} instead of {(SIDE**2, 2 * PER_CLASS)}")
    return table
