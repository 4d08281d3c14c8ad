"""Why runs were not measured, in a sentence, and what is tidied up after them."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Failure:
    """Why runs were not measured, in a sentence, and whether for lack of memory or of time."""

    sentence: str
    memory: bool = False
    time: bool = False


def sentence_of(error: Exception) -> str:
    """The first line of an error, with its type where the line was not written for a user."""
    line, name = str(error).strip().partition("\n")[0], type(error).__name__
    if isinstance(error, RuntimeError | OSError):
        return line or name
    return f"{name}: {line}" if line else name


def free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        with contextlib.suppress(RuntimeError):  # the allocator after a capture that failed
            torch.cuda.empty_cache()
