"""Files that are there whole or not at all, on any operating system, and folders that can be written to."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

DRAFT = ".draft"


@contextmanager
def draft(path: str | Path) -> Iterator[Path]:
    """A path to write a file to, which takes its name once all of it is on the disk.

    A reader sees the old file or the whole new one. What is being written lies beside it as
    ``.<name>.<process>.<random>.draft``, so that writers at the same time do not meet.

    Raises:
        OSError: the disk refuses; the file that was there stays, and no draft is left.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}{DRAFT}")
    try:
        yield beside
        with open(beside, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


@contextmanager
def whole(path: str | Path) -> Iterator[BinaryIO]:
    """The same as an open file of bytes."""
    with draft(path) as beside, open(beside, "xb") as file:
        yield file


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8, as `whole` does."""
    with whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def require_writable(folder: str | Path) -> None:
    """Make a folder where it is missing, and write a file there and remove it: before work, not after it.

    Raises:
        OSError: that is not possible; the message is a sentence that names the folder.
    """
    trial = Path(folder) / f".{os.getpid()}.{secrets.token_hex(4)}{DRAFT}"
    try:
        trial.parent.mkdir(parents=True, exist_ok=True)
        write_whole(trial, b"\0")
        trial.unlink()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OSError(
            f"cannot write to {folder} ({reason}); make room or name a folder that can be written to"
        ) from error


def set_aside(path: Path) -> Path:
    """Rename a damaged file to ``<name>.damaged``, so that a new one can take its place."""
    return path.replace(path.with_name(path.name + ".damaged"))
