"""A frozen network whose latents guide others, computed once for a batch whoever asks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.latents import Taps, resolve_depths, unwrapped
from lggkit.training.folding import folded
from lggkit.training.processor import CodePath, precision_for
from lggkit.training.stream import Batch


class Teacher:
    """``teacher(batch) -> latents by name``, constant for autograd; kept until another batch is asked for.

    What is asked is a copy of the model as it is now, in evaluation mode, with batch norm folded into the
    convolutions before it: the same latents to rounding, at less cost. The model itself is left alone, the
    copy follows the batches to their device.

    Args:
        model: takes [0, 1] images.
        names: depths, see `lggkit.latents.Taps`; "output" gives the logits.
        precision: "float32" or "bfloat16"; "auto" is bfloat16 where the device has matrix units for it.

    Raises:
        ValueError: the model has no such depth, see `lggkit.latents.resolve_depths`.
    """

    def __init__(self, model: nn.Module, names: Sequence[str], precision: str = "float32") -> None:
        self.names, self.precision = list(names), precision
        self.model = folded(unwrapped(model), resolve_depths(model, self.names).values())
        self._batch: Batch | None = None
        self._latents: dict[str, Tensor] = {}

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        if batch is not self._batch:
            self._latents, self._batch = self._compute(batch.images), batch
        return self._latents

    def _compute(self, images: Tensor) -> dict[str, Tensor]:
        self.model.to(images.device)
        dtype, _ = precision_for(self.precision, images.device)
        path = CodePath(images.device, dtype, channels_last=False, compile=False)
        with torch.no_grad(), path.autocast(), Taps(self.model, self.names) as taps:
            self.model(images)
        return dict(taps.latents)
