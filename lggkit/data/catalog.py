"""Every data set by name. Adding one is adding a row."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data import digits, files, published
from lggkit.data.dataset import DataSet
from lggkit.data.pixels import channel_statistics


@dataclass(frozen=True)
class Entry:
    """How a data set is read.

    Args:
        classes: names, by label.
        read: ``read(train, root)`` gives images uint8 (n, c, h, w) and labels int64 (n,).
        statistics: (mean, std) per channel of the training split on [0, 1], where they are known for the
            verified files (a test holds them equal to the computed); else they are computed when loading.
        title: as a sentence names it.
    """

    classes: tuple[str, ...]
    read: Callable[[bool, Path], tuple[Tensor, Tensor]]
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    title: str = ""


DIGITS_STATISTICS = ((0.30512315,), (0.37571885,))
FASHION_STATISTICS = ((0.2860406,), (0.35302424,))
CIFAR10_STATISTICS = ((0.49139968, 0.48215841, 0.44653091), (0.24703223, 0.24348513, 0.26158784))
CIFAR100_STATISTICS = ((0.50707516, 0.48654887, 0.44091784), (0.26733429, 0.25643846, 0.27615047))

DATASETS: dict[str, Entry] = {
    "digits": Entry(published.DIGIT_CLASSES, digits.read, DIGITS_STATISTICS, "handwritten digits"),
    "cifar10": Entry(published.CIFAR10_CLASSES, published.CIFAR10, CIFAR10_STATISTICS, "CIFAR-10"),
    "cifar100": Entry(published.CIFAR100_CLASSES, published.CIFAR100, CIFAR100_STATISTICS, "CIFAR-100"),
    "svhn": Entry(published.DIGIT_CLASSES, published.SVHN, title="SVHN"),
    "mnist": Entry(published.DIGIT_CLASSES, published.MNIST, title="MNIST"),
    "fashion-mnist": Entry(
        published.FASHION_CLASSES, published.FASHION_MNIST, FASHION_STATISTICS, "Fashion-MNIST"
    ),
}


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
