"""Weights on disk, as plain tensors: written atomically, read without unpickling code, checked by name."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from lggkit.durable import draft
from lggkit.latents import unwrapped


def save_weights(model: nn.Module, path: str | Path) -> Path:
    """Write the model's ``state_dict`` as CPU tensors; a reader sees the old file or the whole new one.

    Of a wrapped model (see `lggkit.latents.unwrapped`) the network inside is written.

    Raises:
        ValueError: a weight is not finite (the file that is there stays as it is).
    """
    path = Path(path)
    state = {
        name: value.detach().to("cpu", copy=True) for name, value in unwrapped(model).state_dict().items()
    }
    _require_finite(state, "the model")
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft(path) as beside:
        torch.save(state, beside)
    return path


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Copy a file of `save_weights` into the model, on the model's device, and return the model.

    Nothing is copied unless the whole file fits. The weights lie in memory as those that were saved did
    (channels_last or not), so that the model computes the same bits.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds anything but tensors by name, a tensor is missing, unknown or of another
            shape (the first is named), or a weight is not finite.
    """
    state = _read(Path(path))
    _require_same_names(unwrapped(model).state_dict(), state, Path(path))
    _require_finite(state, str(path))
    lay_out(unwrapped(model), state)
    unwrapped(model).load_state_dict(state)
    return model


@torch.no_grad()
def lay_out(model: nn.Module, like: dict[str, Tensor]) -> None:
    """Give every parameter and buffer the strides of its namesake, in new memory where it had others."""
    for name, value in model.state_dict(keep_vars=True).items():
        if value.stride() != like[name].stride():
            value.data = torch.empty_strided(
                value.shape, like[name].stride(), dtype=value.dtype, device=value.device
            )


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; train the network or give the path of its file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} is not a readable file of weights; write it anew with save_weights"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} holds other things than tensors by name; write it anew with save_weights")
    return state


def _require_same_names(expected: dict[str, Tensor], state: dict[str, Tensor], path: Path) -> None:
    remedy = "build the network that the weights were saved from"
    for name, value in expected.items():
        if name not in state:
            raise ValueError(f"{path} lacks {name!r} {tuple(value.shape)}; {remedy}")
        if state[name].shape != value.shape:
            shapes = f"{tuple(state[name].shape)}, but the network's is {tuple(value.shape)}"
            raise ValueError(f"{path}: {name!r} is {shapes}; {remedy}")
    for name in state:
        if name not in expected:
            raise ValueError(f"{path} holds {name!r}, which the network does not have; {remedy}")


def _require_finite(state: dict[str, Tensor], owner: str) -> None:
    for name, value in state.items():
        if not value.isfinite().all():
            raise ValueError(
                f"{owner}: {name!r} is not finite; the training has diverged, take an earlier one"
            )
