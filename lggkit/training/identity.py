"""What tells one training from another, so that a checkpoint continues no other than its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from lggkit.data import DataSet

if TYPE_CHECKING:
    from lggkit.training.run import Run


def identity_of(run: Run, tag: str) -> dict[str, Any]:
    """Settings, data, network, seed, tag and taps of a training, as a checkpoint keeps them."""
    data = run.stream.data
    trained = [parameter.requires_grad for parameter in run.model.parameters()]
    shapes = [(name, tuple(value.shape)) for name, value in run.model.state_dict().items()]
    settings = json.loads(json.dumps(asdict(run.config)))
    return {
        **{f"config.{name}": value for name, value in settings.items()},
        "data": f"{data.name}/{data.split}/{len(data)}/{_fingerprint(data)}",
        "network": hashlib.sha256(repr((shapes, trained)).encode()).hexdigest()[:16],
        "seed": run.stream.seed,
        "tag": tag,
        "taps": list(run.options.taps),
    }


def _fingerprint(data: DataSet) -> str:
    """Two numbers that differ where images or labels, or the order of either, do."""
    place = torch.arange(1, len(data) + 1, device=data.device)
    sums = data.images.flatten(1).sum(1, dtype=torch.int64), data.labels
    return "-".join(str(int((values * place).sum())) for values in sums)
