"""Checkpoints: written whole or not at all, verified, read without unpickling code, and of which training."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from lggkit.data import LabelledSet
from lggkit.durable import write_whole
from lggkit.training.run import Run

MAGIC = b"lggkit checkpoint 2 "


class CheckpointError(RuntimeError):
    """A checkpoint could not be written, or belongs to another training."""


class CheckpointDamaged(CheckpointError):
    """A file is no checkpoint, or not the bytes that were written."""


def write_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write tensors and plain containers so that a reader sees the old file or the whole new one.

    The file begins with the SHA-256 of what follows. It is forced to the disk before it takes its name, and
    written under a name of the process's own until then: several may write the same one.

    Raises:
        CheckpointError: the disk is full or refuses; the checkpoint that was there before is kept.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _encode(state))
    except OSError as error:
        raise CheckpointError(
            f"could not write {path} ({error.strerror or error}); the checkpoint before it is kept: "
            "make room and start again"
        ) from error


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The state that `write_checkpoint` wrote, with every tensor on the CPU.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointDamaged: the file is truncated, altered, no checkpoint, or a folder.
    """
    if Path(path).is_dir():
        raise CheckpointDamaged(f"{path} is a folder, no checkpoint; delete it to begin again")
    content = Path(path).read_bytes()
    start = len(MAGIC) + hashlib.sha256().digest_size
    if not content.startswith(MAGIC):
        raise CheckpointDamaged(f"{path} is no checkpoint, or an earlier version's; delete it to begin again")
    if hashlib.sha256(content[start:]).digest() != content[len(MAGIC) : start]:
        raise CheckpointDamaged(f"{path} is truncated or altered; delete it to begin again")
    return torch.load(io.BytesIO(content[start:]), map_location="cpu", weights_only=True)


def check_identity(path: str | Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Refuse a checkpoint of another training.

    Raises:
        CheckpointError: a setting differs; the first is named with both values.
    """
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise CheckpointError(
                f"{path} belongs to another training: {name} is {found.get(name)!r} there and "
                f"{expected.get(name)!r} here; give another path or delete the file"
            )


def _encode(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    return MAGIC + hashlib.sha256(content).digest() + content


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


def fingerprint_of(data: LabelledSet) -> str:
    """Sixteen hexadecimal digits that other samples, labels or another order of them change."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (data.samples, data.labels):
        digest.update(part.cpu().contiguous().numpy())
    return digest.hexdigest()
