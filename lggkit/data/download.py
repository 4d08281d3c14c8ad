"""Data sets that are files under the root; what is missing is fetched, whole or not at all."""

from __future__ import annotations

import http.client
import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lggkit.data.files import DataCorrupt, DataUnavailable, File, check_folder, corrupt, locate, read_verified
from lggkit.data.formats import Arrays

TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class Archive:
    """A published download: mirrors in order of preference, MD5, target folder, and the files it brings.

    ``folder`` (where torchvision unpacks it) and ``files`` are relative to the root.
    """

    urls: tuple[str, ...]
    md5: str
    files: tuple[str, ...]
    folder: str = "."


def download(name: str, archives: Sequence[Archive], folder: Path) -> None:
    """Fetches ``archives`` with torchvision's downloader and moves their files, each whole, into ``folder``.

    Everything happens in a temporary folder inside it, which is removed whatever happens.
    Raises ``DataUnavailable`` with what to put where when that cannot be done.
    """
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as temporary, _timeout(TIMEOUT):
            for archive in archives:
                _fetch(archive, Path(temporary))
                _move(archive, Path(temporary), folder)
    except (OSError, RuntimeError, ImportError, http.client.HTTPException) as error:
        raise DataUnavailable(_advice(name, archives, folder, error)) from None  # the reason is in it


def _fetch(archive: Archive, folder: Path) -> None:
    from torchvision.datasets.utils import download_and_extract_archive, download_url

    fetch = download_url if archive.urls[0].endswith(".mat") else download_and_extract_archive
    for url in archive.urls:
        try:
            return fetch(url, folder / archive.folder, md5=archive.md5)
        except (OSError, RuntimeError, http.client.HTTPException):
            if url == archive.urls[-1]:
                raise


def _move(archive: Archive, source: Path, target: Path) -> None:
    for file in archive.files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        with open(source / file, "r+b") as fetched:
            os.fsync(fetched.fileno())
        os.replace(source / file, target / file)


def _advice(name: str, archives: Sequence[Archive], folder: Path, error: Exception) -> str:
    files = ", ".join(file for archive in archives for file in archive.files)
    urls = ", ".join(archive.urls[0] for archive in archives)
    reason = str(error).strip().replace("\n", " ") or type(error).__name__
    return (
        f"{name} is not in {folder} and could not be downloaded ({reason}): put {files} (from {urls}) there, "
        "or set LGGKIT_DATA to a folder that holds them; scale=smoke needs no download."
    )


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


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
