"""What tells one training from another, so that a checkpoint continues no other than its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from lggkit.data import DataSet
from lggkit.training.run import Run


def identity_of(run: Run, tag: str, fingerprint: str) -> dict[str, Any]:
    """Settings, data (by its `fingerprint_of`), network, seed, tag and taps, as a checkpoint keeps them."""
    data = run.stream.data
    trained = [parameter.requires_grad for parameter in run.model.parameters()]
    shapes = [(name, tuple(value.shape)) for name, value in run.model.state_dict().items()]
    settings = json.loads(json.dumps(asdict(run.config)))
    if not run.config.drop_last:
        del settings["drop_last"]  # checkpoints that are older than it name no such setting
    return {
        **{f"config.{name}": value for name, value in settings.items()},
        "data": f"{data.name}/{data.split}/{len(data)}/{fingerprint}",
        "network": hashlib.sha256(repr((shapes, trained)).encode()).hexdigest()[:16],
        "seed": run.stream.seed,
        "tag": tag,
        "taps": list(run.options.taps),
    }


def fingerprint_of(data: DataSet) -> str:
    """Sixteen hexadecimal digits that other images, labels or another order of them change."""
    found = hashlib.blake2b(digest_size=8)
    for part in (data.images, data.labels):
        found.update(part.cpu().contiguous().numpy())
    return found.hexdigest()
