"""Data sets that are files under the root, in torchvision's layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data.download import Archive, download
from lggkit.data.files import DataCorrupt, DataUnavailable, File, corrupt, locate, read_verified
from lggkit.data.formats import Arrays


@dataclass(frozen=True)
class OnDisk:
    """A published data set: its files by split, where they come from, and what parses them."""

    name: str
    train: tuple[File, ...]
    test: tuple[File, ...]
    archives: tuple[Archive, ...]
    parse: Callable[[Iterable[bytes]], Arrays]

    def __call__(self, train: bool, root: Path) -> tuple[Tensor, Tensor]:
        """Images uint8 (n, c, h, w) and labels int64 (n,) of a split; downloads what is missing.

        Raises ``DataUnavailable`` or ``DataCorrupt``.
        """
        files = self.train if train else self.test
        self._complete(files, root)
        try:
            images, labels = self.parse(read_verified(root, file) for file in files)
        except (DataCorrupt, DataUnavailable):
            raise
        except Exception as error:  # of many parsers, each with errors of its own
            names = ", ".join(str(root / file.path) for file in files)
            reason = f"not in the format of {self.name}: {type(error).__name__} {error}".split("\n")[0]
            raise corrupt(names, reason) from error
        return _tensor(images), _tensor(labels)

    def _complete(self, files: Iterable[File], root: Path) -> None:
        missing = {file.path for file in files if locate(root, file) is None}
        if archives := [archive for archive in self.archives if missing & set(archive.files)]:
            download(self.name, archives, root)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.require(array, requirements=("C", "W")))
