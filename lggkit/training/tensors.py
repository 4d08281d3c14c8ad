"""The tensors that training steps change in place, by name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from torch import Tensor, nn


def tensors_of(model: nn.Module, objective: Any) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers of a model and, if it is a module, of its objective."""
    for whose, module in (("model", model), ("objective", objective)):
        if isinstance(module, nn.Module):
            for name, value in chain(module.named_parameters(), module.named_buffers()):
                yield f"{whose}.{name}", value


def places_of(model: nn.Module, objective: Any) -> dict[str, int]:
    """Where in memory they lie, by name."""
    return {name: value.data_ptr() for name, value in tensors_of(model, objective)}
