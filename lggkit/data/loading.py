"""A split of a data set of the catalogue, read whole."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data import files
from lggkit.data.catalog import DATASETS, Entry
from lggkit.data.dataset import DataSet
from lggkit.data.pixels import channel_statistics


def load(
    name: str,
    train: bool = True,
    device: str | torch.device = "cpu",
    root: str | os.PathLike[str] | None = None,
) -> DataSet:
    """A whole split of a data set, on one device.

    What is missing is downloaded; every file's MD5 is verified before it is parsed.

    Args:
        name: one of ``DATASETS``; ``"digits"`` needs no file.
        train: the training split, else the test split.
        device: where the tensors go.
        root: the folder that holds the data sets, ``lggkit.data.root()`` by default.

    Returns:
        The split, with the channel statistics of the training split.

    Raises:
        TypeError: ``train`` is no truth value, so that "test" is not taken for the training split.
        ValueError: the name is unknown.
        DataUnavailable: files are missing and cannot be fetched.
        DataCorrupt: a file is not what was published.
    """
    if not isinstance(train, (bool, np.bool_)):
        raise TypeError(f"train is {train!r}: give True for the training split, False for the test split.")
    if name not in tuple(DATASETS):
        raise ValueError(f"there is no data set {name!r}: choose one of {', '.join(DATASETS)}.")
    entry, folder = DATASETS[name], Path(root).expanduser() if root is not None else files.root()
    images, labels = entry.read(train, folder)
    mean, std = _statistics(entry, images if train else None, folder)
    split = "train" if train else "test"
    return DataSet(images, labels, entry.classes, mean, std, name, split).to(device)


def _statistics(entry: Entry, train_images: Tensor | None, folder: Path) -> tuple[Tensor, Tensor]:
    if entry.statistics is not None:
        mean, std = entry.statistics
        return torch.tensor(mean), torch.tensor(std)
    images = entry.read(True, folder)[0] if train_images is None else train_images
    mean, std = channel_statistics(images)
    return mean.float(), std.float()
