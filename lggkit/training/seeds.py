"""One seed, several independent streams of random numbers: data order, augmentation, noise inside the net."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import nn

from lggkit.networks.seeds import derive


def generator(seed: int, *names: str | int) -> torch.Generator:
    """A CPU generator for one stream: what it draws is the same whatever device trains."""
    return torch.Generator().manual_seed(derive(seed, *names))


def seed_noise(device: torch.device, seed: int, step: int) -> None:
    """Seed torch's global streams (dropout and the like) for one step: a resumed run draws the same."""
    value = derive(seed, "noise", step)
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.default_generators[_index(device)].manual_seed(value)


def drops(model: nn.Module) -> bool:
    """Whether a pass may draw random numbers, which another precision or compiled code draws otherwise."""
    return any(isinstance(m, nn.modules.dropout._DropoutNd) and m.p > 0 for m in model.modules())


def noise_state(device: torch.device) -> torch.Tensor:
    """The state of the global stream that a step on a device draws from."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def host_noise_state(device: torch.device) -> tuple[object, ...]:
    """The states of the other streams, which a step draws from on the host: Python's, NumPy's and torch's."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    torchs = b"" if device.type == "cpu" else bytes(torch.get_rng_state().numpy())
    return random.getstate(), (kind, keys.tobytes(), *rest), torchs


def _index(device: torch.device) -> int:
    return torch.cuda.current_device() if device.index is None else device.index
