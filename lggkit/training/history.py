"""What a training tells of itself on the way: numbers become curves, tensors are kept in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass
class History:
    """``curves`` and ``seen`` by name, and the loss of the first batch, as `TrainResult` gives them."""

    curves: dict[str, list[float]] = field(default_factory=dict)
    seen: dict[str, list[Tensor]] = field(default_factory=dict)
    first_loss: float | None = None

    def note(self, **values: float | Tensor) -> None:
        """Add a value to each curve that is named."""
        for name, value in values.items():
            self.curves.setdefault(name, []).append(float(value))

    def take(self, found: Mapping[str, float | Tensor]) -> None:
        """Add what an evaluation found; tensors with dimensions are copied to the CPU."""
        tensors = {name: value for name, value in found.items() if isinstance(value, Tensor) and value.dim()}
        for name, value in tensors.items():
            self.seen.setdefault(name, []).append(value.detach().to("cpu", copy=True))
        self.note(**{name: value for name, value in found.items() if name not in tensors})

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"curves": self.curves, "seen": self.seen, "first_loss": self.first_loss}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`; earlier versions kept curves only."""
        self.curves = state["curves"]
        self.seen, self.first_loss = state.get("seen", {}), state.get("first_loss")
