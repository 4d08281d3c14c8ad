"""3D Shapes (Burgess and Kim, 2018) in its published file, read by h5py where that is at hand."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import torch

from lggkit.data.checks import as_integer
from lggkit.data.factor_grid import FactorGrid
from lggkit.data.files import DataCorrupt, DataUnavailable, root

PATH = "3dshapes/3dshapes.h5"
NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
SIZES = (10, 10, 10, 8, 4, 15)


def load_shapes3d(
    kept: dict[str, tuple[int, ...]] | None = None, folder: str | os.PathLike[str] | None = None
) -> FactorGrid:
    """The images of some values of the factors, (n, 3, 64, 64); nothing is downloaded.

    Args:
        kept: numbers of values, ascending, by factor; all of those that are not named. ``{"floor_hue": (0,),
            "shape": (0, 1)}`` are the 24,000 images of article 10.
        folder: that of all data sets, by default `lggkit.data.root`.

    Raises:
        DataUnavailable: the file or h5py is missing; the message says what to do.
        DataCorrupt: the file does not hold ``images`` (480000, 64, 64, 3).
        ValueError: there is no such factor or value.
    """
    chosen = [_values(name, size, (kept or {}).get(name)) for name, size in zip(NAMES, SIZES, strict=True)]
    if unknown := set(kept or {}) - set(NAMES):
        raise ValueError(f"there is no factor {min(unknown)!r}: choose of {', '.join(NAMES)}.")
    path = Path(folder or root()).expanduser() / PATH
    if not path.is_file():
        raise DataUnavailable(
            f"{path} is missing: download 3dshapes.h5 of the project 3d-shapes, put it there."
        )
    places = np.stack([m.ravel() for m in np.meshgrid(*chosen, indexing="ij")], 1)
    strides = [math.prod(SIZES[i + 1 :]) for i in range(len(SIZES))]
    images = _read(path, places @ np.array(strides))
    numbers = [np.searchsorted(values, column) for values, column in zip(chosen, places.T, strict=True)]
    factors = torch.from_numpy(np.stack(numbers, 1).astype(np.int64))
    return FactorGrid(images, factors, NAMES, tuple(map(len, chosen)))


def _values(name: str, size: int, numbers: tuple[int, ...] | None) -> tuple[int, ...]:
    values = tuple(as_integer(f"a value of {name}", v, 0, size - 1) for v in numbers or range(size))
    if list(values) != sorted(set(values)):
        raise ValueError(f"values of {name} are {values}: give each once, ascending.")
    return values


def _read(path: Path, places: np.ndarray) -> torch.Tensor:
    try:
        import h5py
    except ImportError as error:
        raise DataUnavailable(f"{path} needs h5py to be read: pip install h5py.") from error
    try:
        with h5py.File(path, "r") as file:
            stored = file["images"]
            if stored.shape != (math.prod(SIZES), 64, 64, 3):
                raise DataCorrupt(f"{path} holds images {stored.shape}: put it there anew.")
            images = np.stack([stored[int(place)] for place in places])
    except (OSError, KeyError) as error:
        raise DataCorrupt(f"{path} is truncated or altered ({error}): put it there anew.") from error
    return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
