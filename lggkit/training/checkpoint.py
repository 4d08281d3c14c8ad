"""Checkpoints: written whole or not at all, verified, read without unpickling code, and of which training."""

from __future__ import annotations

import hashlib
import io
import json
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import LabelledSet
from lggkit.durable import write_whole
from lggkit.training.run import Run

CONTAINERS = (dict, OrderedDict, list, tuple, set, torch.Size)
PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device)
MAGIC = b"lggkit checkpoint 2 "


class CheckpointError(RuntimeError):
    """A checkpoint could not be written, a file is none, or it belongs to another training."""


class CheckpointDamaged(CheckpointError):
    """A checkpoint is not the bytes that were written."""


def write_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write tensors and plain containers so that a reader sees the old file or the whole new one.

    The file begins with the SHA-256 of what follows. It is forced to the disk before it takes its name, and
    written under a name of the process's own until then: several may write the same one.

    Raises:
        CheckpointError: the disk is full or refuses; the checkpoint that was there before is kept.
        TypeError: the state holds something that `read_checkpoint` could not read, such as an array.
    """
    path = Path(path)
    _check_readable(state, "the state")
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
        CheckpointError: it is a folder, or a file that is no checkpoint of this version.
        CheckpointDamaged: the checkpoint is truncated or altered.
    """
    if Path(path).is_dir():
        raise CheckpointError(f"{path} is a folder, no checkpoint; give the path of a file")
    content = Path(path).read_bytes()
    start = len(MAGIC) + hashlib.sha256().digest_size
    if not MAGIC.startswith(content[: len(MAGIC)]):
        raise CheckpointError(f"{path} is no checkpoint, or an earlier version's; give another path")
    if hashlib.sha256(content[start:]).digest() != content[len(MAGIC) : start]:
        raise CheckpointDamaged(f"{path} is truncated or altered; delete it to begin again")
    return torch.load(io.BytesIO(content[start:]), map_location="cpu", weights_only=True)


def check_identity(path: str | Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Refuse a checkpoint of another training; files that are older than ``sub_batch`` name none.

    Raises:
        CheckpointError: a setting differs; the first is named with both values.
    """
    for name in sorted(found.keys() | expected.keys()):
        older = name == "sub_batch" and name not in found
        if found.get(name) != expected.get(name) and not older:
            raise CheckpointError(
                f"{path} belongs to another training: {name} is {found.get(name)!r} there and "
                f"{expected.get(name)!r} here; give another path or delete the file"
            )


def _check_readable(value: Any, where: str) -> None:
    if isinstance(value, dict) and type(value) in CONTAINERS:
        for name, entry in value.items():
            _check_readable(name, f"a key of {where}")
            _check_readable(entry, f"{where}[{name!r}]")
    elif type(value) in CONTAINERS:
        for place, entry in enumerate(value):
            _check_readable(entry, f"{where}[{place}]")
    elif type(value) not in PLAIN and not isinstance(value, Tensor):
        raise TypeError(
            f"{where} is a {type(value).__name__}, which no checkpoint can hold; "
            "give tensors, Python's numbers and text, and plain containers of them"
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
    shapes = [(name, tuple(value.shape)) for name, value in _tensors(run.model)]
    settings = json.loads(json.dumps(asdict(run.config)))
    if not run.config.drop_last:
        del settings["drop_last"]  # checkpoints that are older than it name no such setting
    return {
        **{f"config.{name}": value for name, value in settings.items()},
        "data": f"{data.name}/{data.split}/{len(data)}/{fingerprint}",
        "network": hashlib.sha256(repr((shapes, trained)).encode()).hexdigest()[:16],
        "seed": run.stream.seed,
        "sub_batch": data.sub_batch,
        "tag": tag,
        "taps": list(run.options.taps),
    }


def _tensors(model: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, value) for name, value in model.state_dict().items() if isinstance(value, Tensor)]


def fingerprint_of(data: LabelledSet) -> str:
    """Sixteen hexadecimal digits that other samples, labels or another order of them change."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (data.samples, data.labels):
        digest.update(part.cpu().contiguous().numpy())
    return digest.hexdigest()
