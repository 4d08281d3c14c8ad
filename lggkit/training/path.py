"""How something was computed, as plain data that outlives the device, and the line that says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TF32 = " (TF32 convolutions)"


@dataclass(frozen=True)
class PathTaken:
    """What a training was computed on, and how.

    ``device``: "cpu" or the marketing name of a GPU. ``precision``: ``float32`` or ``bfloat16``, the type of
    the forward pass; ``tf32`` where convolutions in float32 round to ten bits. ``layout``: ``channels_last``
    or ``contiguous``. ``reasons``: why it is this path, in the order in which it was chosen.

    ``str`` gives it as records keep it: ``cpu, float32, channels_last, eager: too short to repay ...``.
    """

    device: str
    precision: str = "float32"
    layout: str = "channels_last"
    compiled: bool = False
    captured: bool = False
    tf32: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        """The path without its reasons."""
        how = " and ".join(["compiled"] * self.compiled + ["captured"] * self.captured) or "eager"
        return f"{self.device}, {self.precision}{TF32 * self.tf32}, {self.layout}, {how}"

    def __str__(self) -> str:
        return f"{self.mode}: {'; '.join(self.reasons)}" if self.reasons else self.mode

    def plain(self) -> dict[str, Any]:
        """The fields by name, as a file keeps them; `read` takes them back."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, value: PathTaken | Mapping[str, Any] | str) -> PathTaken:
        """The path of its `plain` fields, or of the line that earlier versions kept.

        Raises:
            TypeError: there is an unknown field, or one is missing.
        """
        if isinstance(value, PathTaken):
            return value
        if isinstance(value, str):
            return _of_line(value)
        return cls(**{**value, "reasons": tuple(value.get("reasons", ()))})


def _of_line(line: str) -> PathTaken:
    mode, _, reasons = line.partition(": ")
    device, precision, layout, how = [*mode.split(", "), *("",) * 4][:4]
    return PathTaken(
        device=device,
        precision=precision.removesuffix(TF32) or PathTaken.precision,
        layout=layout or PathTaken.layout,
        compiled="compiled" in how,
        captured="captured" in how,
        tf32=precision.endswith(TF32),
        reasons=tuple(reasons.split("; ")) if reasons else (),
    )
