"""Where data lie, and bytes that are what was published."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

ELSEWHERE = "or set LGGKIT_DATA to a folder that holds the data"


class DataUnavailable(RuntimeError):
    """A data set is not on this machine and cannot be fetched; the message says what to put where."""


class DataCorrupt(RuntimeError):
    """A data file is not what was published; the message names it. It was not parsed."""


@dataclass(frozen=True)
class File:
    """A file of a data set: ``path`` from the root on, the published MD5 of its contents, uncompressed."""

    path: str
    md5: str


def root() -> Path:
    """The folder that holds the data sets: ``$LGGKIT_DATA``, else ``data/cache`` of the repository.

    Returns:
        The path, which need not exist. Outside a checkout (an installed package) ``data/cache`` of the
        current folder.
    """
    if configured := os.environ.get("LGGKIT_DATA"):
        return Path(configured).expanduser()
    checkout = Path(__file__).resolve().parents[2]
    home = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return home / "data" / "cache"


def locate(folder: Path, file: File) -> Path | None:
    """The file under the root ``folder``, else its gzip beside it (``.gz``), else None."""
    plain = folder / file.path
    compressed = plain.with_name(plain.name + ".gz")
    return next((path for path in (plain, compressed) if os.path.isfile(path)), None)


def check_folder(folder: Path) -> None:
    """Refuse to make a root where one is expected, so that a drive that is unplugged is not written beside.

    Raises:
        DataUnavailable: it is a file or a broken link, or ``$LGGKIT_DATA`` names it and it is not there.
    """
    if os.path.isdir(folder):
        return
    configured = os.environ.get("LGGKIT_DATA")
    named = bool(configured) and folder == Path(configured).expanduser()
    if named or os.path.lexists(folder):
        what = "is no folder that can be opened" if os.path.lexists(folder) else "is not there"
        whose = "the folder that LGGKIT_DATA names" if named else "the folder of the data sets"
        remedy = f"plug it in or make it, {ELSEWHERE}; scale=smoke needs none"
        raise DataUnavailable(f"{folder}, {whose}, {what}: {remedy}.")


def read_verified(folder: Path, file: File) -> bytes:
    """The contents of a file under a root, uncompressed, if their MD5 is the published one; a gzip will do.

    Verified are the very bytes that are returned, so that nothing can change in between.

    Raises:
        DataUnavailable: there is no such file, or its drive no longer answers.
        DataCorrupt: it is truncated or altered; the message names it.
    """
    path = locate(folder, file)
    if path is None:
        raise DataUnavailable(f"{folder / file.path} is missing: put the published file there.")
    try:
        contents = _contents(path)
    except OSError as error:
        reason = error.strerror or error
        remedy = f"see that its drive is plugged in, {ELSEWHERE}"
        raise DataUnavailable(f"{path} cannot be read ({reason}): {remedy}.") from error
    seen = hashlib.md5(contents, usedforsecurity=False).hexdigest()
    if seen != file.md5:
        raise corrupt(path, f"the MD5 of its contents is {seen} instead of {file.md5}")
    return contents


def corrupt(path: Path | str, reason: str) -> DataCorrupt:
    """The error for a file that is truncated or altered, with how this was seen and what to do."""
    remedy = "delete it to have it downloaded again, or put an intact copy in its place"
    return DataCorrupt(f"{path} is truncated or altered ({reason}): {remedy}.")


def _contents(path: Path) -> bytes:
    contents = path.read_bytes()
    if path.suffix != ".gz":
        return contents
    try:
        return gzip.decompress(contents)
    except (OSError, EOFError, zlib.error) as error:
        raise corrupt(path, f"not a whole gzip file: {error}") from error
