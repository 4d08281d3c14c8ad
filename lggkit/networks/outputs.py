"""What a classifier may return, and where its logits are in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

NAMES = ("logits", "out")


def logits_of(output: Any) -> Tensor:
    """The logits in what a classifier returned, as they are: neither shape nor dtype is looked at.

    A tensor is its own logits; of a tuple or a list they are the first element; of a mapping the entry
    ``"logits"``, or else ``"out"``; of any other object the attribute ``logits``.

    Raises:
        TypeError: there is no tensor at that place.
    """
    logits = _place(output)
    if isinstance(logits, Tensor):
        return logits
    raise TypeError(
        f"the model returned {_seen(output)}, which has no logits; return a tensor (n, classes), a tuple or "
        'list that begins with it, a mapping with "logits" or "out", or an object with .logits'
    )


def _place(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        return next((output[name] for name in NAMES if isinstance(output.get(name), Tensor)), None)
    named = getattr(output, "logits", None)
    if isinstance(named, Tensor) or not isinstance(output, (tuple, list)):
        return named
    return output[0] if output else None


def _seen(output: Any) -> str:
    """The type of an output, and what it holds where that is what is wrong with it."""
    kind = type(output).__name__
    if isinstance(output, Mapping):
        return f"a {kind} with the keys {', '.join(map(repr, output)) or 'none'}"
    if isinstance(output, (tuple, list)):
        return f"a {kind} that begins with {type(output[0]).__name__}" if output else f"an empty {kind}"
    return kind
