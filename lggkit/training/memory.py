"""Running out of memory, recognised whoever says it and told in one sentence."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

SAID = ("out of memory", "can't allocate memory", "bad_alloc", "alloc_failed")
ASKED = re.compile(r"tried to allocate ([\d.]+) ?(bytes|[KMGT]iB)", re.IGNORECASE)


class OutOfMemory(RuntimeError):
    """A training needs more memory than there is; the message says what to change."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python, an allocator or a device's library means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError | OutOfMemory):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in SAID)


def out_of_memory(error: BaseException) -> str:
    """What such an error says, in half a sentence: what was asked for, where it is known."""
    if isinstance(error, OutOfMemory):
        return str(error)
    asked = ASKED.search(str(error))
    return f"out of memory ({_size(*asked.groups())} more were asked for)" if asked else "out of memory"


@contextmanager
def telling_memory(models: int, batch_size: int, device: torch.device | str) -> Iterator[None]:
    """Tells of a lack of memory as `OutOfMemory`; other errors pass."""
    together = f"{models} models together" if models > 1 else "one model"
    remedy = "train fewer together or use a smaller batch" if models > 1 else "use a smaller batch"
    try:
        yield
    except Exception as error:
        if isinstance(error, OutOfMemory) or not is_out_of_memory(error):
            raise
        where = f"on {device}, training {together} with batches of {batch_size}"
        raise OutOfMemory(f"{out_of_memory(error)} {where}: {remedy}") from None


def _size(number: str, unit: str) -> str:
    if unit.lower() != "bytes":
        return f"{number} {unit}"
    mebibytes = float(number) / 2**20
    return f"{mebibytes:.3g} MiB" if mebibytes < 1000 else f"{mebibytes / 1024:.3g} GiB"
