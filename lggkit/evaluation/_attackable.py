"""What attacks need before they begin: fit images and labels, weights without gradients, foolbox."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def check(images: Tensor, labels: Tensor, bounds: tuple[float, float] | None = None) -> None:
    """TypeError or ValueError where images (n, ...) are no floats or labels not int64 (n,), n >= 1.

    With ``bounds`` also where images leave them, which would clamp them; this waits for the device.
    """
    if not images.is_floating_point():
        raise TypeError(f"images are {images.dtype}; give floats, as of lggkit.data.to_float")
    if labels.dtype != torch.int64:
        raise TypeError(f"labels are {labels.dtype}; give int64, as of labels.long()")
    if not len(images) or labels.shape != images.shape[:1]:
        raise ValueError(
            f"there are {len(images)} images and labels of shape {tuple(labels.shape)}; "
            "give one label an image, and at least one"
        )

    if bounds is not None and bool(((images < bounds[0]) | (images > bounds[1])).any()):
        low, high = images.min().item(), images.max().item()
        raise ValueError(
            f"images run from {low:.3g} to {high:.3g}, outside the bounds {bounds}; put the normalisation "
            "into the network, or give other bounds where they can be given"
        )


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Weights without gradients inside, which foolbox would compute and add to theirs."""
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for weight in weights:
            weight.requires_grad_(False)
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def foolbox_module() -> Any:
    """foolbox, imported when it is first needed."""
    # It imports GitPython for its model zoo, which stops where there is no git.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import foolbox

    return foolbox
