"""Corrupted test sets: the published CIFAR-10-C where its arrays are found, else ours, and which it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from lggkit.data.corruptions.catalog import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.data.corruptions.given import severity_of, version_of
from lggkit.data.corruptions.versions import NEWEST, VERSIONS
from lggkit.data.dataset import DataSet
from lggkit.data.files import DataCorrupt, root

FOLDER = "CIFAR-10-C"
PUBLISHED = "CIFAR-10-C"
IMAGES, SHAPE = 10_000, (32, 32, 3)
TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN"}


@dataclass(frozen=True, eq=False)
class Corrupted:
    """A test set under one corruption.

    Args:
        images: uint8 (n, c, h, w), in the order of the clean set.
        name, severity: of the corruption.
        source: ``"CIFAR-10-C"`` for the published arrays; of our own making ``"CIFAR-10-C-like"``, and
            likewise with the names of other data sets.
    """

    images: Tensor
    name: str
    severity: int
    source: str


def corrupted(
    data: DataSet,
    name: str,
    severity: int,
    seed: int = 0,
    folder: Path | None = None,
    version: int = NEWEST,
) -> Corrupted:
    """The images of a set under a corruption, the published ones where there are any.

    These are for the first n test images of CIFAR-10, in their order; their labels tell. For all others, and
    where the folder ``CIFAR-10-C`` is not under the root, the images are made by `corrupt`.

    Args:
        data: clean images.
        name, severity, seed: as for `corrupt`.
        folder: the root of the data sets, ``lggkit.data.root()`` by default.
        version: of the generator, as for `corrupt`; the published arrays have none.

    Raises:
        TypeError, ValueError: as for `corrupt`.
        DataCorrupt: the folder is there and a file of it is missing, truncated or no such array.
    """
    place = published_folder(data, folder)
    if place is None or name not in CORRUPTIONS:
        images = corrupt(data.images, name, severity, seed, version=version)
        return Corrupted(images, name, int(severity), source_of(data, folder))
    severity, _ = severity_of(severity), version_of(version, VERSIONS)
    array = _array(place / f"{name}.npy", (len(SEVERITIES) * IMAGES, *SHAPE))
    start = (severity - 1) * IMAGES
    rows = np.ascontiguousarray(array[start : start + len(data)].transpose(0, 3, 1, 2))
    return Corrupted(torch.from_numpy(rows).to(data.device), name, severity, PUBLISHED)


def source_of(data: DataSet, folder: Path | None = None) -> str:
    """What `corrupted` would give for this set: ``"CIFAR-10-C"`` or ``"CIFAR-10-C-like"``.

    Args:
        data, folder: as for `corrupted`.
    """
    if published_folder(data, folder) is not None:
        return PUBLISHED
    return f"{TITLES.get(data.name, data.name)}-C-like"


def published_folder(data: DataSet, folder: Path | None = None) -> Path | None:
    """Where the published arrays for these images lie, if they do; arguments as for `corrupted`.

    Raises:
        DataCorrupt: the labels beside them are missing, truncated or no such array.
    """
    place = (root() if folder is None else Path(folder)) / FOLDER
    if (data.name, data.split) != ("cifar10", "test") or not place.is_dir():
        return None
    labels = _array(place / "labels.npy", (len(SEVERITIES) * IMAGES,))[: min(len(data), IMAGES)]
    same = np.array_equal(labels, data.labels.cpu().numpy())
    return place if same and data.shape == (3, 32, 32) else None


def _array(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A uint8 array of this shape, read only where it is looked at."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise _damaged(path, "it is missing" if not path.exists() else f"{error}".split("\n")[0]) from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise _damaged(path, "it is an archive of arrays")
    if array.shape != shape or array.dtype != np.uint8:
        raise _damaged(path, f"it holds {array.dtype} {array.shape} instead of uint8 {shape}")
    return array


def _damaged(path: Path, reason: str) -> DataCorrupt:
    remedy = f"put an intact copy of the published file there, or move the folder {FOLDER} away"
    return DataCorrupt(f"{path} is no array of {PUBLISHED} ({reason.rstrip('.')}): {remedy}.")
