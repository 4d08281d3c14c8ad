"""Ten thousand of MNIST's digits in one NumPy file: a sample of the set, never called MNIST alone."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data.files import DataCorrupt, DataUnavailable

PATH, TRAINING = "mnist-10k/mnist-10k.npz", 8_000


def read(train: bool, root: Path) -> tuple[Tensor, Tensor]:
    """The first 8,000 (training) or the last 2,000 images, uint8 (n, 1, 28, 28), with labels int64 (n,).

    Raises:
        DataUnavailable: there is no such file.
        DataCorrupt: it does not hold ``images`` (10000, 1, 28, 28) and ``labels`` (10000,).
    """
    path = root / PATH
    if not path.is_file():
        raise DataUnavailable(f"{path} is missing: put images and labels there, see the table of data sets.")
    try:
        with np.load(path) as arrays:
            images, labels = arrays["images"], arrays["labels"].astype(np.int64)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataCorrupt(f"{path} is truncated or altered ({error}): put it there anew.") from error
    if images.shape != (10_000, 1, 28, 28) or images.dtype != np.uint8 or labels.shape != (10_000,):
        raise DataCorrupt(f"{path} holds images {images.dtype} {images.shape}: put it there anew.")
    part = slice(0, TRAINING) if train else slice(TRAINING, None)
    return torch.from_numpy(images[part].copy()), torch.from_numpy(labels[part].copy())
