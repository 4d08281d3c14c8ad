"""Input normalisation inside the network, so that images stay in [0, 1] outside of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.latents.wrappers import unwrapped, wrappers


class InputNormalization(nn.Module):
    """(x - mean) / std per channel, for images (n, channels, h, w).

    Floating-point images are taken as they are, in [0, 1]; uint8 images are scaled by 1/255 first. ``mean``
    and ``std`` are on the [0, 1] scale and are saved with the weights; the result has their dtype.

    Raises:
        ValueError: mean and std differ in length, a value is not finite, an std is not positive, or an image
            has another number of channels.
        TypeError: an image is neither uint8 nor floating point.
    """

    def __init__(self, mean: Sequence[float] | Tensor, std: Sequence[float] | Tensor) -> None:
        super().__init__()
        means, stds = _column(mean), _column(std)
        if means.shape != stds.shape:
            raise ValueError(
                f"mean has {len(means)} channels and std {len(stds)}; give one value each a channel"
            )
        if not (means.isfinite().all() and stds.isfinite().all() and (stds > 0).all()):
            raise ValueError(f"mean {mean}, std {std}: give finite means and positive finite deviations")
        self.register_buffer("mean", means)
        self.register_buffer("std", stds)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-3] != len(self.mean):
            raise ValueError(f"the image has {x.shape[-3]} channels, but mean and std have {len(self.mean)}")
        if x.dtype == torch.uint8:
            x = x.to(self.mean.dtype) / 255
        elif not x.is_floating_point():
            raise TypeError(f"images are {x.dtype}; give uint8, or floating point in [0, 1]")
        return ((x - self.mean) / self.std).to(self.mean.dtype)


class NormalizedNetwork(nn.Module):
    """A network behind its `InputNormalization`; ``depths`` (and ``relu_depths``) are the network's own."""

    def __init__(self, model: nn.Module, normalization: InputNormalization) -> None:
        super().__init__()
        self.normalization = normalization
        self.model = model
        self.depths = prefixed(model, "depths", "model")
        self.relu_depths = prefixed(model, "relu_depths", "model")

    def forward(self, x: Tensor) -> Tensor:
        return self.model(self.normalization(x))


def with_normalization(
    model: nn.Module, mean: Sequence[float] | Tensor, std: Sequence[float] | Tensor
) -> NormalizedNetwork:
    """The same network (shared, not copied) on unnormalised images; errors of `InputNormalization`.

    Args:
        model: takes normalised images (n, channels, h, w).
        mean, std: one value a channel, on the [0, 1] scale; looked at, which waits for the device.
    """
    device = next((p.device for p in model.parameters()), None)
    return NormalizedNetwork(model, InputNormalization(mean, std).to(device))


def _column(values: Sequence[float] | Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32, device="cpu").detach().reshape(-1, 1, 1).clone()


def prefixed(model: nn.Module, kind: str, name: str) -> dict[str, str]:
    """The ``depths`` or ``relu_depths`` of a network, if any, as its owner sees them under ``name``."""
    inside = ".".join([name, *wrappers(model)])
    return {label: f"{inside}.{path}" for label, path in getattr(unwrapped(model), kind, {}).items()}
